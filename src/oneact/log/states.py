"""The states that the log tells of, to be held against those that the database has.

There is no state without its entry, and no entry without its state. Each state is a room, an identifier in it, and a
text that holds everything on which a decision rests:

| room | identifier | text |
|---|---|---|
| account | account | its name |
| passkey | credential | account, public key or `removed` |
| pairing | pairing | account, client, key thumbprint, `paired`, `blocked` or `removed` |
| link | link | account, `linked` or `unlinked`, roster |
| request | request | account, state, service, `txn`, act digest, display digest |
| receipt | request | the receipt |
| finding | finding | account, what was found, service, `txn` |
| read | session | account, `pending`, `opened`, `denied` or `ended`, display digest, what it is for |
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, TypeAlias

from oneact.log.entry import Kind
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from oneact.log.entry import Entry
    from oneact.protocol.canonical import Json

State: TypeAlias = tuple[str, str]
_REQUEST_STATES: Final = {
    Kind.APPROVED: "approved",
    Kind.DENIED: "denied",
    Kind.EXPIRED: "expired",
    Kind.CANCELLED: "cancelled",
    Kind.TOKEN_ISSUED: "issued",
}
_READ_STATES: Final = {Kind.READ_OPENED: "opened", Kind.READ_DENIED: "denied", Kind.READ_ENDED: "ended"}
_PAIRING_STATES: Final = {Kind.AGENT_BLOCKED: "blocked", Kind.AGENT_REMOVED: "removed"}


class Told:
    """What the entries told so far come to; `tell` them in their order."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.states: dict[State, str] = {}
        self._linked: dict[tuple[str, str], str] = {}
        self._tellings: dict[Kind, Callable[[Entry], None]] = {
            Kind.ACCOUNT_CREATED: self._account,
            Kind.PASSKEY_ADDED: self._passkey,
            Kind.PASSKEY_REMOVED: self._passkey,
            Kind.AGENT_PAIRED: self._paired,
            Kind.SERVICE_LINKED: self._link,
            Kind.ROSTER_CHANGED: self._link,
            Kind.SERVICE_UNLINKED: self._unlink,
            Kind.ASKED: self._asked,
            Kind.RECEIPT: self._receipt,
            Kind.FINDING: self._finding,
            **dict.fromkeys(_PAIRING_STATES, self._pairing),
            **dict.fromkeys(_REQUEST_STATES, self._request),
            Kind.READ_ASKED: self._read_asked,
            **dict.fromkeys(_READ_STATES, self._read),
        }

    def tell(self, entry: Entry) -> None:
        """Take in one entry; kinds that change no state pass."""
        telling = self._tellings.get(entry.kind)
        if telling is not None:
            telling(entry)

    def _account(self, entry: Entry) -> None:
        self.states["account", entry.account] = _text(entry, "name")

    def _passkey(self, entry: Entry) -> None:
        added = entry.content.get("passkey")
        if isinstance(added, dict):
            self.states["passkey", str(added.get("id"))] = f"{entry.account} {added.get('public_key')}"
        else:
            self.states["passkey", _text(entry, "id")] = f"{entry.account} removed"

    def _paired(self, entry: Entry) -> None:
        named = f"{entry.account} {_text(entry, 'client_id')} {_text(entry, 'jkt')}"
        self.states["pairing", _text(entry, "pairing")] = f"{named} paired"

    def _pairing(self, entry: Entry) -> None:
        at = ("pairing", _text(entry, "pairing"))
        self.states[at] = _last_word(self.states.get(at, ""), _PAIRING_STATES[entry.kind])

    def _link(self, entry: Entry) -> None:
        link, place = _text(entry, "link"), (entry.account, _text(entry, "service"))
        before = self._linked.get(place, link)
        if before != link:  # a new link to the same service ends the one before
            self._end(before)
        self._linked[place] = link
        roster = canonical.encode(entry.content.get("roster")).decode()
        self.states["link", link] = f"{entry.account} linked {roster}"

    def _unlink(self, entry: Entry) -> None:
        self._linked.pop((entry.account, _text(entry, "service")), None)
        self._end(_text(entry, "link"))

    def _end(self, link: str) -> None:
        account, _, rest = self.states.get(("link", link), "").partition(" ")
        self.states["link", link] = f"{account} unlinked {rest.partition(' ')[2]}"

    def _asked(self, entry: Entry) -> None:
        rest = " ".join(_text(entry, name) for name in ("service", "txn", "act_digest", "display"))
        self.states["request", entry.request] = f"{entry.account} pending {rest}"

    def _request(self, entry: Entry) -> None:
        at = ("request", entry.request)
        account, _, rest = self.states.get(at, "").partition(" ")
        self.states[at] = f"{account} {_REQUEST_STATES[entry.kind]} {rest.partition(' ')[2]}"

    def _read_asked(self, entry: Entry) -> None:
        details = canonical.encode(entry.content.get("details")).decode()
        self.states["read", entry.request] = f"{entry.account} pending {_text(entry, 'display')} {details}"

    def _read(self, entry: Entry) -> None:
        at = ("read", entry.request)
        account, _, rest = self.states.get(at, "").partition(" ")
        self.states[at] = f"{account} {_READ_STATES[entry.kind]} {rest.partition(' ')[2]}"

    def _receipt(self, entry: Entry) -> None:
        self.states["receipt", entry.request] = _text(entry, "receipt")

    def _finding(self, entry: Entry) -> None:
        rest = " ".join(_text(entry, name) for name in ("finding", "service", "txn"))
        self.states["finding", _text(entry, "id")] = f"{entry.account} {rest}"


def differences(told: Told, held: Iterable[tuple[str, str, str]]) -> list[str]:
    """Give a sentence for each state that the log and the database (rooms, identifiers, texts) do not agree on."""
    left, found = dict(told.states), []
    for room, identifier, text in held:
        said = left.pop((room, identifier), None)
        if said is None:
            found.append(f"the {room} {identifier} stands in the database, but the log never told of it")
        elif said != text:
            found.append(f"the {room} {identifier} is another in the database than the log tells")
    return [*found, *(f"the {room} {identifier} is gone from the database" for room, identifier in left)]


def _last_word(text: str, word: str) -> str:
    return f"{text.rpartition(' ')[0]} {word}"


def _text(entry: Entry, name: str) -> str:
    value: Json = entry.content.get(name)
    return value if isinstance(value, str) else ""
