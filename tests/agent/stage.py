"""Real parts for whole modules: an approval server, the airline, a person who has linked it, an agent of theirs."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.agent import Agent, Result, keys
from oneact.service import LocalAccount
from tests.flows.test_whole import RealClock, link
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer, running_server
from tests.server.visitor import Visitor
from tests.service.airline import Airline
from tests.service.serving import serving

_LONGEST = 20.0


def flight(to: str = "NYC", **more: Any) -> dict[str, Any]:
    return {"from": "SFO", "to": to, "date": "2024-03-01", **more}


@dataclass
class Stage:
    server: RunningServer
    airline: Airline
    person: Visitor
    key_file: Path

    @property
    def air(self) -> str:
        return self.airline.resource

    def booked(self) -> int:
        return len(self.airline.books.all())

    def pending(self) -> list[str]:
        rows = self.server.execute("SELECT id FROM requests WHERE state = 'pending' ORDER BY created_at, id")
        return [identifier for (identifier,) in rows]

    def asked(self) -> int:
        [[found]] = self.server.execute("SELECT count(*) FROM requests")
        return int(found)

    def act(self, identifier: str) -> str:
        """Give the act that a request is for, as JSON."""
        [[found]] = self.server.execute("SELECT act FROM requests WHERE id = ?", identifier)
        return str(found)

    def to(self, identifier: str) -> str:
        """Give the destination that a request is for."""
        [[found]] = self.server.execute(
            "SELECT json_extract(act, '$.parameters.to') FROM requests WHERE id = ?", identifier
        )
        return str(found)

    def went_to(self, result: Result) -> str:
        """Give the destination of an act that was done."""
        [[found]] = self.server.execute("SELECT id FROM requests WHERE txn = ?", result.txn)
        return self.to(found)

    def approve(self, *identifiers: str) -> None:
        assert self.person.approve(*identifiers).status_code == 200

    def deny(self, identifier: str, message: str) -> None:
        answer = self.person.post("/requests/deny", requests=[identifier], message=message)
        assert answer.status_code == 200, answer.text

    def until_asked(self, count: int = 1, over: threading.Event | None = None) -> list[str]:
        """Wait until so many requests are pending; give them, or none where it is over before."""
        until = time.monotonic() + _LONGEST
        while len(found := self.pending()) < count:
            assert time.monotonic() < until, "no request appeared"
            if over is not None and over.wait(0.02):
                return []
        return found

    def link(self, address: str) -> None:
        """Link an agent's own functions, by the address that it has shown its person."""
        with httpx.Client() as browser:
            assert browser.get(address).status_code == 303
            assert link(self.person, address.partition("/start")[0], browser).status_code == 200

    def linking(self, address: str) -> None:
        """Have the functions linked while the agent goes on, whose service has to answer meanwhile."""
        threading.Thread(target=self.link, args=(address,)).start()

    @contextlib.asynccontextmanager
    async def deciding(self, decide: Callable[[list[str]], None], count: int = 1) -> AsyncIterator[None]:
        """Have the person decide on the next `count` requests, once they are all there."""
        over = threading.Event()

        def work() -> None:
            if found := self.until_asked(count, over):
                decide(found)

        decided = asyncio.create_task(asyncio.to_thread(work))
        try:
            yield
        except BaseException:
            over.set()
            raise
        await decided

    def approving(self, count: int = 1) -> contextlib.AbstractAsyncContextManager[None]:
        return self.deciding(lambda found: self.approve(*found), count)

    def denying(self, message: str) -> contextlib.AbstractAsyncContextManager[None]:
        return self.deciding(lambda found: self.deny(found[0], message))


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    (folder / "server").mkdir()
    with running_server(folder / "server", clock=RealClock()) as server:
        port = free_port()
        airline = Airline("asgi", port, server.url, folder)
        airline.account = LocalAccount("ada", "ada@example", int(time.time()))
        with serving(airline, port), httpx.Client() as browser:
            person = Visitor(server).sign_up()
            assert link(person, airline.resource, browser).status_code == 200
            peer = Peer(server)
            peer.register()
            person.pair(peer)
            key_file = folder / "agent.json"
            keys.save(key_file, keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
            yield Stage(server, airline, person, key_file)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    with staged(tmp_path_factory.mktemp("stage")) as found:
        yield found


@pytest.fixture
async def agent(stage: Stage) -> AsyncIterator[Agent]:
    async with await Agent.open(stage.server.url, key_file=stage.key_file) as found:
        yield found
