CREATE TABLE candidates (
    iss     TEXT NOT NULL,
    sub     TEXT NOT NULL,
    account TEXT NOT NULL,
    code    TEXT NOT NULL,
    roster  TEXT NOT NULL,
    proof   TEXT NOT NULL,
    expires INTEGER NOT NULL,
    PRIMARY KEY (iss, sub)
) WITHOUT ROWID;
