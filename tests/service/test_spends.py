"""Exactly once: a handler writes the spend in its own transaction, and what that committed is what was done."""

import asyncio
import contextlib
import signal
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest
from tests.ports import free_port
from tests.postgresql import running
from tests.rounds import rounds
from tests.service.audited import audited
from tests.service.bank import ACCESS, Bank
from tests.service.banking import World, reason, there
from tests.service.processes import ready
from tests.service.world import ApprovalServer, eventually, served

TURNS = range(rounds(1, 15))
CALLERS = 4
LATEST = 0.03  # seconds after which the answer has come


@pytest.fixture(scope="module", name="postgresql")
def _postgresql() -> Iterator[None]:
    with running():
        yield


@pytest.fixture(params=ACCESS)
async def absent(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> AsyncIterator[World]:
    """A bank of which no process runs yet."""
    if "postgresql" in request.param:
        request.getfixturevalue("postgresql")
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
            running.callback(made.access.close)
            running.enter_context(served(made.app, absent.port))
        running.callback(absent.go)  # nothing waits on after its test
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
    await eventually((bank.folder / "waits").exists)
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
@pytest.mark.parametrize("repeats", [1, 0])
async def test_killed_after_the_commit_it_is_executed_and_told_so_with_and_without_a_repetition(
    absent: World, repeats: int, _turn: int
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
        if repeats:
            answer = await absent.settled(token, body)
            assert reason(answer) == (409, "already_spent")
            assert await absent.status(answer) == "executed"
        await eventually(lambda: absent.server.receipts)
        [text] = absent.server.receipts
        assert (await absent.caller.verified(text)).status == "executed"
        assert not repeats or answer.json()["receipt"] == text
    assert len(absent.rows()) == 1
    assert audited(absent.folder) == {"acts": 1, "receipts": 1, "findings": []}


@pytest.mark.parametrize("_turn", TURNS)
async def test_of_two_processes_that_run_one_act_at_once_one_commits_and_the_other_is_undone(
    absent: World, _turn: int
) -> None:
    beside = free_port()
    with absent.process(20), absent.process(20, beside):
        await ready(absent.caller)
        await ready(absent.caller, beside)
        token, body = await absent.token("wait open")
        first = asyncio.create_task(absent.show(token, body))
        await eventually((absent.folder / "waits").exists)
        second = asyncio.create_task(absent.show(token, body, beside))
        await asyncio.wait({second}, timeout=0.3)  # it comes as far as it can: its statement waits for the first
        assert not second.done()
        absent.go()
        assert (await first).status_code == 201
        assert reason(await second)[1] in {"act_in_progress", "already_spent"}
        last = await absent.settled(token, body, beside)
        assert (reason(last), last.json()["receipt"]) == (
            (409, "already_spent"),
            (await first).headers["oneact-receipt"],
        )
    assert len(absent.rows()) == len(absent.rows("oneact_spends")) == 1


@pytest.mark.parametrize("_turn", TURNS)
async def test_where_the_first_of_two_is_killed_the_second_executes(absent: World, _turn: int) -> None:
    beside = free_port()
    with absent.process(20) as killed, absent.process(20, beside):
        await ready(absent.caller)
        await ready(absent.caller, beside)
        token, body = await absent.token("wait open")
        first = asyncio.create_task(absent.show(token, body))
        await eventually((absent.folder / "waits").exists)
        second = asyncio.create_task(absent.show(token, body, beside))
        await asyncio.wait({second}, timeout=0.3)
        killed.kill()
        with pytest.raises(httpx.TransportError):
            await first
        absent.go()
        assert (await second).status_code == 201
        assert await absent.status(await second, beside) == "executed"
    assert len(absent.rows()) == 1


async def test_callers_of_two_processes_move_the_money_once_and_hear_one_receipt(absent: World) -> None:
    beside = free_port()
    with absent.process(20), absent.process(20, beside):
        await ready(absent.caller)
        await ready(absent.caller, beside)
        for turn in range(rounds(3, 60)):
            token, body = await absent.token()
            ports = [absent.port, beside] * CALLERS
            answers = await asyncio.gather(*(absent.settled(token, body, port) for port in ports))
            assert [answer.status_code for answer in answers].count(201) == 1
            receipts = {answer.headers.get("oneact-receipt") or answer.json()["receipt"] for answer in answers}
            assert len(receipts) == 1
            assert len(absent.rows()) == turn + 1
    found = audited(absent.folder)
    assert (found["acts"], found["findings"]) == (turn + 1, [])


@pytest.mark.parametrize("turn", range(rounds(3, 60)))
async def test_whenever_it_is_killed_what_is_told_in_the_end_is_what_happened(absent: World, turn: int) -> None:
    with absent.process() as killed:
        await ready(absent.caller)
        token, body = await absent.token()
        shown = asyncio.create_task(absent.show(token, body))
        await asyncio.wait({shown}, timeout=LATEST * turn / rounds(3, 60))  # the kill, which nothing announces
        killed.kill()
        await asyncio.gather(shown, return_exceptions=True)
    before = len(absent.rows())
    with absent.process():
        await ready(absent.caller)
        answer = await absent.settled(token, body)
        assert answer.status_code == 409 or (answer.status_code == 201 and not before)
        assert await absent.status(answer) == "executed"
    assert len(absent.rows()) == 1
