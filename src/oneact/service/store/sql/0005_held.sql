CREATE TABLE held (
    id         TEXT NOT NULL PRIMARY KEY,
    session    TEXT NOT NULL,
    account    TEXT NOT NULL,
    same       TEXT NOT NULL,
    submission TEXT NOT NULL,
    question   TEXT NOT NULL,
    asked      TEXT NOT NULL DEFAULT '',
    page       TEXT NOT NULL DEFAULT '',
    state      TEXT NOT NULL DEFAULT 'held' CHECK (state IN ('held', 'done', 'denied', 'expired', 'refused')),
    said       TEXT NOT NULL DEFAULT '',
    headers    TEXT NOT NULL DEFAULT '[]',
    created    INTEGER NOT NULL,
    expires    INTEGER NOT NULL,
    until      INTEGER NOT NULL
) WITHOUT ROWID;

CREATE UNIQUE INDEX one_held ON held (session, account, same) WHERE state = 'held';

CREATE INDEX held_by_account ON held (account);

CREATE INDEX held_by_end ON held (until);
