"""The whole loop at a service whose approval server is embedded: sign in, make a passkey, pair, ask, approve."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING, Any

from oneact.agent import Agent, keys
from tests.embedded.notes import Notes, enrol
from tests.server.peers import Agent as Peer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.server.visitor import Visitor


def paired(notes: Notes, person: Visitor, folder: Path) -> Path:
    """Give the file of an agent that the person has paired."""
    peer = Peer(person.server)
    peer.register()
    person.pair(peer)
    keys.save(folder / "agent.json", keys.Pairing(notes.url, peer.key, peer.client_id, peer.hint))
    return folder / "agent.json"


def wait_for(look: Callable[[], list[Any]]) -> list[Any]:
    until = time.monotonic() + 20
    while time.monotonic() < until:
        found = look()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not come")


def approve_next(person: Visitor) -> None:
    [[identifier]] = wait_for(lambda: person.server.execute("SELECT id FROM requests WHERE state = 'pending'"))
    answer = person.approve(identifier)
    assert answer.status_code == 200, answer.text


async def delete(notes: Notes, person: Visitor, file: Path, name: str) -> dict[str, str]:
    async with await Agent.open(notes.url, key_file=file) as agent:
        work = asyncio.create_task(asyncio.to_thread(approve_next, person))
        result = await agent.act(notes.resource, "delete_note", {"name": name})
        await work
        assert result.receipt.status == "executed"
        found: dict[str, str] = result.json()
        return found


async def test_an_act_is_approved_at_the_services_own_server_and_done_once(
    notes: Notes, person: Visitor, tmp_path: Path
) -> None:
    enrol(person)
    file = paired(notes, person, tmp_path)
    assert await delete(notes, person, file, "shopping") == {"deleted": "shopping"}
    assert notes.done == [("ada", "shopping")]
    assert notes.notices == [("ada", "linked")]


async def test_the_receipt_reaches_the_server_without_a_connection(
    notes: Notes, person: Visitor, tmp_path: Path
) -> None:
    enrol(person)
    await delete(notes, person, paired(notes, person, tmp_path), "shopping")
    await asyncio.to_thread(wait_for, lambda: person.server.execute("SELECT 1 FROM receipts"))
    assert person.server.execute("SELECT status FROM receipts") == [("executed",)]
