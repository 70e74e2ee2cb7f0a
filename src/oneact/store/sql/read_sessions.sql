-- name: insert_read_session
INSERT INTO read_sessions (id, account_id, pairing_id, client_id, jkt, link_id, resource, sub, details, lines,
    display_digest, reason, state, created_at, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 'pending', $13, $14);

-- name: read_session
SELECT * FROM read_sessions WHERE id = $1;

-- name: standing_read_session
SELECT r.id, r.state, r.expires_at, r.until FROM read_sessions r
    JOIN links l ON l.id = r.link_id JOIN passkeys k ON r.signer IS NULL OR k.id = r.signer
WHERE r.pairing_id = $1 AND r.details = $2 AND l.state = 'linked'
    AND k.account_id = r.account_id AND k.removed_at IS NULL
    AND ((r.state = 'pending' AND r.expires_at > $3) OR (r.state = 'opened' AND r.until > $3))
ORDER BY r.created_at DESC LIMIT 1;

-- name: count_pending_read_sessions
SELECT count(*) AS pending FROM read_sessions WHERE pairing_id = $1 AND state = 'pending' AND expires_at > $2;

-- name: read_session_of_person
SELECT r.*, l.label, l.roster, l.state AS link_state, p.name AS agent_name, p.blocked_at, p.removed_at,
    s.name AS service_name, c.registered_at
FROM read_sessions r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource JOIN clients c ON c.id = r.client_id
WHERE r.id = $1 AND r.account_id = $2;

-- name: pending_read_sessions
SELECT r.id, r.lines, r.resource, s.name AS service_name, p.name AS agent_name
FROM read_sessions r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource
WHERE r.account_id = $1 AND r.state = 'pending' AND r.expires_at > $2
    AND l.state = 'linked' AND p.blocked_at IS NULL AND p.removed_at IS NULL ORDER BY r.created_at, r.id;

-- name: open_read_sessions
SELECT r.id, r.lines, r.resource, r.decided_at, r.until, s.name AS service_name, p.name AS agent_name
FROM read_sessions r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource JOIN passkeys k ON k.id = r.signer
WHERE r.account_id = $1 AND r.state = 'opened' AND r.until > $2
    AND l.state = 'linked' AND p.blocked_at IS NULL AND p.removed_at IS NULL AND k.removed_at IS NULL
ORDER BY r.decided_at DESC, r.id;

-- name: past_read_sessions
SELECT r.id, r.lines, r.resource, r.state, r.created_at, r.until, s.name AS service_name, p.name AS agent_name
FROM read_sessions r JOIN pairings p ON p.id = r.pairing_id JOIN services s ON s.resource = r.resource
WHERE r.account_id = $1 ORDER BY r.created_at DESC, r.id LIMIT 50;

-- name: show_read_session
UPDATE read_sessions SET shown_at = $2 WHERE id = $1 AND shown_at IS NULL;

-- name: open_read_session
UPDATE read_sessions SET state = 'opened', approvals = $2, until = $3, decided_at = $4, signer = $5
WHERE id = $1 AND state = 'pending' AND expires_at > $4 AND shown_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM links l WHERE l.id = link_id AND l.state = 'linked')
    AND EXISTS (SELECT 1 FROM pairings p WHERE p.id = pairing_id AND p.blocked_at IS NULL AND p.removed_at IS NULL)
    AND EXISTS (SELECT 1 FROM passkeys k
        WHERE k.id = $5 AND k.account_id = read_sessions.account_id AND k.removed_at IS NULL);

-- name: deny_read_session
UPDATE read_sessions SET state = 'denied', decided_at = $2, message = $3
WHERE id = $1 AND state = 'pending' AND expires_at > $2;

-- name: end_read_session
UPDATE read_sessions SET state = 'ended', decided_at = $2
WHERE id = $1 AND ((state = 'pending' AND expires_at > $2) OR (state = 'opened' AND until > $2));

-- name: issue_read_token
UPDATE read_sessions SET token = $2, token_exp = $3
WHERE id = $1 AND state = 'opened' AND until > $4
    AND EXISTS (SELECT 1 FROM links l WHERE l.id = link_id AND l.state = 'linked')
    AND EXISTS (SELECT 1 FROM pairings p WHERE p.id = pairing_id AND p.blocked_at IS NULL AND p.removed_at IS NULL)
    AND EXISTS (SELECT 1 FROM passkeys k
        WHERE k.id = signer AND k.account_id = read_sessions.account_id AND k.removed_at IS NULL);

-- name: erase_read_sessions
DELETE FROM read_sessions WHERE account_id = $1;
