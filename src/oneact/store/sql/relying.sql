-- name: insert_pushed_request
INSERT INTO pushed_requests (id, client_id, client_assertion, parameters, expires_at) VALUES ($1, $2, $3, $4, $5);

-- name: end_pushed_requests
DELETE FROM pushed_requests WHERE expires_at < $1;

-- name: pushed_request
SELECT id, client_id, client_assertion, parameters, expires_at FROM pushed_requests WHERE id = $1;

-- name: use_pushed_request
DELETE FROM pushed_requests WHERE id = $1;

-- name: insert_code
INSERT INTO codes (id, link_id, client_id, redirect_uri, code_challenge, nonce, auth_time, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8);

-- name: code
SELECT id, link_id, client_id, redirect_uri, code_challenge, nonce, auth_time FROM codes
WHERE id = $1 AND expires_at > $2;

-- name: end_codes
DELETE FROM codes WHERE expires_at <= $1;

-- name: use_code
DELETE FROM codes WHERE id = $1;

-- name: link
SELECT id, account_id, resource, sub, label, state, roster, roster_webauthn, seq FROM links WHERE id = $1;

-- name: complete_link
UPDATE links SET state = 'linked', linked_at = $2, label = $3 WHERE id = $1 AND state = 'signed';
