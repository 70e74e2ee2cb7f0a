-- name: insert_account
INSERT INTO accounts (id, name, created_at) VALUES ($1, $2, $3);

-- name: insert_passkey
INSERT INTO passkeys (id, account_id, public_key, alg, name, sign_count, created_at)
VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: passkeys_of_account
SELECT id, public_key, alg, name, created_at, used_at FROM passkeys
WHERE account_id = $1 AND removed_at IS NULL ORDER BY created_at, id;

-- name: passkey
SELECT p.id, p.account_id, p.public_key, p.alg, a.name AS account_name
FROM passkeys p JOIN accounts a ON a.id = p.account_id WHERE p.id = $1 AND p.removed_at IS NULL;

-- name: use_passkey
UPDATE passkeys SET used_at = $2, sign_count = $3 WHERE id = $1 AND removed_at IS NULL;

-- name: passkey_stands
UPDATE passkeys SET used_at = used_at WHERE id = $1 AND account_id = $2 AND removed_at IS NULL;

-- name: remove_passkey
UPDATE passkeys SET removed_at = $3 WHERE id = $1 AND account_id = $2 AND removed_at IS NULL
    AND (SELECT count(*) FROM passkeys WHERE account_id = $2 AND removed_at IS NULL) > 1;

-- name: account_of_guest
SELECT id, name FROM accounts WHERE guest = $1;

-- name: insert_account_of_guest
INSERT INTO accounts (id, name, created_at, guest) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING;

-- name: let_guest_go
UPDATE accounts SET guest = NULL WHERE guest = $1 AND id = $2;
