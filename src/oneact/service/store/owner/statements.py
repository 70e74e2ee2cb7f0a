"""The statements for the owner's database, the same for SQLite and PostgreSQL; `:name` is a value."""

from typing import Final

TABLE: Final = """
CREATE TABLE IF NOT EXISTS oneact_spends (
    aud         TEXT NOT NULL,
    iss         TEXT NOT NULL,
    txn         TEXT NOT NULL,
    run         TEXT NOT NULL,
    jti         TEXT NOT NULL,
    sub         TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    jkt         TEXT NOT NULL,
    act_digest  TEXT NOT NULL,
    account     TEXT NOT NULL,
    action      TEXT NOT NULL,
    spent_at    BIGINT NOT NULL,
    deadline_at BIGINT NOT NULL,
    token       TEXT,
    recorded    SMALLINT NOT NULL,
    PRIMARY KEY (aud, iss, txn)
)
"""
INDEX: Final = "CREATE INDEX IF NOT EXISTS oneact_spends_by_deadline ON oneact_spends (aud, recorded, deadline_at)"
SPENDS_SQL: Final = f"{TABLE.strip()};\n{INDEX};\n"
COLUMNS: Final = (
    "aud", "iss", "txn", "run", "jti", "sub", "client_id", "jkt", "act_digest", "account", "action", "spent_at",
    "deadline_at", "token",
)  # fmt: skip
WRITE: Final = """
INSERT INTO oneact_spends (
    aud, iss, txn, run, jti, sub, client_id, jkt, act_digest, account, action, spent_at, deadline_at, token, recorded
) VALUES (
    :aud, :iss, :txn, :run, :jti, :sub, :client_id, :jkt, :act_digest, :account, :action, :spent_at, :deadline_at,
    :token, 0
) ON CONFLICT (aud, iss, txn) DO NOTHING
"""
_SELECT: Final = """
SELECT aud, iss, txn, run, jti, sub, client_id, jkt, act_digest, account, action, spent_at, deadline_at, token
FROM oneact_spends
"""
FIND: Final = f"{_SELECT}WHERE aud = :aud AND iss = :iss AND txn = :txn"
UNRECORDED: Final = f"""{_SELECT}WHERE aud = :aud AND recorded = 0 AND deadline_at < :before
ORDER BY deadline_at LIMIT 200"""
RECORDED: Final = """
UPDATE oneact_spends SET recorded = 1, token = NULL WHERE aud = :aud AND iss = :iss AND txn = :txn
"""
FORGET: Final = "DELETE FROM oneact_spends WHERE aud = :aud AND recorded = 1 AND spent_at < :before"
BE_IMPATIENT: Final = "SET LOCAL lock_timeout = '1000ms'"  # PostgreSQL waits for ever otherwise
