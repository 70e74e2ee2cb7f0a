ALTER TABLE entries ADD COLUMN leaf INTEGER;
ALTER TABLE entries ADD COLUMN erased_at INTEGER;
CREATE UNIQUE INDEX leaves ON entries (leaf) WHERE leaf IS NOT NULL;
CREATE INDEX entries_without_leaf ON entries (seq) WHERE leaf IS NULL;

CREATE INDEX key_entries ON entries (seq) WHERE kind IN ('key_created', 'key_rotated');

CREATE TABLE tiles (
    level INTEGER NOT NULL,
    number INTEGER NOT NULL,
    hashes BLOB NOT NULL,
    PRIMARY KEY (level, number)
) STRICT;

CREATE TABLE log_head (
    id INTEGER PRIMARY KEY CHECK (id = 1),
    size INTEGER NOT NULL,
    root BLOB NOT NULL,
    note TEXT NOT NULL,
    at INTEGER NOT NULL
) STRICT;
INSERT INTO log_head (id, size, root, note, at) VALUES (1, 0, x'', '', 0)
