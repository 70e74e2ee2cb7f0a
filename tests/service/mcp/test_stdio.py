"""A guarded server over stdio: one person on their own machine, pages on localhost, a way in that is good once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
from mcp import Client, StdioServerParameters
from tests.embedded.notes import enrol
from tests.embedded.test_whole import wait_for
from tests.forms.air import Clock
from tests.ports import free_port
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.service.mcp.shelf import FACES, REVISIONS, meta, refusal, text
from tests.spec.literal import ROOT

from oneact.protocol import tool
from oneact.service.mcp import Guard


class Desk:
    """The server's folder and port, and its client."""

    def __init__(self, folder: Path, kind: str) -> None:
        self.folder, self.kind, self.port = folder, kind, free_port()
        self.resource = f"http://localhost:{self.port}"
        self.issuer = ""

    def client(self, revision: str = "2025-11-25") -> Client:
        arguments = ["-m", "tests.service.mcp.stdio_shelf", self.kind, str(self.folder), str(self.port), self.issuer]
        server = StdioServerParameters(command=sys.executable, args=arguments, cwd=ROOT)
        return Client(server, mode=REVISIONS[revision])

    @contextmanager
    def browser(self) -> Iterator[httpx.Client]:
        with httpx.Client(base_url=self.resource, trust_env=False) as found:
            yield found

    def person(self, session: str) -> Visitor:
        server: Any = RunningServer(f"{self.resource}/approve", None, Clock(), self.folder / "approve" / "approve.db")  # type: ignore[arg-type]  # another app
        found = Visitor(server)
        found.http.cookies.set(f"oneact-person-{self.port}", session, domain="localhost.local")
        return found

    def approve(self, who: Visitor) -> None:
        [[found]] = wait_for(lambda: who.server.execute("SELECT id FROM requests WHERE state = 'pending'"))
        assert who.approve(found).status_code == 200


@pytest.fixture(params=FACES)
def desk(request: pytest.FixtureRequest, tmp_path: Path) -> Desk:
    return Desk(tmp_path, request.param)


async def test_from_nothing_to_the_first_approved_call(desk: Desk, revision: str) -> None:
    async with desk.client(revision) as client:
        first = await client.call_tool("write", {"path": "/a"})
        assert refusal(first) == "passkey_needed"
        shown = (desk.folder / "shown").read_text()
        assert shown.startswith(f"{desk.resource}/start/")
        assert shown not in str(first)  # the program that calls never sees the way in
        with desk.browser() as browser:
            started = await asyncio.to_thread(browser.get, shown)
            assert started.headers["location"] == f"{desk.resource}/approve/"
            again = await asyncio.to_thread(browser.get, shown)
            assert (again.status_code, again.json()["reason"]) == (401, "session_required")
            ada = desk.person(started.cookies[f"oneact-person-{desk.port}"])
        await asyncio.to_thread(enrol, ada)
        call = asyncio.ensure_future(client.call_tool("write", {"path": "/a"}))
        await asyncio.to_thread(desk.approve, ada)
        assert text(await call) == "/a written"
        assert tool.RECEIPT in meta(await call)
    assert (desk.folder / "written").read_text() == "/a\n"


async def linked(desk: Desk, client: Client) -> Visitor:
    """Lead the person to their passkey, as the first call does."""
    await client.call_tool("write", {"path": "/a"})
    with desk.browser() as browser:
        started = await asyncio.to_thread(browser.get, (desk.folder / "shown").read_text())
        who = desk.person(started.cookies[f"oneact-person-{desk.port}"])
    await asyncio.to_thread(enrol, who)
    return who


def states(who: Visitor) -> list[str]:
    return [state for (state,) in who.server.execute("SELECT state FROM requests")]


@pytest.mark.parametrize("signalled", [False, True])
async def test_at_its_end_it_leaves_nothing_to_be_decided(desk: Desk, signalled: bool) -> None:  # noqa: FBT001 - a case
    async with desk.client() as client:
        who = await linked(desk, client)
        call = asyncio.ensure_future(client.call_tool("write", {"path": "/a"}))
        await asyncio.to_thread(wait_for, lambda: states(who))
        if signalled:
            os.kill(int((desk.folder / "pid").read_text()), signal.SIGTERM)
            with pytest.raises(Exception):  # noqa: B017, PT011 - whatever the client says of a server that is gone
                await call
            assert states(who) == ["cancelled"]
        call.cancel()
    await asyncio.gather(call, return_exceptions=True)
    assert states(who) == ["cancelled"]
    assert not (desk.folder / "written").exists()


async def test_the_program_itself_makes_no_passkey(desk: Desk) -> None:
    async with desk.client() as client:
        await client.call_tool("write", {"path": "/a"})
        with desk.browser() as browser:
            for way in ("/start/", "/start/guessed", "/start"):
                assert (await asyncio.to_thread(browser.get, way)).status_code in {401, 404}
            assert (await asyncio.to_thread(browser.get, "/oneact/link")).status_code in {303, 401}
        nobody = desk.person("guessed")
        begun = await asyncio.to_thread(nobody.post, "/enrol/begin")
        assert begun.status_code == 401
        rebound = await asyncio.to_thread(
            httpx.get,
            (desk.folder / "shown").read_text(),
            headers={"Host": f"evil.example:{desk.port}"},
            trust_env=False,
        )
        assert (rebound.status_code, rebound.json()["reason"]) == (403, "csrf")


async def test_a_second_process_of_the_server_leaves_the_pages_to_the_first(desk: Desk) -> None:
    desk.issuer = "http://localhost:1"
    async with desk.client() as client, desk.client() as other:
        assert refusal(await client.call_tool("write", {"path": "/a"})) == "passkey_needed"
        assert refusal(await other.call_tool("write", {"path": "/a"})) == "passkey_needed"
        with desk.browser() as browser:  # what the second has shown is good at the first
            started = await asyncio.to_thread(browser.get, (desk.folder / "shown").read_text())
            assert started.headers["location"] == f"{desk.resource}/oneact/link"


def test_it_stays_on_this_machine(tmp_path: Path) -> None:
    settings: Any = {"name": "x", "key": tmp_path / "k", "store": tmp_path / "s", "issuers": ["https://a.example"]}
    with pytest.raises(ValueError, match="on this machine"):
        Guard(resource="https://shelf.example", account="ada", **settings)


async def test_pages_elsewhere_are_not_served_beside_stdio(tmp_path: Path) -> None:
    settings: Any = {"name": "x", "key": tmp_path / "k", "store": tmp_path / "s", "issuers": ["https://a.example"]}
    guard = Guard(resource="https://shelf.example", account=lambda _: None, **settings)
    with pytest.raises(ValueError, match="for this machine"):
        async with guard.listen():
            pass
