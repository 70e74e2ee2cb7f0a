"""A Django site under ASGI: uvicorn's own requests, each in a thread of Django's."""

import asyncio
import threading
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection
from django.http import HttpRequest, HttpResponse
from django.test import override_settings
from django.urls import path
from pydantic import BaseModel
from tests.ports import free_port
from tests.service import django_site
from tests.service.conftest import link
from tests.service.world import ApprovalServer, Caller, calling, eventually, served

from oneact.service.django import Act, Guard, Reading


class Trip(BaseModel):
    to: str
    slow: bool = False


class Air:
    def __init__(self, folder: Path, issuer: str, port: int) -> None:
        self.guard = Guard(
            resource=f"http://localhost:{port}", name="Air", key=folder / "k.jwk", store=folder / "air.db",
            account=lambda _: None, issuers=[issuer],
        )  # fmt: skip
        self.release = threading.Event()
        self.running: list[int] = []
        view = self.guard.action("book", intent="Book", summary="Fly to {to}")(self.book)
        read = self.guard.read("seats", intent="See the seats")(self.seats)
        self.patterns = [path("trips/<to>", view), path("later", self.later), path("seats/<to>", read)]

    def book(self, to: str, act: Act, slow: bool = False) -> dict[str, Any]:  # noqa: FBT001, FBT002 - as owners write it
        self.running.append(threading.get_ident())
        with connection.cursor() as cursor:  # Django refuses one of another thread, or within a loop
            cursor.execute("SELECT 312")
            price = cursor.fetchone()[0]
        assert not slow or self.release.wait(20)
        return {"to": to, "price": price, "by": act.account}

    def seats(self, request: HttpRequest, to: str, reading: Reading) -> list[str]:
        return [to, request.path, reading.account]

    async def later(self, request: HttpRequest) -> HttpResponse:
        await asyncio.sleep(0)
        return HttpResponse(request.path)


@pytest.fixture(params=["urls", "middleware"])
async def air(request: pytest.FixtureRequest, server: ApprovalServer, tmp_path: Path) -> AsyncIterator[Air]:
    port = free_port()
    found = Air(tmp_path, server.issuer, port)
    await link(tmp_path, found.guard.resource, server, "ada")
    django_site.guard = found.guard  # type: ignore[attr-defined]  # where the setting finds it
    more: dict[str, Any] = {}
    if request.param == "middleware":
        chain = [*settings.MIDDLEWARE, "oneact.service.django.Middleware"]
        more = {"ONEACT_GUARD": f"{django_site.__name__}.guard", "MIDDLEWARE": chain}
    own = found.guard.urls if request.param == "urls" else []
    with override_settings(**more), served(django_site.serving_async(found.guard, [*own, *found.patterns]), port):
        yield found
        found.release.set()
    found.guard.stop_sync()


@pytest.fixture
async def caller(server: ApprovalServer, air: Air) -> AsyncIterator[Caller]:
    async with calling(server, air.guard.resource) as found:
        yield found


async def test_an_act_is_done_once_and_its_address_is_the_one_that_was_sent(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/trips/Z%C3%BCrich%20HB?slow=false"))
    done = await caller.show(token, "POST", "/trips/Z%C3%BCrich%20HB?slow=false")
    assert done.json() == {"to": "Zürich HB", "price": 312, "by": "ada"}
    assert (await caller.verified(done.headers["oneact-receipt"])).status == "executed"
    again = await caller.show(token, "POST", "/trips/Z%C3%BCrich%20HB?slow=false")
    assert (again.status_code, again.json()["reason"]) == (409, "already_spent")


async def test_an_address_that_is_spelt_otherwise_is_what_was_signed(caller: Caller) -> None:
    assert (await caller.act("POST", "/trips/%4eYC")).json()["to"] == "NYC"


async def test_handlers_run_beside_each_other_and_beside_asynchronous_views(caller: Caller, air: Air) -> None:
    tokens = [await caller.approved(await caller.ask("POST", "/trips/NYC?slow=true")) for _ in range(3)]
    running = [asyncio.create_task(caller.show(token, "POST", "/trips/NYC?slow=true")) for token in tokens]
    await eventually(lambda: len(air.running) == len(tokens))
    assert len(set(air.running)) == len(tokens)
    assert (await caller.client.get(caller.resource + "/later")).text == "/later"
    air.release.set()
    assert {answer.status_code for answer in await asyncio.gather(*running)} == {200}


async def test_a_token_that_comes_twice_is_refused(caller: Caller) -> None:
    token = await caller.approved(await caller.ask("POST", "/trips/NYC"))
    shown = caller.agent.headers("POST", caller.resource + "/trips/NYC", token, 0)
    twice = [*shown.items(), ("Authorization", shown["Authorization"])]
    answer = await caller.client.post(caller.resource + "/trips/NYC", headers=twice)
    assert (answer.status_code, answer.json()["reason"]) == (401, "authorization_repeated")


async def test_what_a_person_has_opened_is_read(caller: Caller) -> None:
    reads = (await caller.client.get(caller.resource + "/oneact/actions")).json()["reads"]
    token = caller.server.person.read_token(caller.resource, reads, caller.agent, int(time.time()))
    answer = await caller.show(token, "GET", "/seats/Z%C3%BCrich")
    assert answer.json() == ["Zürich", "/seats/Zürich", "ada"]


async def test_a_body_in_chunks_is_read(caller: Caller) -> None:
    async def parts() -> AsyncIterator[bytes]:
        yield b'{"action": "book", "para'
        yield b'meters": {"to": "NYC"}}'

    headers = {**caller.accept, "Content-Type": "application/json"}
    asked = await caller.client.post(caller.resource + "/oneact/act", content=parts(), headers=headers)
    assert asked.json()["reason"] == "approval_required"

    async def endless() -> AsyncIterator[bytes]:
        for _ in range(300):
            yield b"x" * 1000

    asked = await caller.client.post(caller.resource + "/oneact/act", content=endless(), headers=headers)
    assert (asked.status_code, asked.json()["reason"]) == (413, "request_too_large")
