"""Exactly once: a handler writes the spend in its own transaction, and what that committed is what was done."""

import asyncio
import contextlib
import signal
import sqlite3
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.rounds import rounds
from tests.service.bank import KINDS, Bank, prepare
from tests.service.conftest import link
from tests.service.processes import process, ready
from tests.service.world import ApprovalServer, Caller, calling, eventually, free_port, served

TURNS = range(rounds(1, 15))


@dataclass
class World:
    """A bank, in this process or in others, with an agent that calls it."""

    kind: str
    port: int
    folder: Path
    server: ApprovalServer
    caller: Caller

    def process(self, deadline: int = 1, beside: int = 0) -> Any:
        return process(self.kind, self.port, self.server, self.folder, deadline, beside, "bank")

    def rows(self, table: str = "transfers") -> list[Any]:
        with contextlib.closing(sqlite3.connect(self.folder / "bank.db")) as opened:
            return opened.execute(f"SELECT * FROM {table}").fetchall()  # noqa: S608 - a table of this test

    def go(self) -> None:
        (self.folder / "go").touch()

    async def token(self, note: str = "") -> tuple[str, dict[str, Any]]:
        body = {"to": "bob", "note": note}
        return await self.caller.approved(await self.caller.ask("POST", "/transfers", json=body)), body

    async def show(self, token: str, body: dict[str, Any], port: int = 0) -> httpx.Response:
        """Show the token, at another port of the same service where one is given."""
        url = self.caller.resource + "/transfers"
        headers = self.caller.agent.headers("POST", url, token, int(time.time()))
        return await self.caller.client.post(
            f"http://localhost:{port or self.port}/transfers", json=body, headers=headers
        )

    async def settled(self, token: str, body: dict[str, Any], port: int = 0) -> httpx.Response:
        """Show the token until the act is no longer told to be in progress."""
        answer = await self.show(token, body, port)
        while reason(answer) == (409, "act_in_progress"):
            await asyncio.sleep(0.1)
            answer = await self.show(token, body, port)
        return answer

    async def status(self, answer: httpx.Response) -> str:
        text = answer.headers.get("oneact-receipt") or answer.json()["receipt"]
        return (await self.caller.verified(text)).status


