ALTER TABLE accounts ADD COLUMN guest TEXT;
CREATE UNIQUE INDEX accounts_by_guest ON accounts (guest) WHERE guest IS NOT NULL
