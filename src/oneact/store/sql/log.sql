-- name: insert_entry
INSERT INTO entries (at, kind, account_id, request_id, content, salt, commitment) VALUES ($1, $2, $3, $4, $5, $6, $7);

-- name: entries_of_account
SELECT seq, at, kind, request_id, content FROM entries WHERE account_id = $1 AND seq < $2 ORDER BY seq DESC LIMIT $3;

-- name: entries_of_request
SELECT seq, at, kind, account_id, content, salt, commitment FROM entries WHERE request_id = $1 ORDER BY seq;
