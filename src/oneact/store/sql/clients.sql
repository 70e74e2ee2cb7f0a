-- name: insert_client
INSERT INTO clients (id, jkt, public_jwk, name, metadata, registered_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (jkt) DO UPDATE SET name = excluded.name, metadata = excluded.metadata;

-- name: pair_client
UPDATE clients SET paired_at = $2 WHERE id = $1 AND paired_at IS NULL;

-- name: end_unpaired_clients
DELETE FROM clients WHERE paired_at IS NULL AND registered_at <= $1
    AND NOT EXISTS (SELECT 1 FROM device_codes d WHERE d.client_id = clients.id);

-- name: client_of_key
SELECT id, name, metadata, registered_at FROM clients WHERE jkt = $1;

-- name: client
SELECT id, public_jwk, name, metadata, registered_at FROM clients WHERE id = $1 AND on_behalf_of IS NULL;
