"""The person of an example where nobody sits before it: Chromium with a virtual passkey, and pictures of the pages."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Final

from playwright.sync_api import expect, sync_playwright

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from playwright.sync_api import Page

ARGUMENTS: Final = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
]
PASSKEY: Final = {
    "protocol": "ctap2",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}
_PHONE, _DESKTOP = {"width": 390, "height": 844}, {"width": 1280, "height": 860}


class Person:
    """A person with a browser and a passkey."""

    def __init__(self, page: Page, pictures: Path, server: str) -> None:
        """Sit before a page; `server` is the person's approval server."""
        self.page = page
        self._server = server
        self._pictures = pictures
        self._number = 0

    def picture(self, name: str) -> None:
        """Take the page as it stands, on a phone and a desktop, light and dark."""
        self._number += 1
        for scheme in ("light", "dark"):
            self.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
            for device, size in (("desktop", _DESKTOP), ("phone", _PHONE)):
                self.page.set_viewport_size({"width": size["width"], "height": size["height"]})
                file = self._pictures / f"{self._number:02d}-{name}-{device}-{scheme}.png"
                self.page.screenshot(path=file, full_page=True)
        self.page.emulate_media(color_scheme="light")

    def sign_up(self, name: str) -> None:
        """Make an account with a passkey."""
        self.page.goto(self._server + "/signup")
        self.picture("sign-up")
        self.page.get_by_label("Your name").fill(name)
        self.page.get_by_role("button", name="Make a passkey").click()
        expect(self.page.get_by_role("heading", name="Inbox")).to_be_visible()
        self.picture("empty-inbox")

    def pair(self, code: str) -> None:
        """Type the agent's code and confirm with the passkey."""
        self.page.goto(self._server + "/pair")
        self.picture("pair")
        self.page.get_by_label("Type the code").fill(code)
        self.page.get_by_role("button", name="Find the agent").click()
        self.picture("pair-confirm")
        self.page.get_by_role("button", name="Pair with your passkey").click()
        self.page.wait_for_url("**/agents*")
        self.picture("agents")

    def link(self, service: str, name: str) -> None:
        """Sign in at a service and link the account there; `name` is for the pictures."""
        self.page.goto(service + "/login")
        self.page.get_by_role("button", name="Sign in").click()
        self.page.goto(service + "/oneact/link")
        self.picture(f"{name}-link")
        self.page.get_by_role("button", name="Link").first.click()
        self.page.wait_for_url(self._server + "/**")
        self.picture("link")
        self.page.get_by_role("button", name="Link", exact=True).click()
        self.page.wait_for_url(service + "/**")
        expect(self.page.get_by_role("heading", name="Your account is linked")).to_be_visible()
        self.picture(f"{name}-linked")

    def open_request(self, intent: str, picture: str = "") -> None:
        """Wait in the inbox until an agent's question of this intent appears by itself, and open it."""
        self.page.goto(self._server + "/inbox")
        question = self.page.locator("#inbox a.row", has_text=intent).first
        question.wait_for(timeout=30_000)
        if picture:
            self.picture("inbox")
        question.click()
        expect(self.page.get_by_role("button", name="Approve")).to_be_visible()
        if picture:
            self.picture(picture)

    def approve(self, outcome: str, picture: str) -> None:
        """Approve with the passkey, and wait until the page has turned into this outcome."""
        self.page.get_by_role("button", name="Approve").click()
        expect(self.page.locator("#outcome")).to_contain_text(outcome, timeout=20_000)
        self.picture(picture)

    def deny(self, words: str) -> None:
        """Deny, with words to the agent."""
        self.page.get_by_text("Say something to the agent").click()
        self.page.get_by_label("Words to the agent").fill(words)
        self.page.get_by_role("button", name="Deny", exact=True).click()
        expect(self.page.locator("#outcome")).to_contain_text("Denied")
        self.picture("outcome-denied")


@contextlib.contextmanager
def chromium() -> Iterator[Page]:
    """Start Chromium with a virtual authenticator on its one page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        context = browser.new_context(viewport={"width": 390, "height": 844})
        page = context.new_page()
        session = context.new_cdp_session(page)
        session.send("WebAuthn.enable")
        session.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})
        try:
            yield page
        finally:
            browser.close()
