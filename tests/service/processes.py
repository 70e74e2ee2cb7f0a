"""A service in processes of its own, which can be killed."""

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from tests.service.world import ApprovalServer, Caller


@contextmanager
def process(
    kind: str,
    port: int,
    server: ApprovalServer,
    folder: Path,
    deadline: int,
    beside: int = 0,
    *,
    service: str = "airline",
) -> Iterator[Any]:
    """Run the airline, or another service, in a process of its own until the block ends, if it lives so long."""
    numbers = [str(port), str(beside or port), str(deadline)]
    command = [sys.executable, "-m", f"tests.service.{service}", kind, server.issuer, str(folder), *numbers]
    with subprocess.Popen(command) as running:
        try:
            yield running
        finally:
            running.kill()


@contextmanager
def forked(
    kind: str, port: int, beside: int, server: ApprovalServer, folder: Path, begun: str = "loaded"
) -> Iterator[None]:
    """Run the airline in two processes forked off one that has `loaded` or `served` it, until the block ends."""
    command = [sys.executable, "-m", "tests.service.forking", kind, server.issuer, str(folder), str(port), begun]
    with subprocess.Popen([*command, str(port), str(beside)]) as running:
        try:
            yield
        finally:
            running.kill()


async def ready(caller: Caller, port: int = 0) -> None:
    address = f"http://localhost:{port}" if port else caller.resource
    for _ in range(500):
        try:
            await caller.client.get(address + "/oneact/jwks.json")
        except httpx.TransportError:
            await asyncio.sleep(0.02)
        else:
            return
    raise AssertionError("the service did not start")
