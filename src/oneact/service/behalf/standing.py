"""Where a held call stands, as it is told to the program that made it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from oneact.service.exchange import Answer
    from oneact.service.store.holding import End


@dataclass(frozen=True, slots=True)
class Standing:
    """One call: `page` is where its person decides, `expires` the second at which nobody can decide any more.

    `created` is the second at which it was made. `said` is the person's words of a denial, or the reason of a refusal.
    `answer` is the handler's own, once it was executed, with its receipt among the header fields; None where only
    `receipt` is left, or an outcome that nobody knows (`receipt` then says `unknown`).
    """

    id: str
    state: Literal["held"] | End
    page: str
    expires: int
    said: str = ""
    answer: Answer | None = None
    receipt: str = ""
    created: int = 0
