CREATE TABLE journal (
    seq            INTEGER NOT NULL PRIMARY KEY,
    at             INTEGER NOT NULL,
    kind           TEXT NOT NULL,
    content        TEXT,
    content_digest TEXT NOT NULL,
    hash           TEXT NOT NULL
);
