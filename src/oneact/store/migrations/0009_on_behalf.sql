-- The service in whose place a client asks, for programs without a key; such a row has no key of its own.
ALTER TABLE clients ADD COLUMN on_behalf_of TEXT
