-- name: insert_entry
INSERT INTO entries (at, kind, account_id, request_id, content, salt, commitment) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: entries_of_account
SELECT seq, at, kind, request_id, content FROM entries WHERE account_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3;

-- name: entries_of_request
SELECT seq, at, kind, account_id, content, salt, commitment FROM entries WHERE request_id = $1 ORDER BY seq;

-- name: first_key_entry
SELECT seq, at, content FROM entries WHERE kind = 'key_created' ORDER BY seq LIMIT 1;

-- name: last_key_entry
SELECT seq, at, content FROM entries WHERE kind IN ('key_created', 'key_rotated') ORDER BY seq DESC LIMIT 1;

-- name: key_entries
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries
WHERE kind IN ('key_created', 'key_rotated') ORDER BY seq;

-- name: entries_without_leaf
SELECT seq, commitment FROM entries WHERE leaf IS NULL ORDER BY seq LIMIT $1;

-- name: give_leaves
UPDATE entries SET leaf = $3 + ordered.rank - 1
FROM (SELECT seq, row_number() OVER (ORDER BY seq) AS rank FROM entries
    WHERE leaf IS NULL AND seq BETWEEN $1 AND $2) AS ordered
WHERE entries.seq = ordered.seq;

-- name: log_head
SELECT size, root, note, at FROM log_head WHERE id = 1;

-- name: move_log_head
UPDATE log_head SET size = $2, root = $3, note = $4, at = $5 WHERE id = 1 AND size = $1;

-- name: keep_tile
INSERT INTO tiles (level, number, hashes) VALUES ($1, $2, $3)
ON CONFLICT (level, number) DO UPDATE SET hashes = excluded.hashes;

-- name: tile
SELECT hashes FROM tiles WHERE level = $1 AND number = $2;

-- name: leaves
SELECT leaf, commitment FROM entries WHERE leaf >= $1 AND leaf < $2 ORDER BY leaf;

-- name: records_with_leaf
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries
WHERE leaf IS NOT NULL ORDER BY leaf;

-- name: records_without_leaf
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries
WHERE leaf IS NULL ORDER BY seq;

-- name: record
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries WHERE leaf = $1;

-- name: states
SELECT 'account' AS room, id, name AS value FROM accounts
UNION ALL
SELECT 'passkey', id, account_id || ' ' || CASE WHEN removed_at IS NULL THEN public_key ELSE 'removed' END FROM passkeys
UNION ALL
SELECT 'pairing', id, account_id || ' ' || client_id || ' ' || jkt || ' '
    || CASE WHEN removed_at IS NOT NULL THEN 'removed' WHEN blocked_at IS NOT NULL THEN 'blocked' ELSE 'paired' END
FROM pairings
UNION ALL
SELECT 'link', id, account_id || ' ' || state || ' ' || roster FROM links WHERE state <> 'signed'
UNION ALL
SELECT 'request', id, account_id || ' ' || state || ' ' || resource || ' ' || txn || ' ' || act_digest || ' '
    || display_digest FROM requests
UNION ALL
SELECT 'receipt', request_id, receipt FROM receipts
UNION ALL
SELECT 'finding', id, account_id || ' ' || kind || ' ' || resource || ' ' || txn FROM findings
UNION ALL
SELECT 'read', id, account_id || ' ' || state || ' ' || display_digest || ' ' || details FROM read_sessions;

-- name: records_of_request
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries
WHERE request_id = $1 AND kind NOT IN ('refused', 'notified') ORDER BY seq;

-- name: roster_entries_before
SELECT seq, leaf, at, kind, account_id, request_id, content, salt, commitment, erased_at FROM entries
WHERE account_id = $1 AND kind IN ('service_linked', 'roster_changed') AND seq < $2 ORDER BY seq DESC LIMIT 100;

-- name: request_of_evidence
SELECT r.*, k.receipt FROM requests r LEFT JOIN receipts k ON k.request_id = r.id WHERE r.id = $1;
