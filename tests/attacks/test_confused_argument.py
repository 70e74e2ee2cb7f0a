"""An argument that is another thing when it is made anew of what was shown, though its JSON is the same."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pydantic import BaseModel

from oneact.agent import Agent, Refused
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, stage

__all__ = ["agent", "stage"]


class Transfer(BaseModel):
    amount: int


class Refund(BaseModel):
    amount: int


class Traced(Transfer):
    to: str


@pytest.mark.parametrize("meant", [Refund(amount=5), Traced(amount=5, to="ada")])
async def test_a_function_does_not_run_with_another_kind_of_thing(stage: Stage, agent: Agent, meant: Any) -> None:
    ran: list[Any] = []

    @agent.approved()
    def book(it: Transfer | Refund) -> None:
        ran.append(it)

    asked = stage.asked()
    with pytest.raises(Refused) as refused:
        await asyncio.wait_for(book(meant), 10)
    assert (refused.value.reason, ran, stage.asked()) == ("parameters_invalid", [], asked)


async def test_a_coroutine_that_a_function_gives_has_run_when_its_act_is_done(stage: Stage, agent: Agent) -> None:
    ran: list[str] = []

    async def send(to: str) -> str:
        ran.append(to)
        return "sent"

    def plainly(to: str) -> Any:
        return send(to)

    call: Any = agent.approved()(plainly)
    async with stage.approving():
        assert await call("ada") == "sent"
    assert ran == ["ada"]


def test_a_function_that_runs_only_when_it_is_iterated_is_refused(agent: Agent) -> None:
    def some(to: str) -> Any:
        yield to

    async def more(to: str) -> AsyncIterator[str]:
        yield to

    for function in (some, more):
        with pytest.raises(ValueError, match=function.__name__):
            agent.approved()(function)  # type: ignore[arg-type]
