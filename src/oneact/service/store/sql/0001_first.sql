CREATE TABLE links (
    iss       TEXT NOT NULL,
    sub       TEXT NOT NULL,
    account   TEXT NOT NULL,
    roster    TEXT NOT NULL,
    seq       INTEGER NOT NULL,
    linked_at INTEGER NOT NULL,
    PRIMARY KEY (iss, sub)
) WITHOUT ROWID;

CREATE INDEX links_by_account ON links (account);

CREATE TABLE link_states (
    state   TEXT NOT NULL PRIMARY KEY,
    session TEXT NOT NULL,
    account TEXT NOT NULL,
    label   TEXT NOT NULL,
    issuer  TEXT NOT NULL,
    nonce   TEXT NOT NULL,
    verifier TEXT NOT NULL,
    expires INTEGER NOT NULL
) WITHOUT ROWID;

CREATE TABLE spends (
    aud         TEXT NOT NULL,
    iss         TEXT NOT NULL,
    txn         TEXT NOT NULL,
    jti         TEXT NOT NULL,
    sub         TEXT NOT NULL,
    client_id   TEXT NOT NULL,
    jkt         TEXT NOT NULL,
    act_digest  TEXT NOT NULL,
    account     TEXT NOT NULL,
    action      TEXT NOT NULL,
    spent_at    INTEGER NOT NULL,
    deadline_at INTEGER NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('spent', 'executed', 'failed', 'unknown')),
    finished_at INTEGER,
    receipt     TEXT,
    status      INTEGER,
    content_type TEXT,
    body        BLOB,
    salt        BLOB,
    PRIMARY KEY (aud, iss, txn)
);

CREATE INDEX spends_running ON spends (deadline_at) WHERE state = 'spent';

CREATE INDEX spends_by_age ON spends (spent_at);

CREATE TABLE outbox (
    id       INTEGER PRIMARY KEY,
    iss      TEXT NOT NULL,
    txn      TEXT NOT NULL,
    receipt  TEXT NOT NULL,
    due      INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0,
    UNIQUE (iss, txn)
);

CREATE INDEX outbox_by_due ON outbox (due);

CREATE TABLE actions (
    digest   TEXT NOT NULL PRIMARY KEY,
    document TEXT NOT NULL,
    seen_at  INTEGER NOT NULL
) WITHOUT ROWID;
