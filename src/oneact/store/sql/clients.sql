-- name: insert_client
INSERT INTO clients (id, jkt, public_jwk, name, metadata, registered_at) VALUES ($1, $2, $3, $4, $5, $6)
ON CONFLICT (jkt) DO UPDATE SET name = excluded.name, metadata = excluded.metadata;

-- name: client_of_key
SELECT id, name, metadata, registered_at FROM clients WHERE jkt = $1;

-- name: client
SELECT id, public_jwk, name, metadata, registered_at FROM clients WHERE id = $1;
