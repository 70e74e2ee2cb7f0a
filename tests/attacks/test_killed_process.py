"""The service is killed in the middle of an act, at every point and at any moment; the agent comes back."""

import asyncio
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.attacks.stage import FLIGHT, told
from tests.ports import free_port
from tests.rounds import rounds
from tests.service.airline import Books
from tests.service.conftest import link
from tests.service.processes import process, ready
from tests.service.world import ApprovalServer, Caller, calling, eventually

KILLS = rounds(3, 30)
LATEST = 0.03  # seconds after which the answer has come


async def again(caller: Caller, token: str, body: dict[str, Any]) -> httpx.Response:
    """Show the same token to the service that has started anew, until it knows what became of the act."""
    answer = await caller.show(token, "POST", "/bookings", json=body)
    while told(answer)[:2] == (409, "act_in_progress"):
        await asyncio.sleep(0.1)
        answer = await caller.show(token, "POST", "/bookings", json=body)
    return answer


@pytest.mark.parametrize("face", ["asgi", "django", "flask"])
@pytest.mark.parametrize("_turn", range(rounds(1, KILLS)))
@pytest.mark.parametrize(("note", "booked"), [("kill before", 0), ("kill after", 1)])
async def test_a_process_killed_in_the_act_never_runs_it_again(
    server: ApprovalServer, tmp_path: Path, face: str, note: str, booked: int, _turn: int
) -> None:
    port, body = free_port(), FLIGHT | {"note": note}
    resource = f"http://localhost:{port}"
    books = Books(tmp_path)
    await link(tmp_path, resource, server)
    async with calling(server, resource) as caller:
        with process(face, port, server, tmp_path, 1) as killed:
            await ready(caller)
            token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
            with pytest.raises(httpx.TransportError):
                await caller.show(token, "POST", "/bookings", json=body)
            assert await asyncio.to_thread(killed.wait, 10) == -signal.SIGKILL
        with process(face, port, server, tmp_path, 1):
            await ready(caller)
            answer = await again(caller, token, body)
            assert told(answer)[:2] == (409, "already_spent")
            assert (await caller.verified(answer.json()["receipt"])).status == "unknown"
            await eventually(lambda: server.receipts)
    assert server.receipts == [answer.json()["receipt"]]
    assert len(books.all()) == booked


@pytest.mark.parametrize("face", ["asgi", "django", "flask"])
@pytest.mark.parametrize("turn", range(KILLS))
async def test_whenever_it_is_killed_the_act_is_done_once_at_the_most_and_its_outcome_is_not_a_lie(
    server: ApprovalServer, tmp_path: Path, face: str, turn: int
) -> None:
    port = free_port()
    resource = f"http://localhost:{port}"
    books = Books(tmp_path)
    await link(tmp_path, resource, server)
    async with calling(server, resource) as caller:
        with process(face, port, server, tmp_path, 1) as killed:
            await ready(caller)
            token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
            shown = asyncio.create_task(caller.show(token, "POST", "/bookings", json=FLIGHT))
            await asyncio.sleep(LATEST * turn / KILLS)  # the moment of the kill, which nothing announces
            killed.kill()
            first = (await asyncio.gather(shown, return_exceptions=True))[0]
        with process(face, port, server, tmp_path, 1):
            await ready(caller)
            answer = await again(caller, token, FLIGHT)
            kept = answer.json().get("receipt") or answer.headers["oneact-receipt"]
            status = (await caller.verified(kept)).status
    assert (status, len(books.all())) in {("executed", 1), ("unknown", 0), ("unknown", 1)}
    if answer.status_code == 201:  # it was killed before the spend
        assert isinstance(first, httpx.TransportError)
        return
    assert told(answer)[:2] == (409, "already_spent")
    assert isinstance(first, httpx.TransportError) or status == "executed"
