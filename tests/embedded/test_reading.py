"""Reading at a service whose approval server is embedded: opened there, read here, by the same process."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from oneact.agent import Agent
from oneact.service.fastapi import Reading
from tests.embedded.conftest import visitor
from tests.embedded.notes import Notes, enrol, sign_in
from tests.embedded.test_whole import paired, wait_for
from tests.server.peers import serving

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.visitor import Visitor


def open_next(person: Visitor) -> None:
    [[identifier]] = wait_for(lambda: person.server.execute("SELECT id FROM read_sessions WHERE state = 'pending'"))
    assert "Read your notes" in person.get(f"/reads/{identifier}").text
    begun = person.post("/reads/begin", session=identifier).json()
    assert person.post("/reads/approve", **person.sign(begun)).status_code == 200


async def test_a_note_is_read_after_one_yes_at_the_services_own_server(tmp_path: Path) -> None:
    notes = Notes(tmp_path)

    @notes.app.get("/notes/{name}")
    @notes.guard.read("notes", intent="Read your notes")
    async def note(name: str, reading: Reading) -> dict[str, str]:
        return {"note": name, "of": reading.account}

    with serving(notes.app, notes.port):
        person = visitor(notes)
        sign_in(person, "ada")
        enrol(person)
        async with await Agent.open(notes.url, key_file=paired(notes, person, tmp_path)) as agent:
            work = asyncio.create_task(asyncio.to_thread(open_next, person))
            first = await agent.read(notes.resource, "notes", {"name": "shopping"})
            await work
            second = await agent.read(notes.resource, "notes", {"name": "plans"})
    assert [first.json(), second.json()] == [{"note": "shopping", "of": "ada"}, {"note": "plans", "of": "ada"}]
