"""What the guard of forms asks of the service's database: submissions that wait for a person's approval."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, runtime_checkable

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url, canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

End = Literal["done", "denied", "expired", "refused"]
DELIVERED: Final = "delivered"  # what is `said` of an executed one whose outcome has reached who submitted it
KEPT: Final = 3600  # seconds for which the end of a submission can be looked at
OCTETS_OF_ACCOUNT: Final = 32 * 1024 * 1024  # as they are stored, a third more than as they were received
OCTETS_IN_ALL: Final = 256 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Submission:
    """A form as it was received: what it takes to give it to the application again, and the parameters made of it."""

    action: str
    parameters: dict[str, Json]
    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def text(self) -> str:
        """Give it as text."""
        return json.dumps({**asdict(self), "body": base64url.encode(self.body)}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Question:
    """What the person is asked: the offer, where it is asked and of whom, and the lines that are shown."""

    offer: str
    iss: str
    sub: str
    txn: str
    lines: tuple[tuple[str, str, str, str], ...]


@dataclass(frozen=True, slots=True)
class Held:
    """A submission with what became of it; `session` is the digest of what the browser holds, times are seconds.

    `same` is the digest of what it asks for. `asked` is the request's identifier at the approval server and `page` its
    address, empty until it has been asked. `said` is the person's words of a denial, or the reason of a refusal;
    `headers` are those of the handler's answer. `submission` is None where it can be given to nobody any more.
    """

    id: str
    session: str
    account: str
    same: str
    submission: Submission | None
    question: Question
    created: int
    expires: int
    asked: str = ""
    page: str = ""
    state: Literal["held"] | End = "held"
    said: str = ""
    headers: tuple[tuple[str, str], ...] = ()


@runtime_checkable
class Holding(Protocol):
    """A store that holds submissions. Every change is atomic and durable, as `Store` says."""

    async def hold(self, held: Held, account: int, total: int) -> Held:
        """Hold a new submission, and give it; or the one that stands: held, of this browser, account and `same`.

        Refuses `rate_limited` where so many of this account, or in all, are held, or where what is kept of them,
        executed ones too, would pass `OCTETS_OF_ACCOUNT` or `OCTETS_IN_ALL`.
        """
        ...

    async def find_held(self, identifier: str) -> Held | None:
        """Give a submission."""
        ...

    async def done_before(self, held: Held) -> Held | None:
        """Give the last submission of the same browser, account and `same` that was executed."""
        ...

    async def asked(self, identifier: str, request: str, page: str) -> None:
        """Record where a submission has been asked for."""
        ...

    async def told_held(self, identifier: str) -> None:
        """Record that the outcome of an executed submission has reached who submitted it."""
        ...

    async def end_held(self, held: Held, state: End, said: str, headers: tuple[tuple[str, str], ...] = ()) -> None:
        """Record the end of a submission that is held; only of what was executed is the submission itself kept."""
        ...


def read(row: dict[str, Any]) -> Held:
    """Give the submission of a row; refuses `internal` for what is none."""
    try:
        question = json.loads(row["question"])
        found = json.loads(row["submission"]) if row["submission"] else None
        submission = None
        if found is not None:
            headers = tuple((name, value) for name, value in found["headers"])
            submission = Submission(**{**found, "headers": headers, "body": base64url.decode(found["body"])})
        lines = tuple((line[0], line[1], line[2], line[3]) for line in question["lines"])
        asks = Question(**{**question, "lines": lines})
        return Held(
            row["id"], row["session"], row["account"], row["same"], submission, asks,
            row["created"], row["expires"], row["asked"], row["page"], row["state"], row["said"],
            tuple((name, value) for name, value in json.loads(row["headers"])),
        )  # fmt: skip
    except (KeyError, TypeError, ValueError) as error:
        raise Refusal(Reason.INTERNAL, f"a held submission cannot be read: {error}") from error


def written(question: Question) -> str:
    """Give a question as text."""
    return json.dumps(asdict(question), ensure_ascii=False)


def same(action_digest: str, parameters: dict[str, Json]) -> str:
    """Give the digest by which a submission is known again: what exactly is asked for."""
    return canonical.digest({"action": action_digest, "parameters": parameters})
