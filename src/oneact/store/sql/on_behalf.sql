-- name: linked_service
SELECT s.resource, s.name FROM services s WHERE s.client_id = $1
    AND EXISTS (SELECT 1 FROM links l WHERE l.resource = s.resource AND l.state = 'linked');

-- name: link_of_name
SELECT l.id, l.account_id, s.name FROM links l JOIN services s ON s.resource = l.resource
WHERE l.resource = $1 AND l.sub = $2 AND l.state = 'linked';

-- name: keep_asking_service
INSERT INTO clients (id, jkt, public_jwk, name, metadata, registered_at, paired_at, on_behalf_of)
VALUES ($1, $1, '', $2, '{}', $3, $3, $4) ON CONFLICT (id) DO NOTHING;

-- name: unblock_on_behalf
UPDATE pairings SET blocked_at = NULL WHERE id = $1 AND account_id = $2 AND blocked_at IS NOT NULL
    AND client_id IN (SELECT c.id FROM clients c WHERE c.on_behalf_of IS NOT NULL);
