"""The statements of the service's store; `?n` is the n-th parameter."""

from typing import Final

SPEND: Final = """
INSERT INTO spends (aud, iss, txn, jti, sub, client_id, jkt, act_digest, account, action, spent_at, deadline_at, state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, 'spent')
ON CONFLICT (aud, iss, txn) DO NOTHING
"""
FIND_SPEND: Final = "SELECT * FROM spends WHERE aud = ?1 AND iss = ?2 AND txn = ?3"
FINISH: Final = """
UPDATE spends
SET state = ?4, finished_at = ?5, receipt = ?6, status = ?7, content_type = ?8, body = ?9, salt = ?10
WHERE aud = ?1 AND iss = ?2 AND txn = ?3
  AND (state = 'spent' OR (state = 'unknown' AND ?4 IN ('executed', 'failed')))
  AND ?4 IN ('executed', 'failed', 'unknown')
"""
OVERDUE: Final = "SELECT * FROM spends WHERE state = 'spent' AND deadline_at < ?1 ORDER BY deadline_at LIMIT 200"
FORGET_SPENDS: Final = """
DELETE FROM spends
WHERE spent_at < ?1 AND state <> 'spent'
  AND NOT EXISTS (SELECT 1 FROM outbox WHERE outbox.iss = spends.iss AND outbox.txn = spends.txn)
"""
ACCOUNT: Final = """
SELECT account, iss, sub, roster FROM links
WHERE account = (SELECT account FROM links WHERE iss = ?1 AND sub = ?2)
ORDER BY iss, sub
"""
LINKS: Final = "SELECT account, roster, linked_at FROM links WHERE account = ?1 ORDER BY iss, sub"
ISSUER_IS_LINKED: Final = "SELECT 1 FROM links WHERE iss = ?1 LIMIT 1"
FIND_LINK: Final = "SELECT account, roster, linked_at FROM links WHERE iss = ?1 AND sub = ?2"
LINK: Final = """
INSERT INTO links (iss, sub, account, roster, seq, linked_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6
WHERE NOT EXISTS (SELECT 1 FROM links WHERE account = ?3)
ON CONFLICT (iss, sub) DO NOTHING
"""
UNLINK: Final = "DELETE FROM links WHERE account = ?1 AND iss = ?2 RETURNING roster"
PIN: Final = "UPDATE links SET roster = ?3, seq = ?4 WHERE iss = ?1 AND sub = ?2 AND seq < ?4 RETURNING account"
KEEP_STATE: Final = """
INSERT INTO link_states (state, session, account, label, issuer, nonce, verifier, expires)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)
"""
FORGET_STATES: Final = "DELETE FROM link_states WHERE expires < ?1 - 600"
TAKE_STATE: Final = "DELETE FROM link_states WHERE state = ?1 RETURNING *"
PUT_IN_OUTBOX: Final = """
INSERT INTO outbox (iss, txn, receipt, due) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (iss, txn) DO UPDATE SET receipt = excluded.receipt, due = excluded.due, attempts = 0
"""
CLAIM_DELIVERIES: Final = """
UPDATE outbox SET due = ?2
WHERE id IN (SELECT id FROM outbox WHERE due <= ?1 ORDER BY due LIMIT 32)
RETURNING id, iss, receipt, attempts
"""
COUNT_DELIVERIES: Final = "SELECT count(*) FROM outbox"
DELIVERED: Final = "DELETE FROM outbox WHERE id = ?1 AND receipt = ?2"
POSTPONE: Final = "UPDATE outbox SET due = ?3, attempts = attempts + 1 WHERE id = ?1 AND receipt = ?2"
KEEP_ACTION: Final = """
INSERT INTO actions (digest, document, seen_at) VALUES (?1, ?2, ?3)
ON CONFLICT (digest) DO UPDATE SET seen_at = excluded.seen_at
"""
FIND_ACTION: Final = "SELECT document FROM actions WHERE digest = ?1"
JOURNAL_TIP: Final = "SELECT seq, hash FROM journal ORDER BY seq DESC LIMIT 1"
APPEND: Final = "INSERT INTO journal (seq, at, kind, content, content_digest, hash) VALUES (?1, ?2, ?3, ?4, ?5, ?6)"
JOURNAL: Final = """
SELECT seq, at, kind, content, content_digest, hash FROM journal WHERE seq > ?1 ORDER BY seq LIMIT ?2
"""
ALL_LINKS: Final = "SELECT * FROM links ORDER BY linked_at, iss, sub"
ALL_SPENDS: Final = "SELECT * FROM spends ORDER BY spent_at, aud, iss, txn"
