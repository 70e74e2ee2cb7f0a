"""Reading on real parts: asked once, opened by a passkey, read often, ended by the person."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from oneact.agent import Agent, Denied, Refused, keys, published_reads
from oneact.service import LocalAccount
from tests.flows.test_whole import RealClock, _link
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor
from tests.service.reading import Travel
from tests.service.world import served


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", clock=RealClock()) as running:
        yield running


@pytest.fixture(params=["fastapi", "asgi"])
def travel(request: pytest.FixtureRequest, server: RunningServer, tmp_path: Path) -> Iterator[Travel]:
    found = Travel(request.param, port := free_port(), [server.url], tmp_path)
    found.account = LocalAccount("ada", "ada@example", int(time.time()))
    with served(found.app, port):
        yield found


@pytest.fixture
def person(server: RunningServer, travel: Travel) -> Visitor:
    visitor = Visitor(server).sign_up()
    assert _link(visitor, travel).status_code == 200
    return visitor


@pytest.fixture
async def agent(server: RunningServer, person: Visitor, tmp_path: Path) -> AsyncIterator[Agent]:
    peer = Peer(server)
    peer.register()
    person.pair(peer)
    keys.save(tmp_path / "agent.json", keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(server.url, key_file=tmp_path / "agent.json") as found:
        yield found


def decide(person: Visitor, *, approve: bool) -> str:
    """Decide on the next session that appears, as the person would; give its identifier."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        rows = person.server.execute("SELECT id FROM read_sessions WHERE state = 'pending'")
        if rows:
            identifier = str(rows[0][0])
            person.get(f"/reads/{identifier}")
            if approve:
                begun = person.post("/reads/begin", session=identifier).json()
                assert person.post("/reads/approve", **person.sign(begun)).status_code == 200
            else:
                assert person.post("/reads/deny", session=identifier, message="No").status_code == 200
            return identifier
        time.sleep(0.02)
    raise AssertionError("no session appeared")


async def test_one_yes_opens_what_is_read_often_and_the_person_ends_it(
    agent: Agent, travel: Travel, person: Visitor
) -> None:
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=True))
    first = await agent.read(travel.resource, "itineraries", {"to": "NYC"}, reads=["bookings"], reason="To plan")
    identifier = await deciding
    second = await agent.read(travel.resource, "itineraries", {"to": "LAX"})
    third = await agent.read(travel.resource, "bookings", {"reference": "B-1"})
    assert [first.json()["to"], second.json()["to"], third.json()["reference"]] == ["NYC", "LAX", "B-1"]
    assert first.json()["for"] == "ada"
    assert first.receipt is None
    assert len(person.server.execute("SELECT id FROM read_sessions")) == 1
    person.submit(f"/reads/{identifier}/end")
    agent._reads.sessions[0] = replace(agent._reads.sessions[0], until=0)  # as five minutes later
    with pytest.raises(Refused) as refused:
        await agent.read(travel.resource, "itineraries", {"to": "NYC"})
    assert refused.value.reason == "read_ended"
    assert len(person.server.execute("SELECT id FROM read_sessions")) == 1
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=False))
    with pytest.raises(Denied):
        await agent.read(travel.resource, "itineraries", {"to": "NYC"})
    await deciding


async def test_another_process_of_the_agent_takes_up_what_is_open(
    agent: Agent, travel: Travel, person: Visitor, tmp_path: Path
) -> None:
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=True))
    await agent.read(travel.resource, "itineraries", {"to": "NYC"})
    await deciding
    async with await Agent.open(person.server.url, key_file=tmp_path / "agent.json") as other:
        assert (await other.read(travel.resource, "itineraries", {"to": "LAX"})).json()["to"] == "LAX"
    assert len(person.server.execute("SELECT id FROM read_sessions")) == 1


async def test_the_command_line_reads_what_is_open(
    agent: Agent, travel: Travel, person: Visitor, tmp_path: Path
) -> None:
    deciding = asyncio.create_task(asyncio.to_thread(decide, person, approve=True))
    await agent.read(travel.resource, "itineraries", {"to": "NYC"})
    await deciding
    given = ["--server", person.server.url, "--key-file", str(tmp_path / "agent.json")]
    command = [sys.executable, "-m", "oneact.cli", "agent", "read", travel.resource, "itineraries"]
    run = partial(subprocess.run, capture_output=True, text=True, check=False, timeout=60)
    done = await asyncio.to_thread(run, [*command, '{"to": "LAX"}', *given])
    assert (done.returncode, json.loads(done.stdout)["to"]) == (0, "LAX")
    command[-1] = "fares"
    refused = await asyncio.to_thread(run, [*command, *given])
    assert refused.returncode == 5
    assert "read_unknown" in refused.stderr
    listed = await asyncio.to_thread(run, [*command[:4], "actions", travel.resource])
    assert "itineraries: Search itineraries, to read at /itineraries" in listed.stdout


async def test_the_reads_of_a_service_can_be_listed(travel: Travel) -> None:
    assert [read.name for read in await published_reads(travel.resource)] == ["itineraries", "bookings"]
