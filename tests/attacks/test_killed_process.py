"""The service is killed between spend and execution, and between execution and answer; the agent comes back."""

import asyncio
import signal
from pathlib import Path

import httpx
import pytest

from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Books
from tests.service.conftest import link
from tests.service.processes import process, ready
from tests.service.world import ApprovalServer, calling, eventually, free_port


@pytest.mark.parametrize(("note", "booked"), [("kill before", 0), ("kill after", 1)])
async def test_a_process_killed_in_the_act_never_runs_it_again(
    server: ApprovalServer, tmp_path: Path, note: str, booked: int
) -> None:
    port, body = free_port(), FLIGHT | {"note": note}
    resource = f"http://localhost:{port}"
    books = Books(tmp_path)
    await link(tmp_path, resource, server)
    async with calling(server, resource) as caller:
        with process("asgi", port, server, tmp_path, 1) as killed:
            await ready(caller)
            token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
            with pytest.raises(httpx.TransportError):
                await caller.show(token, "POST", "/bookings", json=body)
            assert await asyncio.to_thread(killed.wait, 10) == -signal.SIGKILL
        with process("asgi", port, server, tmp_path, 1):
            await ready(caller)
            answer = await caller.show(token, "POST", "/bookings", json=body)
            while told(answer)[:2] == (409, "act_in_progress"):
                await asyncio.sleep(0.1)
                answer = await caller.show(token, "POST", "/bookings", json=body)
            assert told(answer)[:2] == (409, "already_spent")
            assert (await caller.verified(answer.json()["receipt"])).status == "unknown"
            await eventually(lambda: server.receipts)
    assert server.receipts == [answer.json()["receipt"]]
    assert len(books.all()) == booked
