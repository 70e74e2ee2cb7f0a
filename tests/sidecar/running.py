"""The sidecar and the Express example as processes of their own, which can be killed."""

import asyncio
import os
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx

from tests.ports import free_port
from tests.service.conftest import link
from tests.service.world import ApprovalServer
from tests.spec.literal import ROOT

EXPRESS = ROOT / "examples" / "express"
FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
PRICE: dict[str, Any] = {"price": {"amount": "312.00", "currency": "USD"}}
_SECONDS = 20


@dataclass(frozen=True)
class Place:
    """Where one service stands: its port, its folder with the configuration, and the sidecar's socket in it."""

    folder: Path
    port: int
    name: str = "oneact.sock"

    @property
    def resource(self) -> str:
        return f"http://localhost:{self.port}"

    @property
    def socket(self) -> Path:
        return self.folder / self.name

    @property
    def config(self) -> Path:
        return self.folder / "sidecar.toml"


async def settle_in(
    folder: Path, server: ApprovalServer | None = None, deadline: int = 30, issuers: str = "", port: int = 0
) -> Place:
    """Write the example's configuration for this folder, and link the person of `server` to the account `alice`.

    Where `issuers` says which approval servers are accepted, nobody is linked.
    """
    place = Place(folder, port or free_port())
    text = (EXPRESS / "sidecar.toml").read_text("utf-8")
    text = text.replace("http://localhost:3000", place.resource)
    text = text.replace('["http://localhost:8400"]', issuers or f'["{server.issuer if server else ""}"]')
    text = text.replace('intent = "Book a flight"', f'intent = "Book a flight"\ndeadline = {deadline}')
    place.config.write_text(text, "utf-8")
    if server is not None and not issuers:
        await link(folder / "var", place.resource, server)
    return place


@contextmanager
def sidecar(place: Place, *more: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the sidecar until the block ends, if it lives so long."""
    command = [sys.executable, "-m", "oneact.cli", "sidecar", "--config", str(place.config)]
    with _process([*command, *(more or ("--unix", str(place.socket)))], {}) as running:
        if not more:
            until_open(place.socket, running)
        yield running


@contextmanager
def express(place: Place, app: Path = EXPRESS / "app.js", **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run the example until the block ends, if it lives so long."""
    settings = {"PORT": str(place.port), "ONEACT_SIDECAR_UNIX": str(place.socket), **environment}
    with _process(["node", str(app)], settings) as running:
        until_open(("127.0.0.1", place.port), running)
        yield running


def changed(folder: Path, before: str, after: str) -> Path:
    """Write the example with one part of it replaced."""
    text = (EXPRESS / "app.js").read_text("utf-8")
    assert text.count(before) == 1
    (folder / "node_modules").symlink_to(EXPRESS / "node_modules")
    (folder / "package.json").write_text((EXPRESS / "package.json").read_text("utf-8"), "utf-8")
    (folder / "app.js").write_text(text.replace(before, after), "utf-8")
    return folder / "app.js"


@contextmanager
def _process(command: list[str], environment: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment}) as running:
        try:
            yield running
        finally:
            running.kill()


def until_open(address: Any, running: subprocess.Popen[bytes]) -> None:
    """Wait until a process listens there."""
    until = time.monotonic() + _SECONDS
    while not _answers(address):
        assert running.poll() is None, "the process ended"
        assert time.monotonic() < until, "the process did not start"
        time.sleep(0.01)


def _answers(address: Any) -> bool:
    with socket.socket(socket.AF_UNIX if isinstance(address, Path) else socket.AF_INET) as probe:
        return probe.connect_ex(str(address) if isinstance(address, Path) else address) == 0


@asynccontextmanager
async def asking(place: Place) -> AsyncIterator[httpx.AsyncClient]:
    """Be the service: call the private API over its socket."""
    transport = httpx.AsyncHTTPTransport(uds=str(place.socket))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost", timeout=30) as client:
        yield client


async def until_ended(running: subprocess.Popen[bytes]) -> int:
    return await asyncio.to_thread(running.wait, _SECONDS)
