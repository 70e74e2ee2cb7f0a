"""An example on real parts: approval server, service and agent over HTTP, the person by their pages."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.agent import Agent, keys
from oneact.agent.flow import Call
from oneact.protocol import canonical
from tests.flows.test_whole import RealClock, link
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor
from tests.service.world import served

Between = Callable[[str], None]


@dataclass
class Place:
    """A running example: where it stands, and the folder with what it keeps."""

    resource: str
    folder: Path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    (tmp_path / "server").mkdir()
    with running_server(tmp_path / "server", clock=RealClock()) as running:
        yield running


@contextlib.contextmanager
def running(create_app: Callable[[str, str, Path], Any], server: RunningServer, folder: Path) -> Iterator[Place]:
    """Run an example for the time of the block."""
    port = free_port()
    place = Place(f"http://localhost:{port}", folder)
    with served(create_app(place.resource, server.url, folder), port):
        yield place


def linked(server: RunningServer, place: Place) -> Visitor:
    """Give a person who has signed in at the example as ada, and linked that account."""
    visitor = Visitor(server).sign_up()
    with httpx.Client() as browser:
        assert browser.post(place.resource + "/login", data={"name": "ada"}).status_code == 303
        assert link(visitor, place.resource, browser).status_code == 200
    return visitor


def paired(server: RunningServer, person: Visitor, file: Path) -> Path:
    """Give the file of an agent that the person has paired."""
    peer = Peer(server)
    peer.register()
    person.pair(peer)
    keys.save(file, keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    return file


@contextlib.asynccontextmanager
async def deciding(person: Visitor, decision: str, between: Between = lambda _: None) -> AsyncIterator[None]:
    """Decide on the next request that appears; `between` sees its page first, and may change the world."""
    work = asyncio.create_task(asyncio.to_thread(decide, person, decision, between))
    yield
    await work


def decide(person: Visitor, decision: str, between: Between = lambda _: None) -> None:
    """Wait for a request, look at its page, then approve, or deny with these words."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        rows = person.server.execute("SELECT id FROM requests WHERE state = 'pending'")
        if rows:
            identifier = rows[0][0]
            between(person.get(f"/requests/{identifier}").text)
            if decision == "approve":
                assert person.approve(identifier).status_code == 200
            else:
                assert person.post("/requests/deny", requests=[identifier], message=decision).status_code == 200
            return
        time.sleep(0.02)
    raise AssertionError("no request appeared")


def shows_an_approval(call: Call) -> bool:
    """Tell whether a call carries an action token; an asking token goes with the question for an offer."""
    return call.token is not None and "Accept-Txn-Challenge" not in call.headers


def bend(agent: Agent, **changes: Any) -> None:
    """Have the agent send other parameters with its action token than those that were approved."""
    send = agent._shell.call

    async def bent(call: Call) -> Any:
        if not shows_an_approval(call):
            return await send(call)
        body: Any = canonical.parse(call.body or b"{}")
        body["parameters"].update(changes)
        return await send(Call(call.method, call.url, call.headers, body=canonical.encode(body), token=call.token))

    agent._shell.call = bent  # type: ignore[method-assign]
