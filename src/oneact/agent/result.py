"""What an author gives and gets: parameters read as strictly as the service reads them, and the end of an act."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from oneact.agent.errors import AgentError, Refused, as_refused
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from oneact.protocol.canonical import Json
    from oneact.protocol.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Result:
    """One act that was done, or a request that needed no approval.

    `receipt` is the service's verified word (None where no approval was asked for), `jws` its signed form. `body` is
    None where only the receipt is left of an answer that was lost.
    """

    status: int
    content_type: str
    body: bytes | None
    receipt: Receipt | None
    jws: str

    @property
    def txn(self) -> str:
        """Give the transaction identifier, empty for a request without approval."""
        return self.receipt.txn if self.receipt else ""

    def json(self) -> Any:  # noqa: ANN401 - whatever the service answers
        """Give the body as JSON."""
        return json.loads(self.body or b"null")


async def ended(way: Awaitable[Result]) -> Result | AgentError:
    """Give what an act ends with, also where that is an error."""
    try:
        return await way
    except AgentError as error:
        return error


def is_still(parameters: dict[str, Json], asked: dict[str, Json]) -> bool:
    """Tell whether the author's own object is what was asked for, to the letter."""
    try:
        return canonical.encode(strict(parameters)) == canonical.encode(asked)
    except Refused:
        return False


def strict(parameters: dict[str, Json]) -> dict[str, Json]:
    """Read the author's own parameters as strictly as the service will; what does not fit is refused here."""
    try:
        text = json.dumps(parameters, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise Refused("json_malformed", str(error)) from error
    with as_refused():
        value = canonical.parse(text.encode())
    return value if isinstance(value, dict) else {}
