-- name: acts_without_word
SELECT r.id, r.account_id, r.resource, r.txn FROM requests r
WHERE r.state = 'issued' AND r.token_exp > $1 AND r.token_exp <= $2
    AND NOT EXISTS (SELECT 1 FROM receipts k WHERE k.request_id = r.id);

-- name: acts_of_unknown_outcome
SELECT r.id, r.account_id, r.resource, r.txn FROM receipts k JOIN requests r ON r.id = k.request_id
WHERE k.status = 'unknown' AND k.received_at > $1 AND k.received_at <= $2;

-- name: insert_finding
INSERT INTO findings (id, kind, account_id, request_id, resource, txn, detail, found_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING;

-- name: findings_untold
SELECT id, kind, request_id, resource, txn, detail, found_at FROM findings WHERE told_at IS NULL
ORDER BY found_at, id LIMIT 100;

-- name: finding_told
UPDATE findings SET told_at = $2 WHERE id = $1 AND told_at IS NULL;

-- name: findings_of_account
SELECT f.kind, f.request_id, f.resource, f.txn, f.found_at, k.status AS receipt_status
FROM findings f LEFT JOIN receipts k ON k.request_id = f.request_id
WHERE f.account_id = $1 ORDER BY f.found_at DESC, f.id LIMIT 50;

-- name: findings
SELECT f.kind, f.account_id, f.request_id, f.resource, f.txn, f.detail, f.found_at, f.told_at,
    k.status AS receipt_status
FROM findings f LEFT JOIN receipts k ON k.request_id = f.request_id ORDER BY f.found_at DESC, f.id;

-- name: link_of_subject
SELECT account_id FROM links WHERE resource = $1 AND sub = $2 AND state <> 'signed' ORDER BY created_at DESC LIMIT 1;

-- name: sent_checkpoint
SELECT size, at FROM sent_checkpoints WHERE address = $1;

-- name: keep_sent_checkpoint
INSERT INTO sent_checkpoints (address, size, at) VALUES ($1, $2, $3)
ON CONFLICT (address) DO UPDATE SET size = excluded.size, at = excluded.at;
