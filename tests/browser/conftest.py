"""A real Chromium with a virtual passkey, before a real approval server."""

from __future__ import annotations

import contextlib
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from examples.person import ARGUMENTS, PASSKEY
from playwright.sync_api import CDPSession, ConsoleMessage, Page, expect, sync_playwright

from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, running_server, serving
from tests.server.visitor import authentication, push


class RealClock:
    now = 0

    def __call__(self) -> int:
        return int(time.time())


@dataclass
class Browsing:
    """A person's browser at the server, and what it asked for and complained of."""

    server: RunningServer
    page: Page
    devices: CDPSession
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def hear(self, said: ConsoleMessage) -> None:
        """Note an error that a page of the server gave rise to."""
        if said.type == "error" and said.location["url"].startswith(self.server.url):
            self.complaints.append(said.text)

    def add_device(self, **changes: str) -> str:
        """Give the person one more device that holds passkeys; give its id."""
        options = {**PASSKEY, **changes}
        added = self.devices.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return str(added["authenticatorId"])

    def take_device(self, identifier: str) -> None:
        """Take a device away, with the passkeys that it holds."""
        self.devices.send("WebAuthn.removeVirtualAuthenticator", {"authenticatorId": identifier})

    def go(self, path: str) -> None:
        self.page.goto(self.server.url + path)

    def sign_up(self, name: str = "Ada") -> None:
        self.go("/signup")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Make a passkey").click()
        expect(self.page.get_by_role("heading", name="Inbox")).to_be_visible()

    def pair(self, agent: Agent) -> None:
        started = agent.post("/oauth/device").json()
        self.go("/pair")
        self.page.get_by_label("Type the code").fill(started["user_code"])
        self.page.get_by_role("button", name="Find the agent").click()
        self.page.get_by_role("button", name="Pair with your passkey").click()
        self.page.wait_for_url("**/agents*")
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
        agent.hint = agent.post("/oauth/token", **form).json()["login_hint"]

    def link(self, service: Service) -> None:
        uri = push(self.server, service)
        self.go(f"/oauth/authorize?client_id={service.client_id}&request_uri={uri}")
        with self.page.expect_request(re.compile("/oneact/link/callback")) as back:
            self.page.get_by_role("button", name="Link", exact=True).click()
        self.page.wait_for_url("**/oneact/link/callback*")
        code = parse_qs(urlsplit(back.value.url).query)["code"][0]
        form = {
            "grant_type": "authorization_code", "code": code, "redirect_uri": service.redirect_uri,
            "code_verifier": "v" * 43, "account_label": "ada@example", **authentication(self.server, service),
        }  # fmt: skip
        assert httpx.post(self.server.url + "/oauth/token", data=form).status_code == 200

    def open_first(self) -> None:
        self.go("/inbox")
        self.page.locator("#inbox a.row", has_text="Book a flight").first.click()
        expect(self.page.get_by_role("button", name="Approve")).to_be_visible()


@pytest.fixture
def browsing(tmp_path: Path) -> Iterator[Browsing]:
    with running_server(tmp_path, clock=RealClock()) as server, chromium(server) as found:
        yield found


@contextlib.contextmanager
def chromium(server: RunningServer) -> Iterator[Browsing]:
    """Open a phone-sized Chromium with one device that holds passkeys."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        found = Browsing(server, page, context.new_cdp_session(page))
        found.devices.send("WebAuthn.enable")
        found.add_device()
        page.on("request", lambda request: found.asked.append(request.url))
        page.on("console", found.hear)
        page.on("pageerror", lambda error: found.complaints.append(str(error)))
        yield found
        browser.close()


@pytest.fixture
def shop() -> Iterator[Service]:
    found = Service(f"http://localhost:{free_port()}")
    with serving(found.app(), int(found.url.rpartition(":")[2])):
        yield found


@pytest.fixture
def ready(browsing: Browsing, shop: Service) -> Agent:
    """An agent that is paired with the person in the browser, who has linked the service."""
    agent = Agent(browsing.server)
    agent.register()
    browsing.sign_up()
    browsing.pair(agent)
    browsing.link(shop)
    browsing.go("/inbox")
    expect(browsing.page.get_by_role("heading", name="Inbox")).to_be_visible()
    browsing.complaints.clear()  # the stub of the service answers its callback with nothing a browser likes
    browsing.asked.clear()
    return agent
