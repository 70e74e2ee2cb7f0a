"""Services that never finish answering are to keep the approval server from fetching anyone else's documents."""

import contextlib
import socket
import threading
from collections.abc import Iterator

import httpx
import pytest

from oneact.fetch import PER_ORIGIN
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor, push

HOLDERS = 12


class TarPit:
    """Takes connections and says nothing, until it is drained."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.url = f"http://localhost:{self.listener.getsockname()[1]}"
        self.taken: list[socket.socket] = []
        self.full = threading.Event()
        self.thread = threading.Thread(target=self.take)
        self.thread.start()

    def take(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                self.taken.append(self.listener.accept()[0])
                if len(self.taken) >= PER_ORIGIN:
                    self.full.set()

    def drain(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()
        self.thread.join()
        for connection in self.taken:
            connection.close()


@pytest.fixture
def tar_pit() -> Iterator[TarPit]:
    found = TarPit()
    yield found
    found.drain()


def test_whoever_is_slow_holds_up_only_those_who_ask_for_it(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent, tar_pit: TarPit
) -> None:
    visitor.link(shop)
    approval.app.state.world.fetch._entries.clear()  # as after five minutes
    mallory = Visitor(approval).sign_up("Mallory")
    slow = [Service(f"{tar_pit.url}/{number}") for number in range(HOLDERS)]
    opened = [(service.client_id, push(approval, service)) for service in slow]
    holders = [threading.Thread(target=open_quietly, args=(mallory, *pair)) for pair in opened]
    for holder in holders:
        holder.start()
    assert tar_pit.full.wait(10)
    answer = paired.ask(shop.offer(approval.url, approval.clock()))
    tar_pit.drain()
    for holder in holders:
        holder.join()
    assert answer.status_code == 200, answer.text
    assert len(tar_pit.taken) == PER_ORIGIN


def test_a_person_has_strange_services_fetched_a_few_times_a_minute(visitor: Visitor) -> None:
    query = {"client_id": "https://a.example/client.json", "request_uri": "urn:none"}
    assert [visitor.get("/oauth/authorize", **query).status_code for _ in range(32)] == [400] * 30 + [429] * 2


def open_quietly(visitor: Visitor, client_id: str, request_uri: str) -> None:
    address = f"{visitor.server.url}/oauth/authorize"
    parameters = {"client_id": client_id, "request_uri": request_uri}
    with contextlib.suppress(httpx.HTTPError):
        httpx.get(address, params=parameters, cookies=dict(visitor.http.cookies), timeout=30)
