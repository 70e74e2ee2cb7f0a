"""What a person holds of an act, held against the service's journal.

9. Evidence: the person's receipt is the journal's, the token's act, identifier, agent and key are the spend's, the
   offer is of the same act; what one side has and the other has not is told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form, offer, receipt, token
from oneact.service.audit.finding import Fault, Finding
from oneact.service.audit.record import signature_faults, token_faults
from oneact.service.journal import Kind

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from oneact.protocol.canonical import Json
    from oneact.protocol.jws import Jws
    from oneact.protocol.offer import Offer
    from oneact.protocol.receipt import Receipt
    from oneact.protocol.token import ActionToken
    from oneact.service.audit.record import Act, Key, Keys, Record

MAX_OCTETS: Final = 1024 * 1024  # of one bundle
_MALFORMED: Final = Reason.EVIDENCE_MALFORMED
_NAMES: Final = ("resource", "issuer", "txn")


class Bundle(NamedTuple):
    """What a person holds of one act, read but not verified; a text is None where they have none.

    `token_text` and `receipt_text` are as they were handed out. `named` is what the bundle itself says it is about.
    """

    token_text: str | None
    token: ActionToken | None
    receipt_text: str | None
    receipt: tuple[Receipt, Jws] | None
    offer: tuple[Offer, Jws] | None
    named: Key | None

    def acts(self) -> set[Key]:
        """Give the service, approval server and transaction that the parts name; more than one do not agree."""
        found: set[Key] = set() if self.named is None else {self.named}
        if self.token is not None:
            found.add((self.token.aud, self.token.iss, self.token.txn))
        if self.receipt is not None:
            found.add((self.receipt[0].iss, self.receipt[0].aud, self.receipt[0].txn))
        if self.offer is not None:
            found.add((self.offer[0].iss, self.offer[0].aud, self.offer[0].txn))
        return found


def parse(value: Json) -> Bundle:
    """Read a bundle by its members `token`, `receipt` and `offer`, each a compact JWS or null.

    `resource`, `issuer` and `txn` are read where all three are there, and needed where the others are null; what else
    a bundle has, such as the log's proofs, says nothing about the service's record and is passed over.

    Refuses `evidence_malformed` for another form, and what the parts' own forms are refused with.
    """
    if not isinstance(value, dict):
        raise Refusal(_MALFORMED, "a bundle is not an object")
    token_text, receipt_text, offer_text = (_text(value, name) for name in ("token", "receipt", "offer"))
    named = _named(value)
    if named is None and token_text is None and receipt_text is None and offer_text is None:
        raise Refusal(_MALFORMED, "a bundle without token, receipt and offer, and of no act")
    found = Bundle(
        token_text,
        None if token_text is None else token.parse(token_text)[0],
        receipt_text,
        None if receipt_text is None else receipt.parse(receipt_text),
        None if offer_text is None else offer.parse(offer_text),
        named,
    )
    if found.token is not None:
        token.parse_act(found.token)
    return found


def parse_file(octets: bytes) -> list[Bundle]:
    """Read a file that is one bundle, or many, one a line (JSON Lines); refuses as `parse`, naming the line."""
    lines = octets.splitlines()
    try:
        return [parse(canonical.parse(octets, MAX_OCTETS))]
    except Refusal:
        if len(lines) < 2 or not lines[0].rstrip().endswith(b"}"):  # noqa: PLR2004 - one line is no list
            raise
    return [_parse_line(number, line) for number, line in enumerate(lines, 1) if line.strip()]


def is_elsewhere(record: Record, bundle: Bundle) -> bool:
    """Tell whether a bundle is of another service than those the journal speaks of."""
    services = {key[0] for key in record.acts}
    return bool(services) and not services & {key[0] for key in bundle.acts()}


def compare(record: Record, where: str, bundle: Bundle, keys: Keys) -> Iterator[Finding]:
    """Hold one bundle, which `where` names, against the journal: check 9."""
    named = bundle.acts()
    if len(named) != 1:
        yield Finding(Fault.EVIDENCE, where, "token, receipt and offer are not of one act")
        return
    key = named.pop()
    where = f"{where}, act {key[2]}"
    yield from (Finding(Fault.EVIDENCE, where, says) for says in _signatures(bundle, keys))
    act = record.acts.get(key)
    if act is None:
        said = bundle.receipt[0] if bundle.receipt is not None else None
        if said is not None and not record.may_be_erased(Kind.FINISHED, said.iat):
            yield Finding(Fault.ONLY_PERSON, where, f"the person has a receipt ({said.status}), the service no record")
        return
    yield from _compare_spent(where, bundle, act)
    yield from _compare_receipts(record, where, bundle, act)


def _signatures(bundle: Bundle, keys: Keys) -> Iterator[str]:
    if bundle.receipt is not None:
        yield from signature_faults("the receipt", bundle.receipt[1], receipt.FAULTS, keys)
    if bundle.offer is not None:
        yield from signature_faults("the offer", bundle.offer[1], offer.FAULTS, keys)


def _compare_spent(where: str, bundle: Bundle, act: Act) -> Iterator[Finding]:
    if bundle.token_text is None and bundle.receipt_text is None:
        yield Finding(Fault.ONLY_SERVICE, where, "the service has a spend, the person neither token nor receipt")
    if bundle.token is not None and bundle.token_text is not None and act.spent is not None:
        differing = token_faults(bundle.token, act.spent)
        if differing:
            yield Finding(Fault.EVIDENCE, where, f"the token is not the one that was spent: {', '.join(differing)}")
        elif act.token not in (None, canonical.sha256(bundle.token_text.encode())):
            yield Finding(Fault.EVIDENCE, where, "the token is not the one in the journal, octet by octet")
    for name, digest in _other_digests(bundle):
        if act.spent is not None and digest != act.spent["act_digest"]:
            yield Finding(Fault.EVIDENCE, where, f"the {name} is of another act than the spend")


def _other_digests(bundle: Bundle) -> Iterator[tuple[str, str]]:
    if bundle.receipt is not None:
        yield "receipt", bundle.receipt[0].act_digest
    if bundle.offer is not None:
        yield "offer", bundle.offer[0].act.digest


def _compare_receipts(record: Record, where: str, bundle: Bundle, act: Act) -> Iterator[Finding]:
    texts = [ended.receipt for ended in act.ended]
    if bundle.receipt_text is None:
        if texts:
            yield Finding(
                Fault.ONLY_SERVICE, where, f"the service has a receipt ({act.ended[-1].state}), the person none"
            )
    elif bundle.receipt_text in texts:
        if bundle.receipt_text != texts[-1]:
            yield Finding(Fault.ONLY_SERVICE, where, f"the service has a later receipt ({act.ended[-1].state})")
    elif texts:
        yield Finding(Fault.EVIDENCE, where, "the person's receipt is not the service's: there are two for one act")
    elif not record.may_be_erased(Kind.FINISHED, act.since):
        yield Finding(Fault.ONLY_PERSON, where, "the person has a receipt, the service no outcome")


def _parse_line(number: int, line: bytes) -> Bundle:
    try:
        return parse(canonical.parse(line, MAX_OCTETS))
    except Refusal as refusal:
        raise Refusal(refusal.reason, f"line {number}: {refusal.detail}") from refusal


def _named(members: Mapping[str, Json]) -> Key | None:
    if not members.keys() >= set(_NAMES):
        return None
    resource, issuer, txn = (form.text(members[name], _MALFORMED) for name in _NAMES)
    return resource, issuer, txn


def _text(members: Mapping[str, Json], name: str) -> str | None:
    if name not in members:
        raise Refusal(_MALFORMED, f"a bundle without the member {name}")
    value = members[name]
    return None if value is None else form.text(value, _MALFORMED, MAX_OCTETS)
