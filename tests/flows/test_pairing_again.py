from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from oneact.agent import Agent, Denied, Refused, keys
from oneact.server import pairing
from tests.flows.test_whole import FLIGHT, _confirm, agent, airline, deciding, person, server
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.service.airline import Airline

__all__ = ["agent", "airline", "person", "server"]
pytestmark = pytest.mark.parametrize("airline", ["asgi"], indirect=True)


def confirming(person: Visitor) -> Callable[[str, str], None]:
    """Give what types the code that an agent shows, as the person would."""
    return lambda code, _: threading.Thread(target=_confirm, args=(person, code)).start()


def removed(person: Visitor, verb: str = "remove") -> None:
    [(pairing,)] = person.server.execute("SELECT id FROM pairings WHERE removed_at IS NULL AND blocked_at IS NULL")
    assert person.submit(f"/agents/{pairing}/{verb}").status_code == 303


@pytest.mark.parametrize("verb", ["remove", "block"])
async def test_an_agent_that_was_removed_pairs_again_with_the_same_key(
    agent: Agent, airline: Airline, person: Visitor, tmp_path: Path, verb: str
) -> None:
    removed(person, verb)
    async with await Agent.open(person.server.url, key_file=tmp_path / "agent.json") as still:
        with pytest.raises(Refused) as refused:
            await still.act(airline.resource, "book_flight", FLIGHT)
    assert refused.value.reason == "hint_unknown"
    file, typed = tmp_path / "agent.json", confirming(person)
    async with await Agent.open(person.server.url, key_file=file, on_code=typed, again=True) as found:
        assert found.fingerprint == agent.fingerprint
        async with deciding(person, "approve"):
            assert (await found.act(airline.resource, "book_flight", FLIGHT)).receipt is not None


async def test_an_agent_that_the_server_has_forgotten_registers_again(
    server: RunningServer, person: Visitor, tmp_path: Path
) -> None:
    file, peer = tmp_path / "agent.json", Peer(server)
    keys.save(file, keys.Pairing(server.url, peer.key, "a client of another database", "a hint of it"))
    async with await Agent.open(server.url, key_file=file, on_code=confirming(person), again=True):
        assert keys.load(file, server.url).hint != "a hint of it"


async def test_pairing_anew_that_does_not_succeed_leaves_the_pairing_as_it_was(
    agent: Agent, person: Visitor, tmp_path: Path
) -> None:
    def refuse(code: str, _: str) -> None:
        shown = person.submit("/pair", user_code=code).text
        person.submit("/pair/deny", device=shown.partition('data-device="')[2].partition('"')[0])

    before = keys.load(tmp_path / "agent.json", person.server.url)
    with pytest.raises(Denied):
        await Agent.open(person.server.url, key_file=tmp_path / "agent.json", on_code=refuse, again=True)
    assert keys.load(tmp_path / "agent.json", person.server.url).hint == before.hint
    assert agent.fingerprint


async def test_with_a_code_of_the_persons_own_there_is_nothing_to_type(
    server: RunningServer, person: Visitor, tmp_path: Path
) -> None:
    shown: list[tuple[str, str]] = []

    def confirm(code: str, address: str) -> None:
        shown.append((code, address))
        device = person.get("/pair").text.partition('data-device="')[2].partition('"')[0]
        begun = person.post("/pair/begin", device=device, name="Planner").json()
        threading.Thread(target=person.post, args=("/pair/finish",), kwargs=person.sign(begun)).start()

    [(account,)] = server.execute("SELECT id FROM accounts")
    code = server.call(pairing.new_pairing_code, account)
    file = tmp_path / "agent.json"
    async with await Agent.open(server.url, key_file=file, on_code=confirm, pairing_code=code):
        assert shown == [("", server.url + "/pair")]


async def test_a_person_who_has_not_linked_the_service_is_told_where_to(
    server: RunningServer, airline: Airline, tmp_path: Path
) -> None:
    stranger, peer = Visitor(server).sign_up("Bob"), Peer(server)
    peer.register()
    stranger.pair(peer)
    keys.save(tmp_path / "bob.json", keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    async with await Agent.open(server.url, key_file=tmp_path / "bob.json") as found:
        with pytest.raises(Refused) as refused:
            await found.act(airline.resource, "book_flight", FLIGHT)
    assert refused.value.reason == "unlinked_service"
    assert refused.value.link_uri == airline.resource + "/oneact/link"
