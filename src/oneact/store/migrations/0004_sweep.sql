ALTER TABLE clients ADD COLUMN paired_at INTEGER;
UPDATE clients SET paired_at = (SELECT min(created_at) FROM pairings WHERE client_id = clients.id);
CREATE INDEX unpaired_clients ON clients (registered_at) WHERE paired_at IS NULL;
CREATE INDEX device_codes_by_end ON device_codes (expires_at);
CREATE INDEX device_codes_of_client ON device_codes (client_id);
CREATE INDEX pairing_codes_by_end ON pairing_codes (expires_at);
CREATE INDEX pushed_requests_by_end ON pushed_requests (expires_at);
CREATE INDEX codes_by_end ON codes (expires_at);
CREATE INDEX sessions_by_end ON sessions (expires_at);
CREATE INDEX gestures_by_end ON gestures (expires_at);
CREATE INDEX pairings_of_client ON pairings (client_id);
CREATE INDEX pending_of_pairing ON requests (pairing_id, expires_at) WHERE state = 'pending'
