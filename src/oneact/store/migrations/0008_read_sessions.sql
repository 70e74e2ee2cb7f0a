-- Sessions in which an agent may read, opened by a passkey. That their time is over is told by the clock alone.
CREATE TABLE read_sessions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    pairing_id TEXT NOT NULL REFERENCES pairings (id),
    client_id TEXT NOT NULL,
    jkt TEXT NOT NULL,
    link_id TEXT NOT NULL REFERENCES links (id),
    resource TEXT NOT NULL,
    sub TEXT NOT NULL,
    details TEXT NOT NULL,
    lines TEXT NOT NULL,
    display_digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'opened', 'denied', 'ended')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    shown_at INTEGER,
    decided_at INTEGER,
    message TEXT,
    approvals TEXT,
    signer TEXT,
    until INTEGER,
    token TEXT,
    token_exp INTEGER
) STRICT;
CREATE INDEX read_sessions_of_account ON read_sessions (account_id, created_at);
CREATE INDEX read_sessions_of_pairing ON read_sessions (pairing_id, expires_at)