def reason(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("reason")


@contextlib.asynccontextmanager
async def there(kind: str, folder: Path, server: ApprovalServer) -> AsyncIterator[World]:
    port = free_port()
    resource = f"http://localhost:{port}"
    prepare(folder)
    await link(folder, resource, server)
    async with calling(server, resource) as caller:
        yield World(kind, port, folder, server, caller)


@pytest.fixture(params=KINDS)
async def absent(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> AsyncIterator[World]:
    """A bank of which no process runs yet."""
    async with there(request.param, tmp_path, server) as found:
        yield found


@pytest.fixture
async def bank(absent: World) -> AsyncIterator[World]:
    """A bank that runs, in a process of its own where Django's settings need one."""
    with contextlib.ExitStack() as running:
        if absent.kind == "django":
            running.enter_context(absent.process(2))
            await ready(absent.caller)
        else:
            made = Bank(absent.kind, absent.port, absent.server.issuer, absent.folder, 2)
            running.enter_context(served(made.app, absent.port))
        yield absent


async def test_effect_and_spend_are_committed_together_and_the_answer_is_kept(bank: World) -> None:
    token, body = await bank.token()
    first = await bank.show(token, body)
    assert first.status_code == 201
    again = await bank.show(token, body)
    assert reason(again) == (409, "already_spent")
    assert again.json()["receipt"] == first.headers["oneact-receipt"]
    assert again.json()["response"]["status"] == 201
    assert await bank.status(first) == "executed"
    assert len(bank.rows()) == len(bank.rows("oneact_spends")) == 1


@pytest.mark.parametrize("note", ["raise at first", "raise open", "twice"])
async def test_what_was_rolled_back_spends_nothing_and_the_same_token_runs_again(bank: World, note: str) -> None:
    token, body = await bank.token(note)
    first = await bank.show(token, body)
    assert reason(first) == (503, "act_rolled_back")
    assert first.json()["not_executed"] is True
    assert reason(await bank.show(token, body)) == (503, "act_rolled_back")
    assert bank.rows() == bank.rows("oneact_spends") == []


async def test_a_handler_that_rolls_back_and_refuses_is_believed_and_nothing_is_spent(bank: World) -> None:
    token, body = await bank.token("refuse")
    for _ in range(2):
        answer = await bank.show(token, body)
        assert answer.status_code == 409
        assert "sent" in answer.json()
        assert "oneact-receipt" not in answer.headers
    assert bank.rows() == bank.rows("oneact_spends") == []


async def test_what_was_committed_is_executed_though_the_handler_raised(bank: World) -> None:
    token, body = await bank.token("raise committed")
    first, again = await bank.show(token, body), await bank.show(token, body)
    assert reason(first) == reason(again) == (409, "already_spent")
    assert first.json()["receipt"] == again.json()["receipt"]
    assert await bank.status(again) == "executed"
    assert len(bank.rows()) == 1


async def test_what_was_committed_is_executed_though_the_handler_refused(bank: World) -> None:
    token, body = await bank.token("refuse committed")
    first = await bank.show(token, body)
    assert (first.status_code, await bank.status(first)) == (409, "executed")
    assert reason(await bank.show(token, body)) == (409, "already_spent")
    assert len(bank.rows()) == 1


@pytest.mark.parametrize(("note", "moved"), [("forget", 1), ("lose", 0)])
async def test_a_handler_that_claims_what_it_did_not_spend_is_not_believed_and_never_runs_again(
    bank: World, note: str, moved: int
) -> None:
    token, body = await bank.token(note)
    first, again = await bank.show(token, body), await bank.show(token, body)
    assert reason(first) == reason(again) == (409, "already_spent")
    assert await bank.status(again) == "unknown"
    assert len(bank.rows()) == moved


@pytest.mark.parametrize("note", ["wait open", "wait committed"])
async def test_while_it_runs_and_past_its_deadline_it_is_in_progress_and_never_unknown(bank: World, note: str) -> None:
    token, body = await bank.token(note)
    first = asyncio.create_task(bank.show(token, body))
    await eventually(lambda: (bank.folder / "waits").exists())
    assert reason(await bank.show(token, body)) == (409, "act_in_progress")
    assert reason(await first) == (409, "act_in_progress")
    assert bank.server.receipts == []
    bank.go()
    last = await bank.settled(token, body)
    assert reason(last) == (409, "already_spent")
    assert last.json()["response"]["status"] == 201
    assert await bank.status(last) == "executed"
    assert len(bank.rows()) == 1


async def test_a_handler_that_comes_to_its_spend_after_its_deadline_does_nothing(bank: World) -> None:
    token, body = await bank.token("wait at first")
    assert reason(await bank.show(token, body)) == (409, "act_in_progress")
    until = time.time() + 2
    await eventually(lambda: time.time() > until)
    bank.go()
    assert (await bank.settled(token, body)).status_code == 201  # a second run: the first was undone
    assert len(bank.rows()) == 1


@pytest.mark.parametrize("_turn", TURNS)
@pytest.mark.parametrize("note", ["kill at first", "kill open"])
async def test_killed_before_the_commit_nothing_happened_and_the_same_token_executes(
    absent: World, note: str, _turn: int
) -> None:
    with absent.process(30) as killed:
        await ready(absent.caller)
        token, body = await absent.token(note)
        with pytest.raises(httpx.TransportError):
            await absent.show(token, body)
        assert await asyncio.to_thread(killed.wait, 10) == -signal.SIGKILL
    assert absent.rows() == absent.rows("oneact_spends") == []
    with absent.process(30) as killed:
        await ready(absent.caller)
        with pytest.raises(httpx.TransportError):  # it runs again, up to where it is killed
            await absent.show(token, body)
    assert absent.rows() == []


@pytest.mark.parametrize("_turn", TURNS)
@pytest.mark.parametrize("repeated", [True, False])
async def test_killed_after_the_commit_it_is_executed_and_told_so_with_and_without_a_repetition(
    absent: World, repeated: bool, _turn: int
) -> None:
    with absent.process() as killed:
        await ready(absent.caller)
        token, body = await absent.token("kill committed")
        with pytest.raises(httpx.TransportError):
            await absent.show(token, body)
        assert await asyncio.to_thread(killed.wait, 10) == -signal.SIGKILL
    assert len(absent.rows()) == 1
    with absent.process():
        await ready(absent.caller)
        if repeated:
            answer = await absent.settled(token, body)
            assert reason(answer) == (409, "already_spent")
            assert await absent.status(answer) == "executed"
        await eventually(lambda: absent.server.receipts)
        [text] = absent.server.receipts
        assert (await absent.caller.verified(text)).status == "executed"
        assert not repeated or answer.json()["receipt"] == text
    assert len(absent.rows()) == 1
