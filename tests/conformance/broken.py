"""One fault for each row of the run: the one check that the row is about is left out, or answered otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from oneact.errors import Refusal
from oneact.protocol import receipt, token
from oneact.service import LocalAccount
from oneact.testing import new_key
from tests.conformance.breaking import Fault, all_of, edit, header, members, put, refusals, skip, status, told, wrap

CHECKS = "service.checks"
PARSE, VERIFY = "protocol.jws:parse", "protocol.jws:verify"
PROOF = "protocol.dpop:check_parsed"
DETAILS = "protocol.act:parse_details"
SAID = "protocol.approval:parse"
CLIENT_DATA = "protocol.passkey:_check_client_data"
AUTHENTICATOR = "protocol.passkey:_check_authenticator_data"
STORE = "service.store.sqlite:SqliteStore"

ANY_TYP = skip(PARSE, "header.typ != typ")
ANY_ALG = skip(PARSE, "header.alg not in jwk.ALGORITHMS")
OTHER_ALG = skip(VERIFY, "jws.header.alg != key.alg")
ANY_SIGNATURE = skip(VERIFY, "not key.verify(jws.signature, jws.signing_input)")
ES256_ALONE = put("protocol.jwk:ALGORITHMS", ("ES256",))
ANY_KID = edit("protocol.jws:verify_with", "if key is None:", "key = key or next(iter(keys.values()))\n    if False:")
ANY_HTU = skip(PROOF, 'claims["htu"] != htu')
ANY_ATH = skip(PROOF, 'token is not None and claims.get("ath") != canonical.sha256(token.encode("ascii"))')
ANY_IAT = skip(PROOF, "nonces is None and not now - MAX_AGE <= proof.iat <= now + LEEWAY")
ANY_ACT = all_of(
    skip(CHECKS, "not requested.names_the_same(claimed)"),
    edit(CHECKS, "return requested", "return claimed"),
)
ANY_AUDIENCE = skip(CHECKS, "found.aud != trust.resource")
ANY_TXN = skip(
    "protocol.terms:check",
    "not any(hmac.compare_digest(mac, _mac(key, head, issuer, act_digest, named)) for key in keys)",
)
ANY_ITEM = skip(CHECKS, "item not in statement.acts")
ANY_TIME = skip(CHECKS, "not statement.iat <= found.iat < found.exp <= statement.exp")
ANY_LIFETIME = skip(CHECKS, "statement.exp - statement.iat > limit")
ANY_COUNT = edit(SAID, 'acts = form.texts(members["acts"], reason, MAX_ACTS)', 'acts = tuple(members["acts"])')
ANY_PASSKEY = skip(
    "protocol.passkey:verify",
    "assertion.credential_id != credential.id or not _verifies(key, credential.alg, assertion.signature, signed)",
)
ANY_MEMBER = skip("protocol.canonical:members", "len(found) != len(pairs)")
ANY_FRACTION = edit(
    "protocol.canonical:_no_float", 'raise Refusal(Reason.JSON_NUMBER, "not an integer")', "return int(float(_))"
)
ANY_TYPE_OF_PARAMETERS = edit("service.guarded:by_schema", "fitting.validate(root, filled)", "pass")
ANY_CHALLENGE = skip(CLIENT_DATA, 'members.get("challenge") != challenge')
ANY_ORIGIN = skip(CLIENT_DATA, "not isinstance(said, str) or said not in origins")
ANY_FRAME = skip(CLIENT_DATA, 'members.get("crossOrigin", False) is not False or "topOrigin" in members')
NONCES = all_of(edit(CHECKS, "nonces=trust.nonces", 'nonces=("n-1",)'), header("proof_nonce", "dpop-nonce", "n-1"))
HANDED = header("passkey_not_pinned", "dpop-nonce", "n-1")
NOT_SUBSET = skip("protocol.roster:_check_removes", "not set(later.credentials) < set(pinned.credentials)")
ANY_PARTIES = skip("protocol.id_token:check", 'claims["iss"] != issuer or claims["aud"] != client_id')
CALLBACK = "service.linking:callback"
SEQ = "later.seq <= pinned.seq"


def _forgetful(store: Any) -> Any:
    """Make a store that knows of no spend, and takes every one."""
    store.find_spend, store.spend = _nothing, _yes
    return store


def _forgiving(store: Any) -> Any:
    """Make a store that takes any state for the last one kept, however often."""
    keep, kept = store.keep_state, []

    async def keep_state(self: Any, state: Any) -> None:
        kept[:] = [state]
        await keep(self, state)

    async def take_state(*_: Any) -> Any:
        return kept[0]

    store.keep_state, store.take_state = keep_state, take_state
    return store


def _anybody(signed_in: Any) -> Any:
    """Take whoever is not signed in for somebody all the same."""

    async def lenient(self: Any, request: Any) -> Any:
        return await signed_in(self, request) or LocalAccount("eve", "Eve", self.now())

    return lenient


def _generous(account: Any) -> Any:
    """Take whoever is not linked for whoever was asked for before."""
    kept: list[Any] = []

    async def lenient(self: Any, iss: str, sub: str) -> Any:
        found = await account(self, iss, sub)
        kept[:] = [found or kept[0]]
        return kept[0]

    return lenient


def _wasteful(perform: Any) -> Any:
    """Count an approval as used once it was refused."""
    refused: set[str] = set()

    async def wasteful(self: Any, guarded: Any, given: Any, request: Any) -> Any:
        text = (request.value("authorization") or "").partition(" ")[2]
        try:
            txn = token.parse(text)[0].txn
        except Refusal:
            txn = ""
        if txn in refused:
            request = replace(request, headers=tuple(item for item in request.headers if item[0] != "dpop"))
        answer = await perform(self, guarded, given, request)
        if txn and answer.status == 401:
            refused.add(txn)
        return answer

    return wasteful


async def _yes(*_: Any) -> bool:
    return True


async def _nothing(*_: Any) -> None:
    return None


async def _none_due(_: Any) -> int:
    return 0


def _as_text(path: str, answer: Any) -> Any:
    status_, headers_, body = answer
    return (status_, {**headers_, "content-type": "text/plain"}, body) if path.startswith("/.well-known/") else answer


def _other_receipt(path: str, answer: Any) -> Any:
    return (*answer[:2], b'{"receipt":"x"}') if path.startswith("/oneact/receipts/") else answer


def _by_nobodys_key(sign: Any) -> Any:
    return lambda made, _: sign(made, new_key())


def _of_another_place(sign: Any) -> Any:
    def changed(made: Any, key: Any) -> Any:
        parameters = {**made.act.parameters, "from": "LAX"}
        return sign(replace(made, act=made.act._replace(parameters=parameters)), key)

    return changed


def _reworded(reason: str) -> Fault:
    return refusals(reason, reason="internal")


FAULTS: dict[str, Fault] = {
    "doc.1": told(_as_text),
    "doc.2": members("/oneact/client.json", oneact_roster_uri="http://other.example/roster"),
    "doc.3": edit("protocol.jwk:PublicKey.public_jwk", "self.kid or self.thumbprint", '"key-1"'),
    "doc.4": status("/oneact/actions/", 404, of=200),
    "doc.5": status("/oneact/actions/", 200, of=404),
    "link.1": edit("service.linking:_push", '"code_challenge_method": "S256"', '"code_challenge_method": "plain"'),
    "link.2": edit("service.linking:_exchange", '"account_label": kept.label', '"account_label": ""'),
    "link.3": wrap("service.guard:GuardCore.signed_in", _anybody),
    "offer.1": header("approval_required", "cache-control", None),
    "offer.2": header("approval_required", "www-authenticate", 'DPoP error="insufficient_authorization"'),
    "offer.3": wrap("protocol.offer:sign", _by_nobodys_key),
    "offer.4": wrap("protocol.offer:sign", _of_another_place),
    "offer.5": edit("protocol.terms:mint", 'exp.to_bytes(8, "big")', '(exp + 1).to_bytes(8, "big")'),
    "offer.6": lambda ground: put("service.performing:asked_issuer", lambda _: ground.issuer)(ground),
    "offer.7": lambda ground: put("service.performing:asked_issuer", lambda _: ground.issuer)(ground),
    "offer.8": edit("service.offers:asked_issuer", "_ACCEPT.fullmatch(values[0].strip())", '_ACCEPT.fullmatch(values[0].strip().replace("?0", "?1"))'),
    "offer.9": put("service.issuers:Issuers.accepts", _yes),
    "offer.10": edit("service.offers:asked_issuer", "issuer[1:-1] if", 'issuer[1:-1].rstrip("/") if'),
    "offer.11": edit("service.offers:asked_issuer", "if len(values) == 1", "if values"),
    "offer.12": put("protocol.display:MAX_OCTETS", 1 << 20),
    "request.1": _reworded("json_malformed"),
    "request.2": ANY_FRACTION,
    "request.3": ANY_FRACTION,
    "request.4": put("protocol.canonical:MAX_INTEGER", 2**54),
    "request.5": put("protocol.canonical:_check_characters", lambda _: None),
    "request.6": ANY_MEMBER,
    "request.7": put("protocol.canonical:MAX_DEPTH", 64),
    "request.8": all_of(put("protocol.canonical:MAX_OCTETS", 1 << 20), skip("protocol.canonical:parse", "len(data) > limit")),
    "request.9": skip("service.exchange:Request.json", "self.media_type() != JSON"),
    "request.10": skip("service.exchange:Request.media_type", 'name.strip().lower() == "charset" and value.strip().strip(\'"\').lower() not in _CHARSETS'),
    "request.11": _reworded("action_unknown"),
    "request.12": ANY_TYPE_OF_PARAMETERS,
    "request.13": edit("service.reading:by_name", 'body.keys() != {"action", "parameters"}', 'not body.keys() >= {"action", "parameters"}'),
    "request.14": _reworded("request_malformed"),
    "request.15": skip("service.reading:by_name", "request.query"),
    "1.0": edit(CHECKS, "not 0 < found.exp - found.iat", "not 40 < found.exp - found.iat"),
    "1.1": edit(CHECKS, "credentials = authorization[0] if authorization", 'credentials = authorization[0].replace("Bearer ", "DPoP ") if authorization'),
    "1.2": skip(CHECKS, "len(authorization) > 1"),
    "1.3": edit(CHECKS, "Reason.PROOF_MISSING", "Reason.PROOF_REPEATED"),
    "1.4": skip(CHECKS, "len(proofs) > 1"),
    "1.5": skip(CHECKS, "len(token_text) > token.MAX_OCTETS"),
    "1.6": skip(CHECKS, "len(proof_text) > dpop.MAX_OCTETS"),
    "2.1": ANY_TYP,
    "2.2": all_of(ANY_ALG, edit(VERIFY, "if jws.header.alg != key.alg:", 'if jws.header.alg == "none":\n        return\n    if jws.header.alg != key.alg:')),
    "2.3": all_of(ANY_ALG, OTHER_ALG, ANY_SIGNATURE),
    "2.4": all_of(ANY_ALG, OTHER_ALG),
    "2.5": OTHER_ALG,
    "2.6": edit(CHECKS, "keys = trust.issuers.get(found.iss)", "keys = trust.issuers.get(found.iss) or next(iter(trust.issuers.values()), None)"),
    "2.7": ANY_KID,
    "2.8": ANY_KID,
    "2.9": ANY_SIGNATURE,
    "2.10": ANY_SIGNATURE,
    "2.11": edit("protocol.jws:_header", " or _FORBIDDEN & value.keys()", ""),
    "2.12": edit("protocol.token:parse", "claims = form.closed(parsed.claims, reason, _MEMBERS)", "claims = parsed.claims"),
    "2.13": edit("protocol.token:parse", "claims = form.closed(parsed.claims, reason, _MEMBERS)", 'claims = {"jti": "x", **parsed.claims}'),
    "2.14": ANY_MEMBER,
    "2.15": ANY_FRACTION,
    "2.16": edit(PARSE, 'raise Refusal(faults.malformed, "not three parts', 'raise Refusal(faults.alg, "not three parts'),
    "2.17": ES256_ALONE,
    "3.1": skip(CHECKS, "found.iat > now + token.LEEWAY"),
    "3.2": edit(CHECKS, "now >= found.exp", "now > found.exp"),
    "3.3": skip(CHECKS, "now >= found.exp"),
    "3.4": edit(CHECKS, "not 0 < found.exp - found.iat", "not 0 < min(found.exp - found.iat, 30)"),
    "3.5": edit(CHECKS, "not 0 < found.exp", "not -60 < found.exp"),
    "3.6": edit(CHECKS, "not 0 < found.exp", "not -60 < found.exp"),
    "3.7": put("protocol.token:LEEWAY", 0),
    "4.1": ANY_AUDIENCE,
    "4.2": ANY_AUDIENCE,
    "4.3": edit("protocol.token:parse", "[claims[name] for name in _TEXTS]", "[claims[name][0] if type(claims[name]) is list else claims[name] for name in _TEXTS]"),
    "4.4": edit(CHECKS, "if found.aud != trust.resource:", 'if found.aud not in {trust.resource, "http://evil.example"}:'),
    "4.5": edit(PROOF, 'if claims["htu"] != htu:', 'if claims["htu"] not in {htu, "http://evil.example/oneact/act"}:'),
    "5.1": ANY_TYP,
    "5.2": all_of(ANY_ALG, OTHER_ALG),
    "5.3": OTHER_ALG,
    "5.4": edit("protocol.jwk:parse_public", " or _PRIVATE & value.keys()", ""),
    "5.5": edit("protocol.dpop:parse", "Reason.PROOF_KEY", "Reason.PROOF_MALFORMED"),
    "5.6": ANY_SIGNATURE,
    "5.7": skip(PROOF, 'claims["htm"] != htm'),
    "5.8": ANY_HTU,
    "5.9": ANY_HTU,
    "5.10": edit(PROOF, 'if claims["htu"] != htu:', 'if claims["htu"].partition("?")[0] != htu:'),
    "5.11": ANY_ATH,
    "5.12": ANY_ATH,
    "5.13": ANY_IAT,
    "5.14": ANY_IAT,
    "5.15": skip(CHECKS, "proof.jkt != found.jkt"),
    "5.16": all_of(skip(PROOF, "not claims.keys() >= _REQUIRED"), edit(PROOF, 'form.text(claims["jti"]', 'form.text(claims.get("jti", "x")')),
    "5.17": edit(PROOF, "_MAX_JTI", "2048"),
    "5.18": skip("service.limits:SeenProofs.remember", "(jkt, jti) in self._seen"),
    "5.19": put("protocol.dpop:MAX_AGE", 30),
    "5.20": edit(PROOF, "not claims.keys() >= _REQUIRED", 'claims.keys() - {"ath"} != _REQUIRED'),
    "5.21": ES256_ALONE,
    "5.22": all_of(NONCES, HANDED, edit(PROOF, 'claims.get("nonce") not in nonces', 'claims.get("nonce", "n-1") not in nonces')),
    "5.23": all_of(NONCES, edit(PROOF, 'claims.get("nonce") not in nonces', '"nonce" not in claims')),
    "6.1": ANY_ACT,
    "6.2": ANY_ACT,
    "6.3": ANY_ACT,
    "6.4": ANY_TYPE_OF_PARAMETERS,
    "6.5": ANY_TYPE_OF_PARAMETERS,
    "6.6": ANY_MEMBER,
    "6.7": ANY_ACT,
    "6.8": ANY_ACT,
    "6.9": ANY_ACT,
    "6.10": ANY_ACT,
    "6.11": edit(DETAILS, "members = form.closed(value[0], reason, _REQUIRED, _OPTIONAL)", "members = value[0]"),
    "6.12": edit(DETAILS, " or len(value) != 1", ""),
    "6.13": edit(DETAILS, 'raise Refusal(reason, "not exactly one object")', "raise Refusal(Reason.ACT_MISMATCH)"),
    "6.14": edit(DETAILS, 'members["type"] != TYPE or ', ""),
    "6.15": edit(DETAILS, ' or ("parameters" in members) == ("parameters_digest" in members)', ""),
    "6.16": edit(DETAILS, "len(locations) != 1 or ", ""),
    "6.17": put("protocol.act:_OPTIONAL", frozenset({"parameters", "terms"})),
    "6.18": status("/bookings", 404, of=201),
    "6.19": ANY_ACT,
    "7.1": edit(CHECKS, "if held.action.terms is None:", "if held.action.terms is None or held.act.terms is None:"),
    "7.2": ANY_TXN,
    "7.3": ANY_TXN,
    "7.4": ANY_TXN,
    "7.5": ANY_TXN,
    "7.6": ANY_TXN,
    "7.7": edit("protocol.terms:check", " or octets[0] > 1", ""),
    "7.8": skip("protocol.terms:check", "len(octets) != _LENGTH or octets[0] > 1"),
    "7.9": ANY_TXN,
    "7.10": ANY_TXN,
    "7.11": skip("protocol.terms:check", 'approved_at >= int.from_bytes(head[1 + _NONCE :], "big")'),
    "7.12": edit(CHECKS, 'raise Refusal(Reason.TERMS_UNEXPECTED, "terms for an action without")', "pass"),
    "7.13": edit(CHECKS, "        return\n", "        base = held.token.txn\n        terms.check(trust.txn_keys, base, held.token.iss, held.digest, ('', ''), approved_at)\n"),
    "8.1": wrap(f"{STORE}.account", _generous),
    "9.1": skip(CHECKS, "statement.iss != found.iss"),
    "9.2": skip(CHECKS, "statement.client_id != found.client_id"),
    "9.3": skip(CHECKS, "statement.jkt != found.jkt"),
    "9.4": ANY_TIME,
    "9.5": ANY_TIME,
    "9.6": ANY_LIFETIME,
    "9.7": ANY_LIFETIME,
    "9.8": ANY_ITEM,
    "9.9": ANY_ITEM,
    "9.10": ANY_ITEM,
    "9.11": ANY_ITEM,
    "9.12": ANY_ITEM,
    "9.13": ANY_ITEM,
    "9.14": ANY_ITEM,
    "9.15": all_of(ANY_COUNT, ANY_ITEM),
    "9.16": ANY_COUNT,
    "9.17": ANY_COUNT,
    "9.18": edit(SAID, "form.digest(item, reason)", "pass"),
    "9.19": edit(SAID, 'acts = form.texts(members["acts"], reason, MAX_ACTS)', 'acts = (members["acts"],)'),
    "9.20": edit(SAID, "members = form.closed(value, reason, _MEMBERS)", "members = value"),
    "9.21": edit(SAID, "members = form.closed(value, reason, _MEMBERS)", 'members = {"nonce": "AAAAAAAAAAAAAAAAAAAAAA", **value}'),
    "9.22": skip("protocol.approval:nonce", "not _NONCE.fullmatch(found)"),
    "9.23": all_of(
        skip("protocol.token:parse_approvals", "not isinstance(listed, list) or not 0 < len(listed) <= MAX_APPROVALS"),
        edit(CHECKS, "min(given.statement.iat for given in approvals)", "min((given.statement.iat for given in approvals), default=now)"),
        skip(CHECKS, "len(counted) < rule.approvers"),
    ),
    "9.24": edit("protocol.token:_approval", "form.closed(value, Reason.STATEMENT_MALFORMED, _APPROVAL)", "value"),
    "9.25": put("protocol.approval:MAX_ACTS", 10),
    "10.1": all_of(
        edit(CHECKS, "raise Refusal(Reason.PASSKEY_NOT_PINNED", "return approvers[0], approvers[0].roster.credentials[0]\n    raise Refusal(Reason.PASSKEY_NOT_PINNED"),
        ANY_PASSKEY,
    ),
    "10.2": ANY_PASSKEY,
    "10.3": skip(CLIENT_DATA, 'members.get("type") != "webauthn.get"'),
    "10.4": ANY_CHALLENGE,
    "10.5": ANY_CHALLENGE,
    "10.6": ANY_ORIGIN,
    "10.7": ANY_ORIGIN,
    "10.8": ANY_FRAME,
    "10.9": ANY_FRAME,
    "10.10": ANY_MEMBER,
    "10.11": edit(CLIENT_DATA, "raise Refusal(Reason.ASSERTION_MALFORMED, refusal.detail) from refusal", "raise Refusal(Reason.ASSERTION_TYPE)"),
    "10.12": skip(AUTHENTICATOR, "data[:32] != _rp_id_hash(rp_id)"),
    "10.13": skip(AUTHENTICATOR, "not flags & _UP"),
    "10.14": skip(AUTHENTICATOR, "not flags & _UV"),
    "10.15": edit(AUTHENTICATOR, "flags & _AT or ", ""),
    "10.16": edit(AUTHENTICATOR, " or bool(flags & _ED) != (len(data) > _HEAD)", ""),
    "10.17": edit(AUTHENTICATOR, " or bool(flags & _ED) != (len(data) > _HEAD)", ""),
    "10.18": skip(AUTHENTICATOR, "len(data) < _HEAD"),
    "10.19": ANY_PASSKEY,
    "10.20": ANY_PASSKEY,
    "10.21": edit("protocol.passkey:parse_assertion", "form.closed(value, reason, _ASSERTION)", "value"),
    "10.22": edit(CHECKS, "_check_assertion(given, found.iss, account.approvers) for given in approvals", "_check_assertion(given, found.iss, account.approvers) for given in approvals[:1]"),
    "10.23": edit(CLIENT_DATA, 'if members.get("type") != "webauthn.get":', "if len(members) > 4:"),
    "10.24": edit(CLIENT_DATA, 'members.get("crossOrigin", False)', 'members.get("crossOrigin")'),
    "10.25": edit(AUTHENTICATOR, "bool(flags & _ED) != (len(data) > _HEAD)", "len(data) > _HEAD"),
    "10.26": edit(AUTHENTICATOR, "if not flags & _UV:", "if not flags & _UV or data[33:37] == bytes(4):"),
    "10.27": edit("protocol.passkey:_verifies", 'elif alg == "EdDSA":', 'elif alg == "EdDSA":\n            return False'),
    "10.28": edit("protocol.passkey:_verifies", "key.verify(signature, signed, padding.PKCS1v15(), hashes.SHA256())", "return False"),
    "11.1": refusals("already_spent", receipt=None),
    "11.2": wrap("service.store.sqlite:SqliteStore", _forgetful),
    "11.3": edit("service.execution:Execution.existing", "if found.holder != holder:", "raise Refusal(Reason.TOKEN_EXPIRED)\n    if False:"),
    "11.4": skip("service.execution:Execution.existing", "found.holder != holder"),
    "11.5": wrap("service.store.sqlite:SqliteStore", _forgetful),
    "11.6": wrap("service.guard:GuardCore.perform", _wasteful),
    "12.1": wrap("protocol.receipt:sign", _by_nobodys_key),
    "12.2": wrap("protocol.receipt:sign", lambda sign: lambda made, key: sign(replace(made, sub="another"), key)),
    "12.3": put("protocol.receipt:result_digest", lambda _, body: receipt.canonical.sha256(body)),
    "12.4": told(_other_receipt),
    "receipt.1": put("service.outbox:Outbox.deliver", _none_due),
    "receipt.2": edit("service.outbox:Outbox._arrives", "return answer.status in _ARRIVED", "return True"),
    "roster.1": edit("protocol.roster:check_next", "_check_succeeds(signed.roster, pinned)", "raise Refusal(Reason.ROSTER_SEQ)"),
    "roster.2": edit("service.roster:_chain", "if signed.roster != link.roster:", "if True:"),
    "roster.3": all_of(skip("protocol.roster:_check_succeeds", SEQ), put(f"{STORE}.pin", _yes)),
    "roster.4": all_of(skip("protocol.roster:_check_succeeds", SEQ), put(f"{STORE}.pin", _yes)),
    "roster.5": edit("protocol.roster:_check_vouched", "credential = pinned.credential", "credential = signed.roster.credential"),
    "roster.6": ANY_PASSKEY,
    "roster.7": _reworded("roster_subject"),
    "roster.8": skip("protocol.roster:_check_names", "roster.aud != audience"),
    "roster.9": skip("protocol.roster:_check_succeeds", "later.rp_id != pinned.rp_id or later.origins != pinned.origins"),
    "roster.10": edit("protocol.roster:parse", "0 < len(listed)", "0 <= len(listed)"),
    "roster.11": edit("service.roster:answer", "if kind == JSON:", 'if kind in {JSON, "text/plain"}:'),
    "roster.12": NOT_SUBSET,
    "roster.13": NOT_SUBSET,
    "roster.14": skip("protocol.roster:check_removal", "later.seq > max(pinned.seq, now) + SEQ_AHEAD"),
    "roster.15": ANY_SIGNATURE,
    "roster.16": edit("service.roster:_removal", "await _pin(guard, link, later, text)", "pass"),
    "unlink.1": put(f"{STORE}.unlink", _yes),
    "link.4": skip("protocol.id_token:check", 'claims["nonce"] != nonce'),
    "link.5": edit("protocol.id_token:check", "jws.verify_with(parsed, keys, FAULTS)", "pass"),
    "link.6": ANY_PARTIES,
    "link.7": ANY_PARTIES,
    "link.8": skip("protocol.id_token:check", "iat > now + LEEWAY or now >= exp or exp - iat > _MAX_LIFETIME"),
    "link.9": skip("protocol.roster:_check_names", "roster.aud != audience"),
    "link.10": skip("protocol.roster:_check_names", "roster.sub != subject"),
    "link.11": skip("protocol.roster:_check_names", "roster.iss != issuer"),
    "link.12": all_of(edit("protocol.roster:_check_vouched", "if credential is None:", "credential = credential or pinned.credentials[0]\n    if False:"), ANY_PASSKEY),
    "link.13": ANY_PASSKEY,
    "link.14": wrap(STORE, _forgiving),
    "link.15": edit(CALLBACK, 'fields.get("iss") != kept.issuer or ', ""),
    "link.16": edit(CALLBACK, 'fields.get("iss") != kept.issuer or ', ""),
    "link.17": wrap(STORE, _forgiving),
    "link.18": all_of(
        edit(CALLBACK, " or kept.session != canonical.sha256(session.encode())", ""),
        edit("service.browser:person", "session = request.cookie(_cookie_name(guard))", 'session = request.cookie(_cookie_name(guard)) or "any"'),
    ),
    "link.19": edit("service.browser:check_form", ' or fields.get("csrf") != csrf(session)', ""),
    "link.20": edit("service.linking:start", "raise Refusal(Reason.LINK_ISSUER, issuer)", "raise Refusal(Reason.METADATA_UNREACHABLE)"),
}  # fmt: skip
# A right service of another kind: it asks for nonces.
OTHERS: dict[str, Fault] = {"nonces": NONCES}
# What stands beside a code: the row is the first word of the name.
BESIDE: dict[str, Fault] = {
    "5.7 without WWW-Authenticate": header("proof_htm", "www-authenticate", None),
    "5.7 with another error": refusals("proof_htm", error="invalid_token"),
    "5.7 with another check": refusals("proof_htm", check=4),
    "5.7 with another status": told(lambda _, answer: (400, *answer[1:]) if b'"proof_htm"' in answer[2] else answer),
    "5.7 saying too early that nothing was executed": refusals("proof_htm", not_executed=True),
    "9.1 without saying that nothing was executed": refusals("statement_issuer", not_executed=None),
    "6.8 saying that something was executed": refusals("act_mismatch", not_executed=False),
    "11.1 without the first answer": refusals("already_spent", response=None),
    "11.1 with an answer that is no object": refusals("already_spent", response="x"),
    "11.1 with another salt": refusals("already_spent", salt="AAAA"),
    "11.4 with a receipt for a stranger": all_of(
        skip("service.execution:Execution.existing", "found.holder != holder"), refusals("already_spent", reason="spent_by_another"),
    ),
    "offer.6 with an offer all the same": refusals("issuer_not_accepted", transaction_challenge="x"),
    "offer.6 without the link page": refusals("issuer_not_accepted", link_uri=None),
}  # fmt: skip
# What another check refuses all the same, since two look at one thing; or what nothing could execute. The row is red by
# another code. At every other row of checks 1 to 10 the service with the fault executes the act.
REFUSED_ALL_THE_SAME = {
    "1.3", "2.6", "2.16", "3.5", "3.6", "5.5", "5.18", "6.1", "6.2", "6.3", "6.4", "6.5", "6.7", "6.8", "6.9", "6.10", "6.13",
    "6.19", "7.2", "7.7", "7.8", "7.11", "7.12", "9.19", "9.20", "9.21", "10.11",
}  # fmt: skip
