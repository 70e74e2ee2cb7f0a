"""Without any configuration: the person's own approval server, from the first call to the first approved one."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from oneact.gateway.mcp import personal
from oneact.keyfile import load_or_create
from tests.gateway.playing import Play, refused, text
from tests.gateway.wire import wired
from tests.ports import free_port
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor

NOTE = {"name": "a", "text": "b"}


@pytest.fixture
def alone(play: Play) -> Play:
    """A person who has nothing yet: the server that the fixture runs is not theirs."""
    port = free_port()
    play.environment |= {"ONEACT_SERVER": "", "ONEACT_APPROVE_PORT": str(port)}
    database = play.folder / "home" / "approve" / "server.db"
    play.server = RunningServer(f"http://localhost:{port}", None, None, database)  # type: ignore[arg-type]  # by HTTP alone
    play.person = Visitor(play.server)
    return play


async def test_sixty_seconds_to_the_first_passkey(alone: Play) -> None:
    began = time.monotonic()
    async with alone.client() as client:
        await client.call_tool("write_note", NOTE, raise_on_error=False)
        await asyncio.to_thread(answers_at, alone.server.url)
        alone.person.sign_up()
        await asyncio.to_thread(alone.begin, alone.start())
        async with alone.deciding("approve"):
            result = await client.call_tool("write_note", NOTE)
    assert result.structured_content["written"] == "a"
    assert time.monotonic() - began < 60
    assert alone.calls == ["write a b 1"]


async def test_nobody_is_told_where_to_begin_before_they_can_begin_there(alone: Play) -> None:
    async with wired(alone) as wire:
        await wire.hello()
        before = await asyncio.to_thread(begins_at, alone)
        wire.process.kill()  # what it has told stays behind
    os.kill(int((alone.folder / "home" / "approve" / "pid").read_text()), signal.SIGKILL)
    async with wired(alone):
        address = await asyncio.to_thread(begins_at, alone)
        for url in (alone.server.url + "/.well-known/oauth-authorization-server", address):
            assert (await asyncio.to_thread(httpx.get, url)).status_code == 200
    assert address != before
    assert await asyncio.to_thread(mcp_start, alone) == ""


def begins_at(play: Play) -> str:
    """Give the first address that `oneact mcp start` tells."""
    until = time.monotonic() + 30
    while time.monotonic() < until:
        if told := mcp_start(play):
            return told
    raise AssertionError("nobody is told where to begin")


def mcp_start(play: Play) -> str:
    command = [sys.executable, "-m", "oneact.cli", "mcp", "start"]
    found = subprocess.run(command, env=play.env, capture_output=True, text=True, check=False)
    return found.stdout.rpartition(": ")[2].strip() if found.returncode == 0 else ""


def answers_at(url: str) -> None:
    until = time.monotonic() + 30
    while time.monotonic() < until:
        with contextlib.suppress(httpx.HTTPError):
            httpx.get(url + "/.well-known/oauth-authorization-server")
            return
        time.sleep(0.05)
    raise AssertionError("the approval server does not answer")


@pytest.fixture
def own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path / "home"))
    port = free_port()
    monkeypatch.setenv("ONEACT_APPROVE_PORT", str(port))
    yield f"http://localhost:{port}"
    with contextlib.suppress(FileNotFoundError, ProcessLookupError):
        os.kill(int((tmp_path / "home" / "approve" / "pid").read_text()), signal.SIGKILL)


async def test_two_proxies_that_start_at_once_have_one_approval_server(own: str, tmp_path: Path) -> None:
    found = await asyncio.gather(*(asyncio.to_thread(personal.ensure) for _ in range(3)))
    assert found == [own] * 3
    first = (tmp_path / "home" / "approve" / "pid").read_text()
    assert personal.ensure() == own
    assert (tmp_path / "home" / "approve" / "pid").read_text() == first


def test_it_sees_no_credential_of_the_servers(own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TEST_SECRET", "s3cret")
    assert personal.ensure() == own
    pid = (tmp_path / "home" / "approve" / "pid").read_text()
    assert b"s3cret" not in Path(f"/proc/{pid}/environ").read_bytes()


def test_what_listens_on_its_port_and_is_another_is_not_taken_for_it(own: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(own.rpartition(":")[2])))
        with pytest.raises(OSError, match="cannot be started"):
            personal.ensure()


def test_another_persons_approval_server_on_its_port_is_not_taken_for_it(
    own: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert personal.ensure() == own
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path / "mine"))
    load_or_create(tmp_path / "mine" / "approve" / "server.jwk")
    with pytest.raises(OSError, match="cannot be started"):
        personal.ensure()


async def test_where_its_port_is_anothers_no_one_is_led_to_link_there(alone: Play) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", int(alone.server.url.rpartition(":")[2])))
        async with alone.client() as client:
            result = await client.call_tool("write_note", NOTE, raise_on_error=False)
    assert refused(result) == "passkey_needed"
    assert "/oneact/start" not in text(result)
    assert alone.calls == []
