CREATE TABLE accounts (
    id TEXT PRIMARY KEY,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL
) STRICT;

CREATE TABLE passkeys (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    public_key TEXT NOT NULL,
    alg TEXT NOT NULL,
    name TEXT NOT NULL,
    sign_count INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at INTEGER,
    removed_at INTEGER
) STRICT;
CREATE INDEX passkeys_of_account ON passkeys (account_id);

CREATE TABLE sessions (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    auth_time INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE gestures (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL,
    session_id TEXT NOT NULL,
    challenge BLOB NOT NULL,
    value TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE clients (
    id TEXT PRIMARY KEY,
    jkt TEXT NOT NULL UNIQUE,
    public_jwk TEXT NOT NULL,
    name TEXT NOT NULL,
    metadata TEXT NOT NULL,
    registered_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pairings (
    id TEXT PRIMARY KEY,
    hint TEXT NOT NULL UNIQUE,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    client_id TEXT NOT NULL REFERENCES clients (id),
    jkt TEXT NOT NULL,
    name TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    seen_at INTEGER,
    blocked_at INTEGER,
    removed_at INTEGER
) STRICT;
CREATE INDEX pairings_of_account ON pairings (account_id);

CREATE TABLE device_codes (
    id TEXT PRIMARY KEY,
    user_code TEXT NOT NULL UNIQUE,
    client_id TEXT NOT NULL REFERENCES clients (id),
    agent_name TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('pending', 'confirmed', 'denied', 'claimed')),
    account_id TEXT REFERENCES accounts (id),
    pairing_id TEXT REFERENCES pairings (id),
    polled_at INTEGER NOT NULL,
    poll_interval INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE pairing_codes (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE services (
    resource TEXT PRIMARY KEY,
    client_id TEXT NOT NULL UNIQUE,
    name TEXT NOT NULL,
    client_metadata TEXT NOT NULL,
    first_seen INTEGER NOT NULL
) STRICT;

CREATE TABLE pushed_requests (
    id TEXT PRIMARY KEY,
    client_id TEXT NOT NULL,
    client_assertion TEXT NOT NULL,
    parameters TEXT NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE links (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    resource TEXT NOT NULL REFERENCES services (resource),
    sub TEXT NOT NULL,
    label TEXT NOT NULL,
    state TEXT NOT NULL CHECK (state IN ('signed', 'linked', 'unlinked')),
    roster TEXT NOT NULL,
    roster_webauthn TEXT NOT NULL,
    seq INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    linked_at INTEGER,
    unlinked_at INTEGER
) STRICT;
CREATE UNIQUE INDEX one_link ON links (account_id, resource) WHERE state = 'linked';

CREATE TABLE codes (
    id TEXT PRIMARY KEY,
    link_id TEXT NOT NULL REFERENCES links (id),
    client_id TEXT NOT NULL,
    redirect_uri TEXT NOT NULL,
    code_challenge TEXT NOT NULL,
    nonce TEXT NOT NULL,
    auth_time INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT;

CREATE TABLE requests (
    id TEXT PRIMARY KEY,
    account_id TEXT NOT NULL REFERENCES accounts (id),
    pairing_id TEXT NOT NULL REFERENCES pairings (id),
    client_id TEXT NOT NULL,
    jkt TEXT NOT NULL,
    link_id TEXT NOT NULL REFERENCES links (id),
    resource TEXT NOT NULL,
    sub TEXT NOT NULL,
    batch_id TEXT,
    idempotency_key TEXT NOT NULL,
    offer TEXT NOT NULL,
    offer_exp INTEGER NOT NULL,
    txn TEXT NOT NULL,
    act TEXT NOT NULL,
    act_digest TEXT NOT NULL,
    action TEXT NOT NULL,
    lines TEXT NOT NULL,
    display_digest TEXT NOT NULL,
    reason TEXT NOT NULL,
    ping_token TEXT,
    state TEXT NOT NULL CHECK (state IN ('pending', 'approved', 'issued', 'denied', 'expired', 'cancelled')),
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    polled_at INTEGER NOT NULL,
    shown_at INTEGER,
    decided_at INTEGER,
    message TEXT,
    approvals TEXT,
    approved_until INTEGER,
    auth_time INTEGER,
    token TEXT,
    token_jti TEXT,
    token_exp INTEGER,
    ended TEXT,
    UNIQUE (account_id, resource, txn)
) STRICT;
CREATE UNIQUE INDEX one_pending_request ON requests (client_id, jkt, account_id, resource, act_digest, idempotency_key)
    WHERE state = 'pending';
CREATE INDEX requests_of_account ON requests (account_id, created_at);
CREATE INDEX open_requests ON requests (expires_at) WHERE state IN ('pending', 'approved');

CREATE TABLE receipts (
    request_id TEXT PRIMARY KEY REFERENCES requests (id),
    receipt TEXT NOT NULL,
    status TEXT NOT NULL CHECK (status IN ('executed', 'failed', 'unknown')),
    iat INTEGER NOT NULL,
    received_at INTEGER NOT NULL
) STRICT;

CREATE TABLE entries (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    at INTEGER NOT NULL,
    kind TEXT NOT NULL,
    account_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    content TEXT NOT NULL,
    salt BLOB NOT NULL,
    commitment TEXT NOT NULL
) STRICT;
CREATE INDEX entries_of_account ON entries (account_id, seq);
CREATE INDEX entries_of_request ON entries (request_id)
