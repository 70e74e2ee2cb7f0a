"""A service or an approval server that cannot be reached must not look like an answer to the model."""

from __future__ import annotations

from dataclasses import replace

import pytest

from oneact.agent import Agent, OutcomeUnknown, Refused, Unreachable
from oneact.agent.integrations import told
from tests.agent.integrations import frameworks
from tests.agent.stage import Stage, agent, flight, stage
from tests.ports import free_port

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_an_outage_ends_the_run(stage: Stage, agent: Agent, name: str) -> None:
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    gone = replace(tool, service=f"http://localhost:{free_port()}")
    with pytest.raises(Exception, match="cannot be reached") as raised:
        await frameworks.ALL[name].run(gone, "gone", flight())
    assert isinstance(raised.value.__cause__ or raised.value, Unreachable)


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("gone"),
        OutcomeUnknown("txn"),
        Refused("store_unavailable", "", 503),
        Refused("http_502", "", 502),
        Refused("rate_limited", "", 429),
        Refused("hint_unknown", "", 400),
    ],
)
def test_what_is_no_word_of_service_or_person_is_not_worded_for_a_model(error: Exception) -> None:
    with pytest.raises(type(error)):
        told(error)  # type: ignore[arg-type]
