"""Sidecar or service is killed between verification and receipt: `unknown` at the worst, and never a second run."""

import asyncio
import contextlib
import signal
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import pytest
from typer.testing import CliRunner

from oneact.cli.commands import app
from tests.rounds import rounds
from tests.service.world import ApprovalServer, Caller, calling, eventually
from tests.sidecar.running import FLIGHT, Place, asking, express, settle_in, sidecar, until_ended
from tests.sidecar.service import Service, refused

KILLS = rounds(3, 30)
LATEST = 0.03  # seconds after which the answer has come
# Node loads this before the example; the first call of /receipt, when the work is done, kills whom the test names.
KILLER = """
import http from "node:http";
const { request } = http;
let victim = Number(process.env.VICTIM) || process.pid;
http.request = (options, ...rest) => {
  if (options.path === "/receipt" && victim) { process.kill(victim, "SIGKILL"); victim = 0; }
  return request(options, ...rest);
};
"""


@pytest.fixture
def killer(tmp_path: Path) -> str:
    (tmp_path / "killer.mjs").write_text(KILLER, "utf-8")
    return f"--import={(tmp_path / 'killer.mjs').as_uri()}"


@pytest.fixture
async def hasty(server: ApprovalServer, tmp_path: Path) -> Place:
    """A service whose acts have one second."""
    return await settle_in(tmp_path, server, deadline=1)


async def ended(service: Service, token: str) -> Any:
    """Verify again and again until the sidecar knows what became of the act."""
    found = await service.verify(token)
    while refused(found) == (409, "act_in_progress"):
        await asyncio.sleep(0.1)
        found = await service.verify(token)
    return httpx.Response(200, text=found["answer"]["body"]).json()


async def shown(caller: Caller, token: str) -> httpx.Response:
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    while answer.json().get("reason") == "act_in_progress":
        await asyncio.sleep(0.1)
        answer = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    return answer


async def test_a_sidecar_killed_before_the_receipt_says_unknown_and_hands_the_act_out_no_more(
    server: ApprovalServer, hasty: Place
) -> None:
    async with asking(hasty) as client:
        service = Service(client, server, hasty)
        with sidecar(hasty) as killed:
            token = await service.approved()
            ticket = (await service.verify(token))["ticket"]
            killed.kill()
            assert await until_ended(killed) == -signal.SIGKILL
        with sidecar(hasty):
            answer = await ended(service, token)
            assert answer["reason"] == "already_spent"
            assert await service.verified(answer["receipt"]) == "unknown"
            late = await client.post("/receipt", json={"ticket": ticket, "status": 201, "body_base64": ""})
            told = late.json()["headers"]["OneAct-Receipt"]
            assert await service.verified(told) == "executed"
            assert (await ended(service, token))["receipt"] == told
            await eventually(lambda: told in server.receipts)
    audit = [
        "service",
        "audit",
        "--store",
        str(hasty.folder / "var/air.db"),
        "--key",
        str(hasty.folder / "var/air.jwk"),
    ]
    done = CliRunner().invoke(app, audit)
    assert (done.exit_code, done.output.splitlines()[-1]) == (0, "all agrees")


@pytest.mark.parametrize("turn", range(KILLS))
async def test_whenever_the_sidecar_is_killed_the_act_is_handed_out_once_at_the_most(
    server: ApprovalServer, hasty: Place, turn: int
) -> None:
    async with asking(hasty) as client:
        service = Service(client, server, hasty)
        with sidecar(hasty) as killed:
            token = await service.approved()
            first = asyncio.create_task(service.verify(token))
            await asyncio.sleep(LATEST * turn / KILLS)  # the moment of the kill, which nothing announces
            killed.kill()
            found = (await asyncio.gather(first, return_exceptions=True))[0]
        with sidecar(hasty):
            again = await service.verify(token)
            if "execute" in again:  # it was killed before the spend
                assert isinstance(found, httpx.TransportError)
                return
            assert await service.verified((await ended(service, token))["receipt"]) == "unknown"
    assert isinstance(found, httpx.TransportError) or "execute" in found


async def test_a_service_killed_before_the_receipt_leaves_unknown_and_never_runs_it_again(
    server: ApprovalServer, hasty: Place, killer: str
) -> None:
    with sidecar(hasty):
        async with calling(server, hasty.resource) as caller:
            with express(hasty, NODE_OPTIONS=killer) as killed:
                token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
                with pytest.raises(httpx.TransportError):
                    await caller.show(token, "POST", "/bookings", json=FLIGHT)
                assert await until_ended(killed) == -signal.SIGKILL
            with express(hasty):
                answer = await shown(caller, token)
                assert (answer.status_code, answer.json()["reason"]) == (409, "already_spent")
                assert (await caller.verified(answer.json()["receipt"])).status == "unknown"
                await eventually(lambda: server.receipts)
    assert server.receipts == [answer.json()["receipt"]]


async def test_a_service_gives_its_receipt_to_the_sidecar_that_has_taken_the_place_of_a_killed_one(
    server: ApprovalServer, place: Place, killer: str
) -> None:
    async with calling(server, place.resource) as caller:
        with contextlib.ExitStack() as running:
            killed = running.enter_context(sidecar(place))
            running.enter_context(express(place, NODE_OPTIONS=killer, VICTIM=str(killed.pid)))
            token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
            first = asyncio.create_task(caller.show(token, "POST", "/bookings", json=FLIGHT))
            assert await until_ended(killed) == -signal.SIGKILL
            running.enter_context(sidecar(place))
            booked = await first
            assert booked.status_code == 201
            assert (await caller.verified(booked.headers["oneact-receipt"])).status == "executed"


async def test_two_sidecars_over_one_store_hand_an_act_out_once_and_both_take_its_receipt(
    server: ApprovalServer, place: Place
) -> None:
    beside = replace(place, name="beside.sock")
    with sidecar(place), sidecar(beside):
        async with asking(place) as one, asking(beside) as two:
            services = [Service(one, server, place), Service(two, server, place)]
            services[1].agent = services[0].agent
            token = await services[0].approved()
            found = await asyncio.gather(*(service.verify(token) for service in services * 4))
            (handed,) = [item for item in found if "execute" in item]
            asked = services[1 - found.index(handed) % 2].client
            answer = await asked.post("/receipt", json={"ticket": handed["ticket"], "status": 201})
            assert await services[0].verified(answer.json()["headers"]["OneAct-Receipt"]) == "executed"
