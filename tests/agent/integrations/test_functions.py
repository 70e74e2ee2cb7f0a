"""An agent's own functions, each call approved, against the real approval server."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Any

import httpx
import pytest
from pydantic import BaseModel

from oneact.agent import Agent, Denied, OutcomeUnknown, Refused, Unreachable
from oneact.agent.integrations import told
from oneact.agent.integrations.local import Call
from tests.agent.integrations.linked import agent
from tests.agent.stage import Stage, stage

__all__ = ["agent", "stage"]


class Order(BaseModel):
    item: str
    price: Decimal


class Opaque:
    pass


def page(stage: Stage, identifier: str) -> str:
    return str(stage.person.get(f"/requests/{identifier}").text)


async def test_a_function_runs_once_with_what_was_shown_by_name(stage: Stage, agent: Agent) -> None:
    sent: list[Any] = []
    shown: list[str] = []

    @agent.approved("Send a message", "To {to}")
    async def send(to: str, text: str = "hello", copies: int = 1) -> dict[str, Any]:
        sent.append((to, text, copies))
        return {"sent": to}

    def decide(found: list[str]) -> None:
        shown.append(page(stage, found[0]))
        stage.approve(*found)

    async with stage.deciding(decide):
        assert await send("ada@example", copies=2) == {"sent": "ada@example"}
    assert sent == [("ada@example", "hello", 2)]
    assert all(text in shown[0] for text in ("ada@example", "hello", "Send a message", "stops the model"))


async def test_arguments_of_any_type_are_shown_and_come_as_they_were(stage: Stage, agent: Agent) -> None:
    @agent.approved()
    def place(order: Order, on: date, weights: list[float], note: str | None = None) -> Order:
        assert (on, weights, note) == (date(2024, 3, 1), [1.5], None)
        return order

    async with stage.approving():
        found = await place(Order(item="lamp", price=Decimal("7.50")), date(2024, 3, 1), [1.5])
    assert found == Order(item="lamp", price=Decimal("7.50"))


async def test_a_no_raises_with_the_persons_words_and_nothing_runs(stage: Stage, agent: Agent) -> None:
    ran: list[str] = []

    @agent.approved()
    def wipe(folder: str) -> None:
        ran.append(folder)

    async with stage.denying("Never"):
        with pytest.raises(Denied) as denied:
            await wipe("/")
    assert (denied.value.message, ran) == ("Never", [])


async def test_what_a_function_raises_is_raised_and_its_outcome_is_not_said_to_be_known(
    stage: Stage, agent: Agent
) -> None:
    @agent.approved()
    def fail(word: str) -> None:
        raise LookupError(word)

    async with stage.approving():
        with pytest.raises(LookupError):
            await fail("x")


async def test_an_argument_that_is_changed_while_the_person_is_asked_is_refused(stage: Stage, agent: Agent) -> None:
    ran: list[Any] = []
    meant = {"to": ["ada@example"]}

    @agent.approved()
    def send(mail: dict[str, list[str]]) -> None:
        ran.append(mail)

    def decide(found: list[str]) -> None:
        meant["to"].append("eve@example")
        stage.approve(*found)

    async with stage.deciding(decide):
        with pytest.raises(Refused) as refused:
            await send(meant)
    assert (refused.value.reason, ran) == ("act_mismatch", [])


async def test_what_runs_is_made_anew_of_what_was_approved(stage: Stage, agent: Agent) -> None:
    meant = {"to": ["ada@example"]}

    @agent.approved()
    async def send(mail: dict[str, list[str]]) -> dict[str, list[str]]:
        meant["to"].append("eve@example")
        return mail

    async with stage.approving():
        assert await send(meant) == {"to": ["ada@example"]}


async def test_calls_with_one_key_run_once_and_get_one_answer(stage: Stage, agent: Agent) -> None:
    runs: list[Any] = []

    def call() -> Call:
        async def run(arguments: dict[str, Any]) -> int:
            runs.append(arguments)
            return 7

        properties = {"a": {"type": "string"}, "times": {"type": "integer", "default": 3}}
        schema = {"type": "object", "properties": properties, "required": ["a"]}
        return Call("once", schema, {"a": "b"}, run, "Do it once")

    functions = agent.functions()
    async with stage.approving():
        found = await asyncio.gather(*(functions.call(call(), key="racing") for _ in range(5)))
    assert (found, runs) == ([7] * 5, [{"a": "b", "times": 3}])
    assert await functions.call(call(), key="racing") == 7
    stage.server.execute("UPDATE requests SET token_exp = 1")
    with pytest.raises(OutcomeUnknown):
        await functions.call(call(), key="racing")
    assert len(runs) == 1


async def test_an_act_within_a_function_does_not_run_that_function_again(stage: Stage, agent: Agent) -> None:
    ran: list[str] = []

    @agent.approved()
    async def inner(to: str) -> None:
        ran.append(f"inner {to}")

    @agent.approved()
    async def outer(to: str) -> None:
        ran.append(f"outer {to}")
        guard = await agent.functions()._open()
        async with stage.approving():
            with pytest.raises(OutcomeUnknown):
                await agent.act(guard.resource, "inner", {"to": "eve"})

    async with stage.approving():
        await inner("ada")
    async with stage.approving():
        await outer("ada")
    assert ran == ["inner ada", "outer ada"]


async def test_an_act_does_not_come_by_the_local_address(stage: Stage, agent: Agent) -> None:
    @agent.approved()
    def send(to: str) -> None:
        """Send nothing."""

    async with stage.approving():
        await send("x")
    [[resource]] = stage.server.execute("SELECT resource FROM requests ORDER BY created_at DESC LIMIT 1")
    async with httpx.AsyncClient() as other:
        asked = {"action": "send", "parameters": {"to": "x"}}
        accept = {"Accept-Txn-Challenge": f'?1;as="{stage.server.url}"'}
        assert (await other.post(resource + "/oneact/act", json=asked, headers=accept)).status_code == 404
        assert (await other.get(resource + "/start?key=guessed")).status_code == 401
        assert (await other.get(resource + "/oneact/link")).status_code == 401
        rebound = await other.get(resource + "/oneact/actions", headers={"Host": "evil.example"})
        assert rebound.status_code == 404
        assert (await other.get(resource + "/oneact/actions")).status_code == 200


async def test_a_second_process_does_not_serve_the_same_functions(stage: Stage, agent: Agent) -> None:
    @agent.approved()
    def send(to: str) -> str:
        return to

    async with stage.approving():
        assert await send("x") == "x"
    async with await Agent.open(stage.server.url, key_file=stage.key_file) as second:
        with pytest.raises(Unreachable):
            await second.approved()(lambda: None)()


def test_what_could_not_be_shown_is_refused_when_it_is_declared(agent: Agent) -> None:
    def anything(*names: str) -> None: ...
    def more(**names: str) -> None: ...
    def opaque(it: Opaque) -> None: ...
    def unknown(it: Nobody) -> None: ...  # type: ignore[name-defined] # noqa: F821 - that is the point

    for function in (anything, more, opaque, unknown):
        with pytest.raises(ValueError, match=function.__name__):
            agent.approved()(function)


async def test_where_functions_are_linked_is_shown_to_the_person_and_not_told_to_the_model(
    stage: Stage, agent: Agent
) -> None:
    @agent.approved()
    def send(to: str) -> str:
        return to

    async with stage.approving():
        assert await send("x") == "x"
    [[resource, link]] = stage.server.execute(
        "SELECT resource, id FROM links WHERE state = 'linked' AND resource != ?", stage.air
    )
    assert stage.person.submit(f"/services/{link}/unlink").status_code == 303
    shown: list[str] = []
    agent.functions(on_link=shown.append)
    with pytest.raises(Refused) as refused:
        await send("y")
    assert (refused.value.reason, refused.value.link_uri) == ("unlinked_service", "")
    assert [address.startswith(resource + "/start?key=") for address in shown] == [True]
    assert shown[0].partition("=")[2] not in told(refused.value).text
