"""Evidence: one act in one file, with everything that a stranger needs to check it (specification, section 9.3)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, entry
from oneact.protocol import act, action, approval, base64url, form, jwk, passkey, roster
from oneact.protocol.token import Approval

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.log.checkpoint import Verifier
    from oneact.log.entry import Entry
    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.protocol.display import Line
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.passkey import Assertion
    from oneact.protocol.roster import Roster

VERSION: Final = "1"
MAX_OCTETS: Final = 1024 * 1024
MAX_ENTRIES: Final = 64
_MEMBERS: Final = frozenset(
    {
        "oneact_evidence", "issuer", "resource", "sub", "txn", "agent", "action", "act", "lines", "offer", "approvals",
        "roster", "token", "ended", "receipt", "entries", "checkpoint", "keys",
    }
)  # fmt: skip
_KEYS: Final = frozenset({"server", "service", "log"})
_ENTRY: Final = frozenset({"kind", "at", "account", "request", "content"})
_LINE: Final = 4
_MALFORMED: Final = Reason.EVIDENCE_MALFORMED


class Agent(NamedTuple):
    """Who asked: the client's identifier and the thumbprint of its key."""

    client_id: str
    jkt: str


class Logged(NamedTuple):
    """An entry of the log with its place and its audit path, from the leaf up; hashes of 32 octets."""

    leaf: int
    salt: bytes
    entry: Entry
    proof: tuple[bytes, ...]

    def members(self) -> dict[str, Json]:
        """Give the entry as it stands in evidence."""
        return {
            "leaf": self.leaf,
            "salt": base64url.encode(self.salt),
            "entry": self.entry.members(),
            "proof": [base64url.encode(sibling) for sibling in self.proof],
        }


@dataclass(frozen=True, slots=True)
class Evidence:
    """Everything about one act. Texts that are signed stand as they were signed; None is what never came to be.

    `roster` is the one that stood when the person approved, `vouched` the assertion over it (None where the server
    alone had removed a passkey). The keys are the file's own word: whoever checks compares them with what they know.
    """

    issuer: str
    resource: str
    sub: str
    txn: str
    agent: Agent
    action: Action
    act: Act
    lines: tuple[Line, ...]
    offer: str | None
    approvals: tuple[Approval, ...]
    roster: Roster | None
    vouched: Assertion | None
    token: str | None
    ended: str | None
    receipt: str | None
    entries: tuple[Logged, ...]
    checkpoint: str
    server_keys: Mapping[str, PublicKey]
    service_keys: Mapping[str, PublicKey]
    log_key: Verifier

    def members(self) -> dict[str, Json]:
        """Give the evidence as it stands in a file."""
        signed: Json = None
        if self.roster is not None:
            vouched = None if self.vouched is None else self.vouched.members()
            signed = {"roster": self.roster.members(), "webauthn": vouched}
        return {
            "oneact_evidence": VERSION,
            "issuer": self.issuer,
            "resource": self.resource,
            "sub": self.sub,
            "txn": self.txn,
            "agent": {"client_id": self.agent.client_id, "jkt": self.agent.jkt},
            "action": self.action.document,
            "act": self.act.details()[0],
            "lines": [list(line) for line in self.lines],
            "offer": self.offer,
            "approvals": [given.members() for given in self.approvals],
            "roster": signed,
            "token": self.token,
            "ended": self.ended,
            "receipt": self.receipt,
            "entries": [logged.members() for logged in self.entries],
            "checkpoint": self.checkpoint,
            "keys": {
                "server": [key.public_jwk() for key in self.server_keys.values()],
                "service": [key.public_jwk() for key in self.service_keys.values()],
                "log": self.log_key.line(),
            },
        }


