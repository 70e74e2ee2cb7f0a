-- name: keep_service
INSERT INTO services (resource, client_id, name, client_metadata, first_seen) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (resource) DO UPDATE
SET name = excluded.name, client_metadata = excluded.client_metadata WHERE services.client_id = excluded.client_id;

-- name: insert_link
INSERT INTO links (id, account_id, resource, sub, label, state, roster, roster_webauthn, seq, created_at)
VALUES ($1, $2, $3, $4, '', 'signed', $5, $6, $7, $8);

-- name: links_of_account
SELECT l.id, l.account_id, l.resource, l.sub, l.label, l.roster, l.seq, l.linked_at, s.name, s.client_id
FROM links l JOIN services s ON s.resource = l.resource
WHERE l.account_id = $1 AND l.state = 'linked' ORDER BY s.name, l.id;

-- name: rosters_of_account
SELECT l.resource, l.roster, l.linked_at, s.name FROM links l JOIN services s ON s.resource = l.resource
WHERE l.account_id = $1 AND l.linked_at IS NOT NULL ORDER BY l.linked_at DESC, l.seq DESC, l.id;

-- name: link_of_account
SELECT l.id, l.account_id, l.resource, l.sub, l.label, l.roster, l.seq, l.linked_at, s.name, s.client_id
FROM links l JOIN services s ON s.resource = l.resource
WHERE l.id = $1 AND l.account_id = $2 AND l.state = 'linked';

-- name: change_roster
UPDATE links SET roster = $2, roster_webauthn = $3, seq = $4 WHERE id = $1 AND state = 'linked' AND seq < $4;

-- name: unlink
UPDATE links SET state = 'unlinked', unlinked_at = $3 WHERE id = $1 AND account_id = $2 AND state = 'linked';
