"""The agent brings something in by a way that the action does not list: query, form, header."""

import contextlib
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Annotated, Any

import httpx
import pytest
from django.urls import path
from fastapi import FastAPI, Form, Header
from flask import Flask
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import Guard as AsgiGuard
from oneact.service import wsgi
from oneact.service.django import Form as DjangoForm
from oneact.service.django import Guard as DjangoGuard
from oneact.service.fastapi import Act, Guard
from oneact.service.flask import Form as FlaskForm
from oneact.service.flask import Guard as FlaskGuard
from oneact.service.guard import GuardCore
from oneact.testing import InProcessApprover, TestAgent
from tests.attacks.stage import FLIGHT, told
from tests.ports import free_port
from tests.service import django_site
from tests.service.airline import FACES, Airline
from tests.service.serving import by_waitress
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


@pytest.mark.parametrize("face", FACES)
async def test_an_unlisted_form_field_is_refused(tmp_path: Path, face: str) -> None:
    approver, agent, now, done = InProcessApprover(), TestAgent(), int(time.time()), list[str]()
    guard, app = noting(face, tmp_path, approver.issuer, done)
    await approver.link_async(guard, "ada")
    async with reaching(guard, app) as client:
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
    assert done == ["hello"]


@contextlib.asynccontextmanager
async def reaching(guard: GuardCore, app: Any) -> AsyncIterator[httpx.AsyncClient]:
    if isinstance(guard, wsgi.Guard):
        port = free_port()
        with by_waitress(app, port):
            async with httpx.AsyncClient(base_url=f"http://localhost:{port}") as client:
                yield client
        guard.stop_sync()
        return
    transport = httpx.ASGITransport(app=app)
    async with httpx.AsyncClient(transport=transport, base_url=guard.resource) as client:
        yield client
    await guard.stop()


def noting(face: str, folder: Path, issuer: str, done: list[str]) -> tuple[GuardCore, Any]:
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
    if face == "flask":
        return noting_in_flask(settings, done)
    if face == "django":
        return noting_in_django(settings, done)
    described: dict[str, Any] = {
        "intent": "Keep a note", "summary": "Keep {note}", "sources": {"note": "form"}, "path": "/notes",
        "schema": {"type": "object", "required": ["note"], "properties": {"note": {"type": "string"}}},
    }  # fmt: skip

    def take(parameters: dict[str, Any], _: Act) -> None:
        done.append(parameters["note"])

    if face == "wsgi":
        sync = wsgi.Guard(**settings)
        taken = sync.wsgi("keep_note", **described)(take)
        return sync, lambda environ, start: (taken if environ["PATH_INFO"] == "/notes" else sync.app)(environ, start)
    plain = AsgiGuard(**settings)
    routes = [Route("/notes", plain.asgi("keep_note", **described)(take)), Mount("/", plain.app)]
    return plain, Starlette(routes=routes)


def noting_in_flask(settings: dict[str, Any], done: list[str]) -> tuple[GuardCore, Any]:
    guard, app = FlaskGuard(**settings), Flask(__name__)
    guard.init_app(app)

    @app.post("/notes")
    @guard.action("keep_note", intent="Keep a note", summary="Keep {note}")
    def keep(note: Annotated[str, FlaskForm()]) -> None:
        done.append(note)

    return guard, app


def noting_in_django(settings: dict[str, Any], done: list[str]) -> tuple[GuardCore, Any]:
    guard = DjangoGuard(**settings)

    @guard.action("keep_note", intent="Keep a note", summary="Keep {note}")
    def keep(note: Annotated[str, DjangoForm()]) -> None:
        done.append(note)

    return guard, django_site.serving(guard, [*guard.urls, path("notes", keep)])


def test_a_handler_that_reads_a_header_unshown_is_refused_at_the_start(tmp_path: Path) -> None:
    guard = Guard(
        resource="http://localhost:1", name="x", key=tmp_path / "k", store=tmp_path / "s", account=None, issuers=[]
    )
    with pytest.raises(ValueError, match="secretly"):

        @guard.action("book", intent="Book", summary="")
        async def book(act: Act, secretly: Annotated[str, Header()]) -> None: ...
