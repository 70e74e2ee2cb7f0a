"""Sixteen callers redeem one approval at the same moment, at two processes of the service."""

import asyncio
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.attacks.stage import FLIGHT, told
from tests.ports import free_port
from tests.rounds import rounds
from tests.service.airline import Books
from tests.service.conftest import link
from tests.service.processes import forked, process, ready
from tests.service.world import ApprovalServer, Caller, calling, eventually

ROUNDS = rounds(200, 1000)
FORKED_ROUNDS = rounds(20, 200)
CALLERS = 16


@pytest.mark.parametrize("face", ["fastapi", "flask"])
async def test_of_16_callers_at_two_processes_one_executes(server: ApprovalServer, tmp_path: Path, face: str) -> None:
    """The two processes are one service: the same identifier, key and database; the second serves another port."""
    port, beside = free_port(), free_port()
    resource = f"http://localhost:{port}"
    await link(tmp_path, resource, server)
    books = Books(tmp_path)
    one = process(face, port, server, tmp_path, 30)
    other = process(face, port, server, tmp_path, 30, beside)
    with one, other:
        async with calling(server, resource) as caller:
            await races(caller, beside, ROUNDS)
    notes = [note for _, _, note in books.all()]
    assert sorted(notes) == sorted(f"round {number}" for number in range(ROUNDS))


async def test_of_16_callers_at_two_forks_of_one_process_one_executes(server: ApprovalServer, tmp_path: Path) -> None:
    """The application was loaded before the forks, as by a server that shares its memory among its workers."""
    port, beside = free_port(), free_port()
    resource = f"http://localhost:{port}"
    await link(tmp_path, resource, server)
    books = Books(tmp_path)
    with forked("flask", port, beside, server, tmp_path):
        async with calling(server, resource) as caller:
            await races(caller, beside, FORKED_ROUNDS)
            await eventually(lambda: len(server.receipts) == FORKED_ROUNDS)
    assert len(books.all()) == FORKED_ROUNDS


async def test_a_fork_of_a_process_that_has_the_store_open_executes_nothing(
    server: ApprovalServer, tmp_path: Path
) -> None:
    port, beside = free_port(), free_port()
    await link(tmp_path, f"http://localhost:{port}", server)
    with forked("flask", port, beside, server, tmp_path, "served"):
        async with calling(server, f"http://localhost:{port}") as caller:
            await ready(caller)
            answer = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT)
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")
    assert Books(tmp_path).all() == []


async def races(caller: Caller, beside: int, rounds: int) -> None:
    await ready(caller)
    await ready(Caller(caller.server, f"http://localhost:{beside}", caller.client))
    for number in range(rounds):
        await race(caller, f"http://localhost:{beside}", FLIGHT | {"note": f"round {number}"})


async def race(caller: Caller, beside: str, body: dict[str, Any]) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=body))

    async def one(address: str) -> httpx.Response:
        url = caller.resource + "/bookings"
        headers = caller.agent.headers("POST", url, token, int(time.time()))
        return await caller.client.post(address + "/bookings", headers=headers, json=body)

    answers = await asyncio.gather(*(one(beside if number % 2 else caller.resource) for number in range(CALLERS)))
    executed = [answer for answer in answers if answer.status_code == 201]
    others = {told(answer)[:2] for answer in answers if answer.status_code != 201}
    assert len(executed) == 1
    assert others <= {(409, "act_in_progress"), (409, "already_spent")}
