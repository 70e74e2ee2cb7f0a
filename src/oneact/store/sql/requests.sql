-- name: insert_request
INSERT INTO requests (id, account_id, pairing_id, client_id, jkt, link_id, resource, sub, batch_id, idempotency_key,
    offer, offer_exp, txn, act, act_digest, action, lines, display_digest, reason, state, created_at, expires_at,
    polled_at, ping_token, inline, twin)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, 'pending', $20, $21,
    0, $22, $23, $24);

-- name: see_pairing
UPDATE pairings SET seen_at = $2 WHERE id = $1;

-- name: introduce_pairing
UPDATE pairings SET seen_at = $2 WHERE id = $1 AND blocked_at IS NULL AND removed_at IS NULL
AND EXISTS (SELECT 1 FROM links l WHERE l.id = $3 AND l.account_id = pairings.account_id AND l.state = 'linked');

-- name: link_of_service
SELECT id, sub, label, roster, seq FROM links WHERE account_id = $1 AND resource = $2 AND state = 'linked';

-- name: request_by_idempotency_key
SELECT id, jkt, act_digest, expires_at FROM requests WHERE client_id = $1 AND account_id = $2 AND idempotency_key = $3
ORDER BY created_at DESC LIMIT 1;

-- name: pending_requests
SELECT id, expires_at, twin FROM requests WHERE client_id = $1 AND jkt = $2 AND account_id = $3 AND resource = $4
    AND act_digest = $5 AND idempotency_key = '' AND state = 'pending' ORDER BY created_at, twin;

-- name: request_of_offer
SELECT id, jkt, act_digest, expires_at FROM requests
WHERE client_id = $1 AND account_id = $2 AND resource = $3 AND txn = $4;

-- name: count_open_requests
SELECT count(*) AS open FROM requests WHERE pairing_id = $1 AND state = 'pending' AND expires_at > $2;

-- name: renew_ping
UPDATE requests SET ping_token = $2 WHERE id = $1 AND state = 'pending';

-- name: request
SELECT * FROM requests WHERE id = $1;

-- name: issue_request
UPDATE requests SET state = 'issued', token = $2, token_jti = $3, token_exp = $4
WHERE id = $1 AND state = 'approved' AND approved_until > $5
    AND EXISTS (SELECT 1 FROM links l WHERE l.id = link_id AND l.state = 'linked')
    AND EXISTS (SELECT 1 FROM pairings p WHERE p.id = pairing_id AND p.blocked_at IS NULL AND p.removed_at IS NULL)
    AND EXISTS (SELECT 1 FROM passkeys k
        WHERE k.id = $6 AND k.account_id = requests.account_id AND k.removed_at IS NULL);

-- name: withdraw_request
UPDATE requests SET state = 'denied', decided_at = $2, ended = $3
WHERE id = $1 AND state = 'approved' AND approved_until > $2;

-- name: approved_of_account
SELECT id, account_id, client_id, pairing_id, link_id, resource, txn, sub, approvals FROM requests
WHERE account_id = $1 AND state = 'approved';

-- name: expire_request
UPDATE requests SET state = 'expired', decided_at = $2, ended = $3
WHERE id = $1 AND ((state = 'pending' AND expires_at <= $2) OR (state = 'approved' AND approved_until <= $2));

-- name: cancel_request
UPDATE requests SET state = 'cancelled', decided_at = $2, ended = $3 WHERE id = $1 AND state = 'pending';

-- name: overdue_requests
SELECT id, account_id, client_id, resource, txn, sub FROM requests
WHERE (state = 'pending' AND expires_at <= $1) OR (state = 'approved' AND approved_until <= $1) LIMIT 500;

-- name: request_of_token
SELECT * FROM requests WHERE client_id = $1 AND token_jti = $2;
