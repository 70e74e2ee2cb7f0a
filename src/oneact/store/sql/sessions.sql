-- name: insert_session
INSERT INTO sessions (id, account_id, auth_time, created_at, expires_at)
SELECT $1, $2, $3, $3, $4
WHERE EXISTS (SELECT 1 FROM passkeys k WHERE k.id = $5 AND k.account_id = $2 AND k.removed_at IS NULL);

-- name: session
SELECT s.id, s.account_id, a.name FROM sessions s JOIN accounts a ON a.id = s.account_id
WHERE s.id = $1 AND s.expires_at > $2;

-- name: end_session
DELETE FROM sessions WHERE id = $1;

-- name: end_other_sessions
DELETE FROM sessions WHERE account_id = $1 AND id <> $2;

-- name: end_sessions
DELETE FROM sessions WHERE expires_at <= $1;

-- name: insert_gesture
INSERT INTO gestures (id, kind, session_id, challenge, value, expires_at) VALUES ($1, $2, $3, $4, $5, $6);

-- name: gesture
SELECT id, challenge, value FROM gestures WHERE id = $1 AND kind = $2 AND session_id = $3 AND expires_at > $4;

-- name: use_gesture
DELETE FROM gestures WHERE id = $1 AND kind = $2 AND session_id = $3 AND expires_at > $4;

-- name: end_gestures
DELETE FROM gestures WHERE expires_at <= $1;

-- name: insert_guest_session
INSERT INTO guest_sessions (id, guest, label, auth_time, pinned, ticket, jti, expires_at)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT DO NOTHING;

-- name: guest_session
SELECT guest, label, auth_time, pinned, ticket FROM guest_sessions WHERE id = $1 AND expires_at > $2;

-- name: pinned_for_guest
UPDATE guest_sessions SET pinned = $2 WHERE guest = $1;

-- name: end_guest_session
DELETE FROM guest_sessions WHERE id = $1;

-- name: end_guest_sessions
DELETE FROM guest_sessions WHERE expires_at <= $1;
