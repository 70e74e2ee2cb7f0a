"""Tools of a service without any framework, and what a model is told of each end."""

from __future__ import annotations

import pytest

from oneact.agent import Agent, AgentError, Denied, Expired, Refused, Result, TermsChanged, Undecided
from oneact.agent.integrations import told, wish
from oneact.protocol.receipt import Receipt
from tests.agent.stage import Stage, agent, flight, stage

__all__ = ["agent", "stage"]


async def test_a_tool_says_what_its_action_is_and_takes(stage: Stage, agent: Agent) -> None:
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    assert tool.name == "book_flight"
    assert "Book a flight" in tool.description
    assert "{from}" in tool.description
    assert "/parameters" not in tool.description
    assert {"from", "to", "date"} <= tool.schema["properties"].keys()
    async with stage.approving():
        assert "reference" in await tool(**flight())


async def test_the_protocols_own_actions_are_offered_to_a_model_only_by_name(stage: Stage, agent: Agent) -> None:
    assert not any(tool.published.startswith("oneact.") for tool in await agent.tools(stage.air))
    [unlink] = await agent.tools(stage.air, only=["oneact.unlink"])
    assert unlink.name == "oneact_unlink"


async def test_a_name_that_the_service_does_not_publish_is_refused(stage: Stage, agent: Agent) -> None:
    with pytest.raises(Refused) as refused:
        await agent.tools(stage.air, only=["book_flight", "fly"])
    assert refused.value.reason == "action_unknown"
    assert "fly" in str(refused.value)


async def test_parameters_that_do_not_fit_are_told_and_nobody_is_asked(stage: Stage, agent: Agent) -> None:
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    asked = stage.asked()
    for wrong in ({"to": 7}, flight(bags=99), flight(bags=1.5), flight(extra="x")):
        found = await tool.call(wrong)
        assert found.failed
        assert "Nothing was done" in found.text
    assert stage.asked() == asked


RECEIPT = Receipt("https://air.example", "https://approve.example", "s", "t", "j", "d", 1, "executed", None)
FAILED = Receipt("https://air.example", "https://approve.example", "s", "t", "j", "d", 1, "failed", None)
ENDS: list[tuple[Result | AgentError, bool, str]] = [
    (Result(201, "application/json", b'{"a":1}', RECEIPT, ""), False, '{"a":1}'),
    (Result(409, "application/json", b"{}", FAILED, ""), True, "failed (409)"),
    (Result(0, "", None, RECEIPT, ""), False, "was executed before"),
    (Result(0, "", None, FAILED, ""), True, "failed before"),
    (Result(200, "text/plain", b"plain", None, ""), False, "plain"),
    (Denied("Too dear"), True, "Too dear"),
    (Denied(), True, "said no"),
    (Expired("nobody"), True, "Nobody decided"),
    (Undecided("i", "https://approve.example/inbox"), True, "https://approve.example/inbox"),
    (Refused("parameters_invalid", "They do not fit", 422), True, "parameters_invalid"),
    (Refused("unlinked_service", "", 403, "https://air.example/link"), True, "https://air.example/link"),
    (Refused("idempotency_conflict", "", 409), True, "other arguments"),
    (Refused("idempotency_conflict", "", 409, earlier=RECEIPT), True, "begun then is executed"),
    (TermsChanged("", 401, {"price": "1"}, {"price": "2"}), True, '{"price":"2"}'),
    (TermsChanged("", 401, {"price": "1"}, None), True, "{}"),
]


@pytest.mark.parametrize(("end", "failed", "says"), ENDS)
def test_each_end_is_told_in_words_of_its_own(end: Result | AgentError, failed: bool, says: str) -> None:  # noqa: FBT001 - a column
    found = told(end)
    assert found.failed is failed
    assert says in found.text
    assert found.result is (end if isinstance(end, Result) else None)


def test_a_call_is_named_by_all_its_parts_in_their_order() -> None:
    named = {wish("a", "bc"), wish("ab", "c"), wish("bc", "a"), wish("a", "b", "c")}
    assert len(named) == 4
    assert all(len(name) == 43 for name in named)