def parse(value: Json) -> Evidence:
    """Read evidence whose members are exactly these; refuses `evidence_malformed`, or the reason of the part."""
    members = form.closed(value, _MALFORMED, _MEMBERS)
    if members["oneact_evidence"] != VERSION:
        raise Refusal(_MALFORMED, "another version")
    keys = form.closed(members["keys"], _MALFORMED, _KEYS)
    agent = form.closed(members["agent"], _MALFORMED, {"client_id", "jkt"})
    pinned, vouched = _roster(members["roster"])
    return Evidence(
        issuer=form.text(members["issuer"], _MALFORMED),
        resource=form.text(members["resource"], _MALFORMED),
        sub=form.text(members["sub"], _MALFORMED, 255),
        txn=form.text(members["txn"], _MALFORMED, 128),
        agent=Agent(form.text(agent["client_id"], _MALFORMED), form.digest(agent["jkt"], _MALFORMED)),
        action=action.parse(members["action"]),
        act=act.parse_details([members["act"]], _MALFORMED),
        lines=tuple([_line(item) for item in _array(members["lines"])]),
        offer=_signed(members["offer"]),
        approvals=tuple([_approval(item) for item in _array(members["approvals"])]),
        roster=pinned,
        vouched=vouched,
        token=_signed(members["token"]),
        ended=_signed(members["ended"]),
        receipt=_signed(members["receipt"]),
        entries=tuple([_logged(item) for item in _array(members["entries"], MAX_ENTRIES)]),
        checkpoint=form.text(members["checkpoint"], _MALFORMED, checkpoint.MAX_OCTETS),
        server_keys=jwk.parse_set({"keys": keys["server"]}, _MALFORMED),
        service_keys=jwk.parse_set({"keys": keys["service"]}, _MALFORMED),
        log_key=checkpoint.parse_verifier(form.text(keys["log"], _MALFORMED)),
    )


def parse_entry(value: Json, reason: Reason) -> Entry:
    """Read one entry; refuses with `reason` what is not closed or of no kind."""
    members = form.closed(value, reason, _ENTRY)
    content, kinds = members["content"], {kind.value: kind for kind in entry.Kind}
    texts = [members[name] for name in ("kind", "account", "request")]
    if not isinstance(content, dict) or not all(isinstance(text, str) for text in texts) or texts[0] not in kinds:
        raise Refusal(reason, "an entry is not in its form")
    at = form.integer(members["at"], reason)
    return entry.Entry(kinds[str(texts[0])], at, str(texts[1]), str(texts[2]), content)


def _array(value: Json, limit: int = 256) -> list[Json]:
    if not isinstance(value, list) or len(value) > limit:
        raise Refusal(_MALFORMED, "not an array within its limit")
    return value


def _signed(value: Json) -> str | None:
    return None if value is None else form.text(value, _MALFORMED, MAX_OCTETS)


def _line(value: Json) -> Line:
    parts = [part for part in _array(value, _LINE) if isinstance(part, str)]
    if len(parts) != _LINE:
        raise Refusal(_MALFORMED, "a line is not four texts")
    return parts[0], parts[1], parts[2], parts[3]


def _approval(value: Json) -> Approval:
    members = form.closed(value, _MALFORMED, {"statement", "webauthn"})
    return Approval(approval.parse(members["statement"]), passkey.parse_assertion(members["webauthn"]))


def _roster(value: Json) -> tuple[Roster | None, Assertion | None]:
    if value is None:
        return None, None
    members = form.closed(value, _MALFORMED, {"roster", "webauthn"})
    given = members["webauthn"]
    return roster.parse(members["roster"]), None if given is None else passkey.parse_assertion(given)


def _logged(value: Json) -> Logged:
    members = form.closed(value, _MALFORMED, {"leaf", "salt", "entry", "proof"})
    salt = base64url.decode(form.text(members["salt"], _MALFORMED, 64), _MALFORMED)
    if len(salt) != entry.SALT_OCTETS:
        raise Refusal(_MALFORMED, "a salt is not 16 octets")
    proof = [base64url.decode(form.digest(item, _MALFORMED), _MALFORMED) for item in _array(members["proof"], 64)]
    leaf = form.integer(members["leaf"], _MALFORMED)
    return Logged(leaf, salt, parse_entry(members["entry"], _MALFORMED), tuple(proof))
