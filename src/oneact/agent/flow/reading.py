"""The way of a read as its agent goes it: have a session opened once, then read with tokens that are renewed.

read what is published -> ask the approval server -> poll -> request with token; and so on without the person.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final
from urllib.parse import quote, urlencode

from oneact.agent.errors import Refused
from oneact.agent.flow import steps, waiting
from oneact.agent.flow.steps import Answer, Call, Lost
from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, reading

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from oneact.agent.flow.steps import Asker, Event, Step
    from oneact.protocol.canonical import Json
    from oneact.protocol.metadata import ServiceMetadata
    from oneact.protocol.reading import Read

_GRANT: Final = "urn:openid:params:grant-type:ciba"
_SPARE: Final = 10  # seconds for which a token has to be good still, to be used
_REDIRECTION: Final = 300  # never followed, and so as little an answer as what comes after it
_UNAUTHORIZED: Final = 401


@dataclass(frozen=True, slots=True)
class Session:
    """A session that is open: the service, the reads by name, the token in hand and the second at which it ends."""

    resource: str
    identifier: str
    reads: dict[str, Read]
    token: str
    until: int


def published(described: ServiceMetadata) -> Generator[Step, Event, dict[str, Read]]:
    """Give the reads that a service publishes, by name; raises `Unreachable`."""
    document = yield from steps.document(described.actions_uri)
    listed = document.get("reads", []) if isinstance(document, dict) else []
    if not isinstance(listed, list):
        raise Refusal(Reason.READ_UNKNOWN, "no array of reads")
    return {found.name: found for found in map(reading.parse_read, listed)}


def open_session(
    asker: Asker, described: ServiceMetadata, names: Sequence[str], seconds: int
) -> Generator[Step, Event, Session]:
    """Ask for a session, and wait for the person; raises `Denied`, `Expired`, `Refused` or `Unreachable`."""
    known = yield from published(described)
    if not all(name in known for name in names):
        raise Refused(Reason.READ_UNKNOWN.value, Reason.READ_UNKNOWN.says)
    wanted = reading.want(described.resource, [known[name] for name in names], seconds)
    details = canonical.encode(wanted.details()).decode()
    form = {"scope": "openid", "login_hint": asker.hint, "authorization_details": details}
    if asker.reason:
        form["binding_message"] = asker.reason
    address = asker.server.endpoints.get("backchannel_authentication_endpoint", "")
    if not address:
        raise Refused(Reason.METADATA_INVALID.value, "the approval server takes no requests without an offer")
    answer = steps.arrived((yield Call("POST", address, {}, form, authenticated=True)), "the approval server")
    identifier = answer.member("auth_req_id")
    if not identifier:
        raise steps.refused(answer)
    asked = waiting.Asked(identifier, joined=False, at=answer.now)
    decided = yield from waiting.decided(asker, asked, answer.now + asker.patience, _poll)
    reads = {name: known[name] for name in names}
    return Session(described.resource, identifier, reads, decided.member("access_token"), _end(decided))


def fetch(
    session: Session, name: str, parameters: dict[str, Json], asker: Asker, now: int
) -> Generator[Step, Event, tuple[Session, Answer]]:
    """Read once; give the answer, and the session with the token that it has by then.

    A token that is about to end is renewed before, and one that has ended after all is renewed once. Raises `Refused`
    with `read_ended` where the session is over.
    """
    if now + _SPARE >= session.until:
        session = yield from _renewed(session, asker)
    answer = yield from _once(session, name, parameters)
    if answer.status == _UNAUTHORIZED and answer.member("reason") == Reason.TOKEN_EXPIRED.value:
        session = yield from _renewed(session, asker)
        answer = yield from _once(session, name, parameters)
    if answer.status >= _REDIRECTION:
        raise steps.refused(answer)
    return session, answer


def _once(session: Session, name: str, parameters: dict[str, Json]) -> Generator[Step, Event, Answer]:
    event = yield _call(session, name, parameters)
    if isinstance(event, Lost):  # reading changes nothing: once more is no harm
        event = yield _call(session, name, parameters)
    return steps.arrived(event, "the service")


def _renewed(session: Session, asker: Asker) -> Generator[Step, Event, Session]:
    event = yield _poll(asker, session.identifier, 0)
    answer = steps.arrived(event, "the approval server")
    issued = answer.member("access_token")
    if not issued:
        raise steps.refused(answer)
    return replace(session, token=issued, until=_end(answer))


def _end(answer: Answer) -> int:
    """Give the second at which the token of an answer ends."""
    left = answer.members().get("expires_in")
    return answer.now + (left if type(left) is int else 0)


def _poll(asker: Asker, identifier: str, seconds: int) -> Call:
    headers = {"Prefer": f"wait={max(0, min(waiting.LONGEST, seconds))}"}
    form = {"grant_type": _GRANT, "auth_req_id": identifier}
    return Call("POST", asker.server.endpoints["token_endpoint"], headers, form, authenticated=True)


def _call(session: Session, name: str, parameters: dict[str, Json]) -> Call:
    """Give the request of a read: parameters that its path names stand there, all others in the query."""
    path, left = session.reads[name].path, dict(parameters)
    for given in list(left):
        if f"{{{given}}}" in path:
            path = path.replace(f"{{{given}}}", quote(_text(left.pop(given)), safe=""))
    if "{" in path:
        raise Refused(Reason.PARAMETERS_INVALID.value, f"the path {path} lacks a parameter")
    query = urlencode({given: _text(value) for given, value in left.items()})
    return Call("GET", session.resource + path + (f"?{query}" if query else ""), token=session.token)


def _text(value: Json) -> str:
    return value if isinstance(value, str) else canonical.encode(value).decode()
