-- One act may be asked for several times in one batch; `twin` tells such requests apart.
ALTER TABLE requests ADD COLUMN twin INTEGER NOT NULL DEFAULT 0;
DROP INDEX one_pending_request;
CREATE UNIQUE INDEX one_pending_request
    ON requests (client_id, jkt, account_id, resource, act_digest, idempotency_key, twin) WHERE state = 'pending'
