-- name: insert_device_code
INSERT INTO device_codes (id, user_code, client_id, agent_name, state, account_id, poll_interval, polled_at, expires_at)
VALUES ($1, $2, $3, $4, 'pending', $5, $6, 0, $7);

-- name: device_code
SELECT d.id, d.client_id, d.agent_name, d.state, d.account_id, d.expires_at, c.jkt, c.name AS client_name,
    c.registered_at, p.hint
FROM device_codes d JOIN clients c ON c.id = d.client_id LEFT JOIN pairings p ON p.id = d.pairing_id
WHERE d.id = $1;

-- name: device_code_by_user_code
SELECT d.id, d.client_id, d.agent_name, c.jkt, c.name AS client_name, c.registered_at
FROM device_codes d JOIN clients c ON c.id = d.client_id
WHERE d.user_code = $1 AND d.expires_at > $2 AND d.state = 'pending' AND (d.account_id IS NULL OR d.account_id = $3);

-- name: device_codes_for_account
SELECT d.id, d.client_id, d.agent_name, c.jkt, c.name AS client_name, c.registered_at
FROM device_codes d JOIN clients c ON c.id = d.client_id
WHERE d.account_id = $1 AND d.expires_at > $2 AND d.state = 'pending';

-- name: confirm_device_code
UPDATE device_codes SET state = 'confirmed', account_id = $2, pairing_id = $3
WHERE id = $1 AND state = 'pending' AND expires_at > $4 AND (account_id IS NULL OR account_id = $2);

-- name: deny_device_code
UPDATE device_codes SET state = 'denied', account_id = $2
WHERE id = $1 AND state = 'pending' AND (account_id IS NULL OR account_id = $2);

-- name: insert_pairing_code
INSERT INTO pairing_codes (id, account_id, expires_at) VALUES ($1, $2, $3);

-- name: pairing_code
SELECT account_id FROM pairing_codes WHERE id = $1 AND expires_at > $2;

-- name: use_pairing_code
DELETE FROM pairing_codes WHERE id = $1 AND expires_at > $2;

-- name: end_device_codes
DELETE FROM device_codes WHERE expires_at <= $1;

-- name: end_pairing_codes
DELETE FROM pairing_codes WHERE expires_at <= $1;

-- name: insert_pairing
INSERT INTO pairings (id, hint, account_id, client_id, jkt, name, created_at) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: pairing_by_hint
SELECT id, account_id, client_id, jkt, name, created_at, blocked_at, removed_at FROM pairings WHERE hint = $1;
