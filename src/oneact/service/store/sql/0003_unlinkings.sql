CREATE TABLE unlinkings (
    account      TEXT NOT NULL PRIMARY KEY,
    asked_at     INTEGER NOT NULL,
    told_at      INTEGER,
    notice_at    INTEGER NOT NULL,
    cancelled_at INTEGER
) WITHOUT ROWID;
