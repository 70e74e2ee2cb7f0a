-- name: inbox
SELECT r.id, r.batch_id, r.lines, r.created_at, r.expires_at, r.resource, l.label, p.name AS agent_name,
    s.name AS service_name
FROM requests r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource
WHERE r.account_id = $1 AND r.state = 'pending' AND r.expires_at > $2 AND l.state = 'linked'
ORDER BY r.created_at, r.id;

-- name: history
SELECT r.id, r.lines, r.state, r.created_at, r.decided_at, r.expires_at, r.approved_until, r.token_exp, r.resource,
    l.label, p.name AS agent_name, s.name AS service_name, k.status AS receipt_status, k.iat AS receipt_iat
FROM requests r JOIN links l ON l.id = r.link_id JOIN pairings p ON p.id = r.pairing_id
    JOIN services s ON s.resource = r.resource LEFT JOIN receipts k ON k.request_id = r.id
WHERE r.account_id = $1 AND (r.created_at, r.id) < ($2, $3) ORDER BY r.created_at DESC, r.id DESC LIMIT $4;
