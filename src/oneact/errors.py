"""The closed table of refusals, shared by specification, code, vectors and documentation.

A refusal has a public part (`error`, `reason`, `status`, one fixed sentence) and a detail that only the log sees.
Nothing that was not verified ever stands in the public part.
"""

from __future__ import annotations

from enum import Enum
from typing import Final, Self

_INVALID_REQUEST: Final = "invalid_request"
_INVALID_TOKEN: Final = "invalid_token"  # noqa: S105 - an OAuth error code (RFC 6750 section 3.1), not a secret
_INVALID_PROOF: Final = "invalid_dpop_proof"
_INSUFFICIENT: Final = "insufficient_authorization"
_INVALID_CLIENT: Final = "invalid_client"
_INVALID_GRANT: Final = "invalid_grant"
_ACCESS_DENIED: Final = "access_denied"
_UNAVAILABLE: Final = "temporarily_unavailable"


class Reason(Enum):
    """One row of the error table: the sub-reason, its OAuth error code, HTTP status and numbered check.

    `value` is the sub-reason as it stands on the wire. `check` is the number of the service's check that gives it,
    0 where no numbered check does.
    """

    error: str
    status: int
    check: int
    says: str

    def __new__(cls, reason: str, error: str, status: int, check: int, says: str) -> Self:
        """Make one row; `says` is the fixed sentence that a caller may be shown."""
        member = object.__new__(cls)
        member._value_ = reason
        member.error = error
        member.status = status
        member.check = check
        member.says = says
        return member

    # Forms (section 5): what is no I-JSON within the limits.
    JSON_MALFORMED = "json_malformed", _INVALID_REQUEST, 400, 0, "The JSON is not well formed."
    JSON_DUPLICATE_KEY = "json_duplicate_key", _INVALID_REQUEST, 400, 0, "A JSON object names one member twice."
    JSON_NUMBER = "json_number", _INVALID_REQUEST, 400, 0, "Only integers within 2^53-1 are allowed; send text."
    JSON_SURROGATE = "json_surrogate", _INVALID_REQUEST, 400, 0, "A text holds a lone surrogate."
    JSON_TOO_DEEP = "json_too_deep", _INVALID_REQUEST, 400, 0, "The JSON is nested deeper than 16 levels."
    JSON_TOO_LARGE = "json_too_large", _INVALID_REQUEST, 413, 0, "The JSON is larger than 256 KiB."
    BASE64URL_MALFORMED = "base64url_malformed", _INVALID_REQUEST, 400, 0, "A base64url value is not in its one form."
    KEY_MALFORMED = "key_malformed", _INVALID_REQUEST, 400, 0, "A public key is not in the form of RFC 7517."
    JWS_MALFORMED = "jws_malformed", _INVALID_REQUEST, 400, 0, "A signed object is not a compact JWS."
    JWS_TYP = "jws_typ", _INVALID_REQUEST, 400, 0, "A signed object has another type than the one asked for."
    JWS_ALG = "jws_alg", _INVALID_REQUEST, 400, 0, "A signed object uses an algorithm that is not allowed here."
    JWS_SIGNATURE = "jws_signature", _INVALID_REQUEST, 400, 0, "A signature does not verify."

    # The request to a guarded action, before any token is looked at.
    REQUEST_MALFORMED = "request_malformed", _INVALID_REQUEST, 400, 0, "The request is not well formed."
    REQUEST_TOO_LARGE = "request_too_large", _INVALID_REQUEST, 413, 0, "The request is too large."
    ADDRESS_UNKNOWN = "address_unknown", _INVALID_REQUEST, 404, 0, "There is nothing at this address."
    METHOD_NOT_ALLOWED = "method_not_allowed", _INVALID_REQUEST, 405, 0, "This address does not take that method."
    MEDIA_TYPE = "media_type", _INVALID_REQUEST, 415, 0, "The request's content type is not accepted here."
    PARAMETERS_INVALID = (
        "parameters_invalid",
        _INVALID_REQUEST,
        422,
        0,
        "The parameters do not fit the action's schema.",
    )
    PARAMETER_UNKNOWN = (
        "parameter_unknown",
        _INVALID_REQUEST,
        422,
        0,
        "The request has a field the action does not list.",
    )
    PARAMETER_REPEATED = "parameter_repeated", _INVALID_REQUEST, 422, 0, "The request gives one field twice."
    ACTION_UNKNOWN = "action_unknown", _INVALID_REQUEST, 404, 0, "The service has no such action."
    ACTION_INVALID = "action_invalid", _INVALID_REQUEST, 400, 0, "The action's published description is not valid."
    TOO_LARGE_TO_SHOW = "too_large_to_show", _INVALID_REQUEST, 422, 0, "The act is too large to be shown to a person."
    APPROVAL_REQUIRED = "approval_required", _INSUFFICIENT, 401, 0, "This act needs a person's approval."
    ISSUER_NOT_ACCEPTED = (
        "issuer_not_accepted",
        _INSUFFICIENT,
        401,
        0,
        "Accept-Txn-Challenge names no approval server accepted here; link the account to one first.",
    )
    ASKING_TOKEN_REQUIRED = (
        "asking_token_required",
        _INSUFFICIENT,
        401,
        0,
        "The terms of this action are told to a known person's agent alone; ask with an asking token.",
    )
    READ_TOKEN_REQUIRED = (
        "read_token_required",
        _INSUFFICIENT,
        401,
        0,
        "This read needs a session that a person has opened.",
    )
    RATE_LIMITED = "rate_limited", _UNAVAILABLE, 429, 0, "Too many requests; wait and try again."

    # Check 1: one token, one proof, within their sizes.
    AUTHORIZATION_NOT_DPOP = "authorization_not_dpop", _INVALID_TOKEN, 401, 1, "The token has to come as DPoP."
    AUTHORIZATION_REPEATED = "authorization_repeated", _INVALID_TOKEN, 401, 1, "There is more than one Authorization."
    PROOF_MISSING = "proof_missing", _INVALID_TOKEN, 401, 1, "There is no DPoP proof."
    PROOF_REPEATED = "proof_repeated", _INVALID_TOKEN, 401, 1, "There is more than one DPoP proof."
    TOKEN_TOO_LARGE = "token_too_large", _INVALID_TOKEN, 401, 1, "The token is larger than 6 KiB."
    PROOF_TOO_LARGE = "proof_too_large", _INVALID_TOKEN, 401, 1, "The proof is larger than 2 KiB."

    # Check 2: the token's form, issuer and signature.
    TOKEN_MALFORMED = "token_malformed", _INVALID_TOKEN, 401, 2, "The token is not in the form that is asked for here."
    TOKEN_TYP = "token_typ", _INVALID_TOKEN, 401, 2, "The token's type is not at+jwt."
    TOKEN_ALG = "token_alg", _INVALID_TOKEN, 401, 2, "The token's algorithm is not allowed."
    TOKEN_ISSUER = "token_issuer", _INVALID_TOKEN, 401, 2, "The token's issuer is not accepted here."
    TOKEN_KEY = "token_key", _INVALID_TOKEN, 401, 2, "The token's key is not one of the issuer's."
    TOKEN_SIGNATURE = "token_signature", _INVALID_TOKEN, 401, 2, "The token's signature does not verify."

    # Check 3: the token's time.
    TOKEN_NOT_YET_VALID = "token_not_yet_valid", _INVALID_TOKEN, 401, 3, "The token was issued in the future."
    TOKEN_EXPIRED = "token_expired", _INVALID_TOKEN, 401, 3, "The token has expired."
    TOKEN_LIFETIME = "token_lifetime", _INVALID_TOKEN, 401, 3, "The token lives longer than is allowed."

    # Check 4: the token's audience.
    TOKEN_AUDIENCE = "token_audience", _INVALID_TOKEN, 401, 4, "The token is for another service."

    # Check 5: the proof.
    PROOF_MALFORMED = "proof_malformed", _INVALID_PROOF, 401, 5, "The proof is not in the form of RFC 9449."
    PROOF_TYP = "proof_typ", _INVALID_PROOF, 401, 5, "The proof's type is not dpop+jwt."
    PROOF_ALG = "proof_alg", _INVALID_PROOF, 401, 5, "The proof's algorithm is not allowed."
    PROOF_KEY = "proof_key", _INVALID_PROOF, 401, 5, "The proof's key is not a public key for its algorithm."
    PROOF_SIGNATURE = "proof_signature", _INVALID_PROOF, 401, 5, "The proof's signature does not verify."
    PROOF_HTM = "proof_htm", _INVALID_PROOF, 401, 5, "The proof is for another method."
    PROOF_HTU = "proof_htu", _INVALID_PROOF, 401, 5, "The proof is for another URI."
    PROOF_ATH = "proof_ath", _INVALID_PROOF, 401, 5, "The proof is for another token."
    PROOF_IAT = "proof_iat", _INVALID_PROOF, 401, 5, "The proof is too old or from the future."
    PROOF_NONCE = "proof_nonce", "use_dpop_nonce", 401, 5, "The proof has to hold the nonce of this answer."
    PROOF_BINDING = "proof_binding", _INVALID_PROOF, 401, 5, "The proof is by another key than the token's."
    PROOF_REPLAYED = "proof_replayed", _INVALID_PROOF, 401, 5, "The proof has been used before."

    # Check 6: the act.
    ACT_MALFORMED = "act_malformed", _INSUFFICIENT, 401, 6, "The token does not hold exactly one well-formed act."
    ACT_MISMATCH = "act_mismatch", _INSUFFICIENT, 401, 6, "The request is not the act that the token names."

    # Check 6 of a read token: the reads.
    READ_MALFORMED = "read_malformed", _INSUFFICIENT, 401, 6, "The token does not hold exactly one well-formed session."
    READ_NOT_OPENED = "read_not_opened", _INSUFFICIENT, 401, 6, "The person has not opened this read to the agent."
    READ_CHANGED = "read_changed", _INSUFFICIENT, 401, 6, "The service says something else of these reads by now."

    # Check 7: the terms.
    TERMS_MISSING = "terms_missing", _INSUFFICIENT, 401, 7, "The act lacks the terms that its action needs."
    TERMS_UNEXPECTED = "terms_unexpected", _INSUFFICIENT, 401, 7, "The act has terms that its action does not take."
    TXN_MALFORMED = "txn_malformed", _INSUFFICIENT, 401, 7, "The transaction identifier is not in its form."
    TXN_FOREIGN = "txn_foreign", _INSUFFICIENT, 401, 7, "The service never stated these terms in an offer."
    TXN_EXPIRED = "txn_expired", _INSUFFICIENT, 401, 7, "The offer had expired when the act was approved."
    TERMS_CHANGED = "terms_changed", _INSUFFICIENT, 401, 7, "The service's terms have changed since the offer."

    # Check 8: the link.
    ACCOUNT_NOT_LINKED = "account_not_linked", _INSUFFICIENT, 401, 8, "The token's person is linked to no account here."

    # Check 9: the statement.
    STATEMENT_MALFORMED = "statement_malformed", _INSUFFICIENT, 401, 9, "An approval is not in the form of a statement."
    STATEMENT_ISSUER = "statement_issuer", _INSUFFICIENT, 401, 9, "The approval was given at another approval server."
    STATEMENT_CLIENT = "statement_client", _INSUFFICIENT, 401, 9, "The approval was given to another agent."
    STATEMENT_KEY = "statement_key", _INSUFFICIENT, 401, 9, "The approval was given to another agent's key."
    STATEMENT_TIME = "statement_time", _INSUFFICIENT, 401, 9, "The token does not lie within the approval's time."
    STATEMENT_LIFETIME = "statement_lifetime", _INSUFFICIENT, 401, 9, "The approval lives longer than is allowed."
    STATEMENT_ITEM = (
        "statement_item",
        _INSUFFICIENT,
        401,
        9,
        "The approval is for another act, or it was shown otherwise.",
    )

    # Check 10: the assertions.
    PASSKEY_NOT_PINNED = "passkey_not_pinned", _INSUFFICIENT, 401, 10, "The passkey is not one the service has pinned."
    ASSERTION_MALFORMED = "assertion_malformed", _INSUFFICIENT, 401, 10, "The assertion is not in WebAuthn's form."
    ASSERTION_TYPE = "assertion_type", _INSUFFICIENT, 401, 10, "The assertion is not a webauthn.get."
    ASSERTION_CHALLENGE = "assertion_challenge", _INSUFFICIENT, 401, 10, "The passkey signed something else."
    ASSERTION_ORIGIN = "assertion_origin", _INSUFFICIENT, 401, 10, "The passkey was used on another origin."
    ASSERTION_CROSS_ORIGIN = "assertion_cross_origin", _INSUFFICIENT, 401, 10, "The passkey was used in a frame."
    ASSERTION_RP_ID = "assertion_rp_id", _INSUFFICIENT, 401, 10, "The passkey was used for another relying party."
    ASSERTION_UP = "assertion_up", _INSUFFICIENT, 401, 10, "The passkey was used without the person's presence."
    ASSERTION_UV = "assertion_uv", _INSUFFICIENT, 401, 10, "The passkey was used without verifying the person."
    ASSERTION_SIGNATURE = "assertion_signature", _INSUFFICIENT, 401, 10, "The passkey's signature does not verify."
    RULE_NOT_MET = "rule_not_met", _INSUFFICIENT, 401, 10, "Fewer distinct persons approved than the rule asks for."

    # Check 11: the spend.
    ACT_IN_PROGRESS = "act_in_progress", "act_in_progress", 409, 11, "This act is running at this moment."
    ALREADY_SPENT = "already_spent", "already_spent", 409, 11, "This act has been used; its outcome is in the answer."
    SPENT_BY_ANOTHER = "spent_by_another", _INVALID_TOKEN, 401, 11, "This approval has been used by another holder."
    STORE_UNAVAILABLE = (
        "store_unavailable",
        _UNAVAILABLE,
        503,
        11,
        "The service cannot decide now; nothing was executed.",
    )

    # Check 12: the execution.
    ACT_ROLLED_BACK = (
        "act_rolled_back",
        _UNAVAILABLE,
        503,
        12,
        "The act was begun and undone; nothing was executed or spent.",
    )

    # Offers, at the approval server.
    OFFER_MALFORMED = "offer_malformed", _INVALID_REQUEST, 400, 0, "The offer is not in the form of a challenge."
    OFFER_TYP = "offer_typ", _INVALID_REQUEST, 400, 0, "The offer's type is not txn-authz-challenge+jwt."
    OFFER_ALG = "offer_alg", _INVALID_REQUEST, 400, 0, "The offer's algorithm is not allowed."
    OFFER_KEY = "offer_key", _INVALID_REQUEST, 400, 0, "The offer's key is not one of the service's."
    OFFER_SIGNATURE = "offer_signature", _INVALID_REQUEST, 400, 0, "The offer's signature does not verify."
    OFFER_AUDIENCE = "offer_audience", _INVALID_REQUEST, 400, 0, "The offer is for another approval server."
    OFFER_TIME = "offer_time", _INVALID_REQUEST, 400, 0, "The offer is from the future or lives too long."
    OFFER_EXPIRED = "offer_expired", _INVALID_REQUEST, 400, 0, "The offer has expired; ask the service again."
    OFFER_SUBJECT = "offer_subject", _INVALID_REQUEST, 400, 0, "The offer names another person or agent."
    OFFER_ACT = "offer_act", _INVALID_REQUEST, 400, 0, "The offer does not hold exactly one well-formed act."
    OFFER_ACTION = "offer_action", _INVALID_REQUEST, 400, 0, "The service publishes no such action."
    OFFER_NOT_OWN = "offer_not_own", _INVALID_REQUEST, 403, 0, "A service asks only for acts at itself."
    UNLINKED_SERVICE = "unlinked_service", _ACCESS_DENIED, 403, 0, "The person has not linked this service."
    METADATA_UNREACHABLE = "metadata_unreachable", _UNAVAILABLE, 503, 0, "The other side's metadata cannot be had now."
    METADATA_INVALID = "metadata_invalid", _INVALID_REQUEST, 400, 0, "The other side's metadata is not valid."
    ADDRESS_FORBIDDEN = "address_forbidden", _INVALID_REQUEST, 400, 0, "That address may not be fetched from here."
    RULE_UNSUPPORTED = (
        "rule_unsupported",
        _INVALID_REQUEST,
        422,
        0,
        "The action's rule asks for several persons.",
    )
    TOKEN_WOULD_BE_TOO_LARGE = "token_would_be_too_large", _INVALID_REQUEST, 422, 0, "The token would pass 6 KiB."

    READ_UNKNOWN = (
        "read_unknown",
        "invalid_authorization_details",
        400,
        0,
        "The service publishes no such reads.",
    )
    READ_ENDED = "read_ended", _INVALID_GRANT, 400, 0, "The read session has ended."

    # Rosters and links.
    ROSTER_MALFORMED = "roster_malformed", _INVALID_REQUEST, 400, 0, "The roster is not in its form."
    ROSTER_ISSUER = "roster_issuer", _INVALID_REQUEST, 400, 0, "The roster is by another approval server."
    ROSTER_AUDIENCE = "roster_audience", _INVALID_REQUEST, 400, 0, "The roster is for another service."
    ROSTER_SUBJECT = "roster_subject", _INVALID_REQUEST, 400, 0, "The roster is for another person."
    ROSTER_SEQ = (
        "roster_seq",
        _INVALID_REQUEST,
        409,
        0,
        "The roster is not newer than the one pinned, or too far ahead.",
    )
    ROSTER_RP_ID = "roster_rp_id", _INVALID_REQUEST, 400, 0, "The roster's RP ID and origins may not change."
    ROSTER_UNPINNED = "roster_unpinned", _INVALID_REQUEST, 403, 0, "The roster is not signed by a pinned passkey."
    ROSTER_SIGNATURE = "roster_signature", _INVALID_REQUEST, 403, 0, "The roster's signature does not verify."
    ROSTER_NOT_SUBSET = "roster_not_subset", _INVALID_REQUEST, 403, 0, "The server alone may only remove passkeys."
    LINK_STATE = "link_state", _ACCESS_DENIED, 403, 0, "This sign-in was not started in this browser."
    LINK_NONCE = "link_nonce", _ACCESS_DENIED, 403, 0, "The ID token is not for this sign-in."
    LINK_ISSUER = "link_issuer", _ACCESS_DENIED, 403, 0, "The approval server is not accepted here."
    LINK_LOGIN_STALE = "link_login_stale", _ACCESS_DENIED, 403, 0, "Sign in to the service again before linking."
    LINK_EXISTS = "link_exists", _ACCESS_DENIED, 409, 0, "The account or the person is linked already."
    UNLINK_WAIT = (
        "unlink_wait",
        _ACCESS_DENIED,
        409,
        0,
        "Unlinking without a passkey waits 72 hours, and a day after it was cancelled.",
    )
    TICKET_INVALID = "ticket_invalid", _ACCESS_DENIED, 403, 0, "The ticket of the service's sign-in is not valid here."
    ID_TOKEN_INVALID = "id_token_invalid", _ACCESS_DENIED, 403, 0, "The ID token does not verify."

    # Held forms, at the service.
    HELD_UNKNOWN = (
        "held_unknown",
        _INVALID_REQUEST,
        404,
        0,
        "This browser and account have submitted nothing that stands at this address.",
    )
    PASSKEY_NEEDED = (
        "passkey_needed",
        _ACCESS_DENIED,
        403,
        0,
        "This needs your passkey's approval, and your account has no passkey yet; nothing was done.",
    )

    # Receipts.
    RECEIPT_MALFORMED = "receipt_malformed", _INVALID_REQUEST, 400, 0, "The receipt is not in its form."
    RECEIPT_TYP = "receipt_typ", _INVALID_REQUEST, 400, 0, "The receipt's type is not oneact-receipt+jwt."
    RECEIPT_ALG = "receipt_alg", _INVALID_REQUEST, 400, 0, "The receipt's algorithm is not allowed."
    RECEIPT_KEY = "receipt_key", _INVALID_REQUEST, 400, 0, "The receipt's key is not one of the service's."
    RECEIPT_SIGNATURE = "receipt_signature", _INVALID_REQUEST, 400, 0, "The receipt's signature does not verify."
    RECEIPT_MISMATCH = "receipt_mismatch", _INVALID_REQUEST, 400, 0, "The receipt is for another act."
    RECEIPT_CONFLICT = "receipt_conflict", _INVALID_REQUEST, 409, 0, "Another receipt stands for this act."
    RECEIPT_UNKNOWN = "receipt_unknown", _INVALID_REQUEST, 404, 0, "There is no word from the service on this act."

    # Agents and requests, at the approval server.
    CLIENT_UNKNOWN = "client_unknown", _INVALID_CLIENT, 401, 0, "The client is not registered here."
    CLIENT_ASSERTION = "client_assertion", _INVALID_CLIENT, 401, 0, "The client's assertion does not verify."
    CLIENT_ASSERTION_REPLAYED = "client_assertion_replayed", _INVALID_CLIENT, 401, 0, "The assertion was used before."
    CLIENT_KEY = "client_key", _INVALID_CLIENT, 401, 0, "The proof is by another key than the client's."
    CLIENT_METADATA = "client_metadata", "invalid_client_metadata", 400, 0, "The client's metadata is not accepted."
    REDIRECT_URI = "redirect_uri", "invalid_redirect_uri", 400, 0, "The redirect URI is not one of the client's."
    HINT_UNKNOWN = "hint_unknown", "unknown_user_id", 400, 0, "The login hint is not one of this agent's."
    GRANT_UNKNOWN = "grant_unknown", _INVALID_GRANT, 400, 0, "The code or request identifier is not known."
    GRANT_UNSUPPORTED = "grant_unsupported", "unsupported_grant_type", 400, 0, "The grant type is not supported."
    SCOPE_INVALID = "scope_invalid", "invalid_scope", 400, 0, "The scope is not supported."
    AUTHORIZATION_PENDING = "authorization_pending", "authorization_pending", 400, 0, "The person has not decided yet."
    SLOW_DOWN = "slow_down", "slow_down", 400, 0, "Poll less often."
    DENIED = "denied", _ACCESS_DENIED, 400, 0, "The person said no."
    CANCELLED = "cancelled", _ACCESS_DENIED, 400, 0, "The agent took the request back."
    EXPIRED = "expired", "expired_token", 400, 0, "Nobody decided in time; the request has expired."
    IDEMPOTENCY_CONFLICT = (
        "idempotency_conflict",
        _INVALID_REQUEST,
        409,
        0,
        "That idempotency key was used for another act.",
    )
    ACTION_NEEDS_OFFER = "action_needs_offer", "invalid_authorization_details", 400, 0, "This action needs an offer."

    # Persons, at the approval server's pages.
    SESSION_REQUIRED = "session_required", "login_required", 401, 0, "Sign in first."
    GESTURE_UNKNOWN = "gesture_unknown", _ACCESS_DENIED, 409, 0, "That confirmation is no longer open; start it again."
    CSRF = "csrf", _ACCESS_DENIED, 403, 0, "The request did not come from this site's own page."
    NOT_YOURS = "not_yours", _ACCESS_DENIED, 404, 0, "There is nothing here for you."
    USER_CODE_UNKNOWN = "user_code_unknown", _INVALID_GRANT, 400, 0, "That code is not known or has expired."
    NOT_PENDING = "not_pending", _INVALID_REQUEST, 409, 0, "The request is no longer open."
    REGISTRATION_INVALID = "registration_invalid", _INVALID_REQUEST, 400, 0, "The passkey could not be registered."
    LAST_PASSKEY = "last_passkey", _INVALID_REQUEST, 409, 0, "The last passkey cannot be removed."

    # The log and the evidence out of it, as whoever checks them is told.
    LOG_MALFORMED = "log_malformed", _INVALID_REQUEST, 400, 0, "A checkpoint, tile, proof or export is not in its form."
    LOG_ORIGIN = "log_origin", _INVALID_REQUEST, 400, 0, "The checkpoint is of another log."
    LOG_SIGNATURE = "log_signature", _INVALID_REQUEST, 400, 0, "The checkpoint is not signed by the log's key."
    LOG_COMMITMENT = "log_commitment", _INVALID_REQUEST, 400, 0, "An entry is not what the log has committed to."
    LOG_ROOT = "log_root", _INVALID_REQUEST, 400, 0, "The entries do not make up the tree of the checkpoint."
    LOG_INCLUSION = "log_inclusion", _INVALID_REQUEST, 400, 0, "The entry is not in the tree of the checkpoint."
    LOG_CONSISTENCY = "log_consistency", _INVALID_REQUEST, 409, 0, "The log does not begin with what it was before."
    LOG_EMPTY = "log_empty", _INVALID_REQUEST, 404, 0, "The log has not come to this yet."
    LOG_STATE = "log_state", _INVALID_REQUEST, 409, 0, "A state has no entry, or an entry no state."
    EVIDENCE_MALFORMED = "evidence_malformed", _INVALID_REQUEST, 400, 0, "The evidence is not in its form."
    EVIDENCE_MISMATCH = "evidence_mismatch", _INVALID_REQUEST, 400, 0, "Parts of the evidence do not belong together."
    EVIDENCE_KEY = "evidence_key", _INVALID_REQUEST, 400, 0, "A key in the evidence is not the one that is expected."

    INTERNAL = "internal", "server_error", 500, 0, "Something failed here; nothing was approved or executed by it."


class Refusal(Exception):  # noqa: N818 - a refusal is an answer of the protocol, not a fault
    """A refusal with its row of the table.

    `detail` is for the log and never leaves it. `field` is the parameter at fault, by the name under which the action
    publishes it; a name that only the caller gave never stands there.
    """

    def __init__(self, reason: Reason, detail: str = "", field: str = "") -> None:
        """Refuse for `reason`; `detail` may hold what the caller sent and is only ever logged."""
        super().__init__(f"{reason.value}: {detail}" if detail else reason.value)
        self.reason = reason
        self.detail = detail
        self.field = field

    def body(self) -> dict[str, str | int]:
        """Give the JSON body: `error`, `reason`, `error_description` and, where there is one, `check` and `field`."""
        row = self.reason
        body: dict[str, str | int] = {"error": row.error, "reason": row.value, "error_description": row.says}
        if row.check:
            body["check"] = row.check
        if self.field:
            body["field"] = self.field
        return body
