ALTER TABLE accounts ADD COLUMN guest TEXT;
CREATE UNIQUE INDEX accounts_by_guest ON accounts (guest) WHERE guest IS NOT NULL;

CREATE TABLE guest_sessions (
    id TEXT PRIMARY KEY,
    guest TEXT NOT NULL,
    label TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    pinned TEXT,
    ticket TEXT NOT NULL,
    jti TEXT NOT NULL UNIQUE,
    expires_at INTEGER NOT NULL
) STRICT;
CREATE INDEX sessions_of_guest ON guest_sessions (guest)
