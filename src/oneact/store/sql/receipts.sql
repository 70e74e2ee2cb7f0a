-- name: request_of_receipt
SELECT id, account_id, state, token_jti, act_digest FROM requests WHERE resource = $1 AND txn = $2 AND sub = $3;

-- name: receipt
SELECT receipt, status, iat, received_at FROM receipts WHERE request_id = $1;

-- name: keep_receipt
INSERT INTO receipts (request_id, receipt, status, iat, received_at) VALUES ($1, $2, $3, $4, $5)
ON CONFLICT (request_id) DO UPDATE
SET receipt = excluded.receipt, status = excluded.status, iat = excluded.iat, received_at = excluded.received_at
WHERE receipts.status = 'unknown' AND excluded.status <> 'unknown';
