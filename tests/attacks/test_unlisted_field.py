"""The agent brings something in by a way that the action does not list: query, form, header."""

import time
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from fastapi import FastAPI, Form, Header
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import Guard as AsgiGuard
from oneact.service.fastapi import Act, Guard
from oneact.testing import InProcessApprover, TestAgent
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_an_unlisted_query_field_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings?to=LAX", json=FLIGHT)
    assert told(answer)[:2] == (422, "parameter_unknown")
    assert airline.books.all() == []


async def test_a_form_in_place_of_the_body_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", data=FLIGHT)
    assert told(answer)[:2] == (415, "media_type")
    assert airline.books.all() == []


@pytest.mark.parametrize("face", ["fastapi", "asgi"])
async def test_an_unlisted_form_field_is_refused(tmp_path: Path, face: str) -> None:
    approver, agent, now, done = InProcessApprover(), TestAgent(), int(time.time()), list[str]()
    guard, app = noting(face, tmp_path, approver.issuer, done)
    await approver.link_async(guard, "ada")
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=guard.resource) as client:
        asked = await client.post("/notes", data={"note": "hello"}, headers=approver.accept)
        published = (await client.get("/oneact/actions")).json()
        token = approver.approve(asked.json()["transaction_challenge"], published, agent, now)

        async def show(query: str = "", **form: str) -> httpx.Response:
            headers = agent.headers("POST", guard.resource + "/notes", token, now)
            return await client.post("/notes" + query, data=form or None, headers=headers)

        assert told(await show(note="hello", to="everyone"))[:2] == (422, "parameter_unknown")
        assert told(await show(to="everyone"))[:2] == (422, "parameter_unknown")
        assert told(await show("?to=everyone", note="hello"))[:2] == (422, "parameter_unknown")
        assert told(await show("?note=hello"))[:2] == (415, "media_type")
        assert done == []
        assert (await show(note="hello")).status_code == 204
    await guard.stop()
    assert done == ["hello"]


def noting(face: str, folder: Path, issuer: str, done: list[str]) -> tuple[AsgiGuard, Any]:
    """Give the guard of a service whose one action takes a form, and the service."""
    settings: dict[str, Any] = {
        "resource": "http://localhost:8000", "name": "Notes", "key": folder / "k", "store": folder / "s",
        "account": lambda _: None, "issuers": [issuer],
    }  # fmt: skip
    if face == "fastapi":
        guard, app = Guard(**settings), FastAPI()
        app.include_router(guard.router)

        @app.post("/notes")
        @guard.action("keep_note", intent="Keep a note", summary="Keep {note}")
        async def keep(note: Annotated[str, Form()]) -> None:
            done.append(note)

        return guard, app
    plain = AsgiGuard(**settings)

    @plain.asgi(
        "keep_note", intent="Keep a note", summary="Keep {note}", sources={"note": "form"}, path="/notes",
        schema={"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}},
    )  # fmt: skip
    def take(parameters: dict[str, Any], _: Act) -> None:
        done.append(parameters["note"])

    return plain, Starlette(routes=[Route("/notes", take), Mount("/", plain.app)])


def test_a_handler_that_reads_a_header_unshown_is_refused_at_the_start(tmp_path: Path) -> None:
    guard = Guard(
        resource="http://localhost:1", name="x", key=tmp_path / "k", store=tmp_path / "s", account=None, issuers=[]
    )
    with pytest.raises(ValueError, match="secretly"):

        @guard.action("book", intent="Book", summary="")
        async def book(act: Act, secretly: Annotated[str, Header()]) -> None: ...
