-- name: request_of_person
SELECT r.*, l.label, l.roster, l.state AS link_state, p.name AS agent_name, p.created_at AS paired_at,
    p.blocked_at, p.removed_at, s.name AS service_name, c.registered_at, c.on_behalf_of, k.status AS receipt_status, k.iat AS receipt_iat
FROM requests r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource JOIN clients c ON c.id = r.client_id
    LEFT JOIN receipts k ON k.request_id = r.id
WHERE r.id = $1 AND r.account_id = $2;

-- name: requests_of_batch
SELECT id FROM requests WHERE batch_id = $1 AND account_id = $2 ORDER BY created_at, id;

-- name: show_request
UPDATE requests SET shown_at = $2 WHERE id = $1 AND shown_at IS NULL;

-- name: approve_request
UPDATE requests SET state = 'approved', approvals = $2, approved_until = $3, auth_time = $4, decided_at = $4
WHERE id = $1 AND state = 'pending' AND expires_at > $4 AND shown_at IS NOT NULL
    AND EXISTS (SELECT 1 FROM links l WHERE l.id = link_id AND l.state = 'linked')
    AND EXISTS (SELECT 1 FROM pairings p WHERE p.id = pairing_id AND p.blocked_at IS NULL AND p.removed_at IS NULL)
    AND EXISTS (SELECT 1 FROM passkeys k
        WHERE k.id = $5 AND k.account_id = requests.account_id AND k.removed_at IS NULL);

-- name: deny_request
UPDATE requests SET state = 'denied', decided_at = $2, ended = $3, message = $4
WHERE id = $1 AND state = 'pending' AND expires_at > $2;

-- name: pairings_of_account
SELECT p.id, p.client_id, p.jkt, p.name, p.created_at, p.seen_at, p.blocked_at, c.registered_at, c.on_behalf_of
FROM pairings p JOIN clients c ON c.id = p.client_id
WHERE p.account_id = $1 AND p.removed_at IS NULL
    AND (c.on_behalf_of IS NULL OR EXISTS (SELECT 1 FROM links l WHERE p.hint = 'link ' || l.id AND l.state = 'linked'))
ORDER BY p.created_at DESC, p.id;

-- name: pairing
SELECT id, client_id, jkt, name, blocked_at FROM pairings WHERE id = $1 AND account_id = $2 AND removed_at IS NULL;

-- name: block_pairing
UPDATE pairings SET blocked_at = $3 WHERE id = $1 AND account_id = $2 AND blocked_at IS NULL;

-- name: remove_pairing
UPDATE pairings SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL;

-- name: pending_of_pairing
SELECT id FROM requests WHERE pairing_id = $1 AND account_id = $2 AND state = 'pending' AND expires_at > $3;
