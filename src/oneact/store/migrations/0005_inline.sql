-- Whether a token carries the parameters; of requests from before, the digest, which every service takes.
ALTER TABLE requests ADD COLUMN inline INTEGER NOT NULL DEFAULT 0
