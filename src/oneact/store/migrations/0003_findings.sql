CREATE TABLE findings (
    id TEXT PRIMARY KEY,
    kind TEXT NOT NULL CHECK (kind IN ('no_word', 'unknown', 'not_approved', 'two_receipts')),
    account_id TEXT NOT NULL,
    request_id TEXT NOT NULL,
    resource TEXT NOT NULL,
    txn TEXT NOT NULL,
    detail TEXT NOT NULL,
    found_at INTEGER NOT NULL,
    told_at INTEGER,
    UNIQUE (kind, resource, txn, detail)
) STRICT;
CREATE INDEX findings_of_account ON findings (account_id, found_at);
CREATE INDEX findings_untold ON findings (found_at) WHERE told_at IS NULL;
CREATE INDEX issued_requests ON requests (token_exp) WHERE state = 'issued';
CREATE INDEX unknown_receipts ON receipts (received_at) WHERE status = 'unknown';

CREATE TABLE sent_checkpoints (
    address TEXT PRIMARY KEY,
    size INTEGER NOT NULL,
    at INTEGER NOT NULL
) STRICT
