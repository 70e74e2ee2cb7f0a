-- name: erase_entries
UPDATE entries SET content = '', salt = x'', account_id = '', request_id = '', erased_at = $2 WHERE account_id = $1;

-- name: erase_receipts
DELETE FROM receipts WHERE request_id IN (SELECT id FROM requests WHERE account_id = $1);

-- name: erase_findings
DELETE FROM findings WHERE account_id = $1;

-- name: erase_requests
DELETE FROM requests WHERE account_id = $1;

-- name: erase_codes
DELETE FROM codes WHERE link_id IN (SELECT id FROM links WHERE account_id = $1);

-- name: erase_links
DELETE FROM links WHERE account_id = $1;

-- name: erase_device_codes
DELETE FROM device_codes WHERE account_id = $1;

-- name: erase_pairing_codes
DELETE FROM pairing_codes WHERE account_id = $1;

-- name: erase_pairings
DELETE FROM pairings WHERE account_id = $1;

-- name: erase_passkeys
DELETE FROM passkeys WHERE account_id = $1;

-- name: erase_gestures
DELETE FROM gestures WHERE session_id IN (SELECT id FROM sessions WHERE account_id = $1);

-- name: erase_sessions
DELETE FROM sessions WHERE account_id = $1;

-- name: erase_account
DELETE FROM accounts WHERE id = $1;

-- name: count_entries
SELECT count(*) AS entries FROM entries WHERE account_id = $1;
