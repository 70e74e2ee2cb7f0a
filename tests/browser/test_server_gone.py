"""The approval server is stopped while a person has a page open: they are told, nothing is approved, and it goes on."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Browsing, RealClock, chromium
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service

KILLED_MEANWHILE = """() => {
    const ask = navigator.credentials.get.bind(navigator.credentials);
    navigator.credentials.get = async (options) => { const made = await ask(options); await kill(); return made; };
}"""


@dataclass
class Served:
    """`oneact serve` as a process of its own, which is stopped and started again."""

    folder: Path
    port: int
    process: Any = None

    @property
    def url(self) -> str:
        return f"http://localhost:{self.port}"

    def start(self) -> None:
        """Run it, and return when it answers."""
        arguments = [
            sys.executable, "-m", "oneact.cli", "serve", "--public-url", self.url, "--port", str(self.port),
            "--database", str(self.folder / "a.db"), "--key-file", str(self.folder / "a.jwk"),
        ]  # fmt: skip
        with (self.folder / "log").open("a") as log:
            self.process = subprocess.Popen(arguments, stdout=log, stderr=log, env={**os.environ})
        until = time.monotonic() + 20
        while True:
            try:
                httpx.get(self.url + "/oauth/jwks.json")
            except httpx.HTTPError:
                assert time.monotonic() < until
                assert self.process.poll() is None
                time.sleep(0.02)
            else:
                return

    def terminate(self) -> None:
        """Tell it to end, and see that nobody who waits keeps it."""
        self.process.terminate()
        self.process.wait(10)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    found = Served(tmp_path, free_port())
    found.start()
    yield found
    found.kill()


@pytest.fixture
def browsing(served: Served) -> Iterator[Browsing]:
    server = RunningServer(served.url, None, RealClock(), served.folder / "a.db")  # type: ignore[arg-type]  # a process of its own
    with chromium(server) as found:
        yield found


def test_who_presses_approve_meanwhile_is_told_and_approves_when_it_is_back(
    served: Served, browsing: Browsing, ready: Agent, shop: Service
) -> None:
    page, told = browsing.page, browsing.page.get_by_role("alert")

    def states() -> list[Any]:
        return browsing.server.execute("SELECT state FROM requests")

    offered = shop.offer(served.url, int(time.time()), shop.act())
    identifier = ready.ask(offered).json()["transaction_authorization_id"]
    browsing.open_first()
    served.terminate()
    page.get_by_role("button", name="Approve").click()
    expect(told).to_have_text(
        "The server cannot be reached. Nothing was approved or changed. Try again when it is back."
    )
    assert states() == [("pending",)]
    served.start()
    expect(told).to_be_hidden(timeout=10_000)  # the page has found it by itself
    page.expose_function("kill", served.kill)
    page.evaluate(KILLED_MEANWHILE)
    page.get_by_role("button", name="Approve").click()
    expect(told).to_contain_text("It is not known whether it has taken this.")
    assert states() == [("pending",)]
    served.start()
    page.reload()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#outcome")).to_contain_text("Approved")
    assert ready.poll(identifier).json()["token_type"] == "DPoP"
