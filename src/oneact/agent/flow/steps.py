"""What a flow is made of: the requests and pauses it asks for, what comes back, who wants what of whom."""

from __future__ import annotations

from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from oneact.agent.errors import Refused, Unreachable
from oneact.errors import Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServerMetadata
    from oneact.protocol.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Call:
    """A request to make.

    `authenticated` calls carry client assertion and proof, `proved` ones a proof alone, `token` the action token and
    a proof.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] | None = None
    body: bytes | None = None
    authenticated: bool = False
    proved: bool = False
    token: str | None = None


@dataclass(frozen=True, slots=True)
class Wait:
    """A pause to make, in seconds."""

    seconds: int


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, at second `now`; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    now: int

    def members(self) -> dict[str, Json]:
        """Give the JSON object of the body; an empty one where it holds none."""
        try:
            value = canonical.parse(self.body)
        except Refusal:
            return {}
        return value if isinstance(value, dict) else {}

    def member(self, name: str) -> str:
        """Give a text member of the body, or an empty text."""
        value = self.members().get(name)
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Lost:
    """No answer came, or not whole; whether the request arrived is not known."""

    now: int


Step: TypeAlias = Call | Wait
Event: TypeAlias = Answer | Lost | None
Flow: TypeAlias = Generator[Step, Event, "Outcome"]


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Wanted:
    """What an author wants done: one request to a guarded address of a service.

    `action` and `parameters` are what the offer has to be for; None leaves the choice to the address. `still` tells,
    once the person has approved, whether the author means the same as when it was asked.
    """

    service: str
    method: str
    url: str
    body: bytes | None
    content_type: str
    action: str | None
    parameters: dict[str, Json] | None
    still: Callable[[], bool] = _always


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: the approval server's metadata, the hint and the key of this pairing, and how long to wait.

    `keeps` leaves a request standing that nobody has decided by then.
    """

    server: ServerMetadata
    hint: str
    client_id: str
    jkt: str
    idempotency_key: str
    reason: str = ""
    patience: int = 600
    keeps: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """An act's end: the answer of the service, and its receipt, verified; both None for a request without approval."""

    status: int
    content_type: str
    body: bytes | None
    receipt: Receipt | None
    jws: str


@dataclass(frozen=True, slots=True)
class Service:
    """A service by its identifier, and the keys that are known of it."""

    resource: str
    jwks_uri: str
    keys: Mapping[str, PublicKey]


def arrived(event: Event, whom: str) -> Answer:
    """Give what came back; raises `Unreachable` where nothing did."""
    if not isinstance(event, Answer):
        raise Unreachable(f"{whom} cannot be reached")
    return event


def refused(answer: Answer) -> Refused:
    """Read a refusal as either side words it."""
    reason = answer.member("reason") or answer.member("error") or f"http_{answer.status}"
    return Refused(reason, answer.member("error_description"), answer.status, field=answer.member("field"))


def document(url: str) -> Generator[Step, Event, Json]:
    """Fetch a JSON document that anyone may read; raises `Unreachable`."""
    answer = arrived((yield Call("GET", url)), url)
    if answer.status != 200:  # noqa: PLR2004 - OK
        raise Unreachable(f"{url} answered {answer.status}")
    return canonical.parse(answer.body)


def request(wanted: Wanted, headers: dict[str, str], issued: str | None = None) -> Call:
    """Give the request that an author wants, with what a step of the way adds to it."""
    typed = {"Content-Type": wanted.content_type} if wanted.body is not None else {}
    return Call(wanted.method, wanted.url, {**typed, **headers}, body=wanted.body, token=issued)
