"""The demo of forms: an agent that only has a browser books on a web site, and a person approves on their own device.

With a terminal it waits for you to play both, in two browsers. With HEADLESS=1, or without a terminal, one Chromium
without script plays the agent and another, with a virtual passkey, the person; the exit status is 0 only if exactly
the approved bookings stand.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from examples import processes

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, CDPSession, Page

SITE: Final = os.environ.get("AIRLINE_FORM_URL", "http://localhost:8700")
FOLDER: Final = Path("var/demo-form")
_LATER: Final = 601  # seconds: past the end of any offer


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


class Played:
    """The two browsers, and what went wrong."""

    def __init__(self, browser: Browser) -> None:
        self.agent = browser.new_context(java_script_enabled=False, viewport={"width": 900, "height": 760}).new_page()
        self.person = browser.new_context(viewport={"width": 390, "height": 844}).new_page()
        self._passkeys = _device(self.person)
        self.wrong: list[str] = []
        self._number = 0

    def picture(self, page: Page, name: str) -> None:
        """Take a page as it stands."""
        self._number += 1
        page.screenshot(path=FOLDER / f"{self._number:02d}-{name}.png", full_page=True)

    def expect(self, page: Page, text: str, what: str) -> None:
        """Wait until a page shows a text; note where it does not."""
        from playwright.sync_api import expect

        try:
            expect(page.locator("body")).to_contain_text(text, timeout=20_000)
        except AssertionError:
            self.wrong.append(f"{what}: no {text!r} on {page.url}: {page.locator('body').inner_text()[:300]}")
        else:
            _say(what)

    def sign_in(self, page: Page) -> None:
        """Sign in at the airline."""
        page.goto(SITE + "/login")
        page.get_by_role("button", name="Sign in").click()

    def enrol(self) -> None:
        """Make the person's passkey at the airline's own approval server."""
        self.person.goto(SITE + "/approve/")
        self.person.get_by_role("button", name="Make a passkey").click()
        self.person.get_by_role("button", name="Sign with your passkey").click()
        self.person.wait_for_url("**/approve/inbox*")
        _say("the person has a passkey at the airline")

    def fill_in(self, to: str, day: str, picture: str = "", page: Page | None = None) -> None:
        """Have the agent, or whose page it is, fill in the form and submit it."""
        page = page or self.agent
        page.goto(SITE + "/")
        for label, value in (("From", "SFO"), ("To", to), ("Date", day)):
            page.get_by_label(label).fill(value)
        if picture:
            self.picture(page, picture)
        page.get_by_role("button", name="Book").click(click_count=2 if picture else 1)

    def count_questions(self) -> None:
        """Note where more than one question waits for the person."""
        self.person.goto(SITE + "/approve/inbox")
        waiting = self.person.locator("#inbox a.row").count()
        if waiting != 1:
            self.wrong.append(f"{waiting} questions wait instead of one")

    def approve_in_place(self) -> None:
        """Approve, in the browser that waits, on the page to which the waiting page leads, with the one gesture."""
        with self.person.context.expect_page() as opened:
            self.person.get_by_role("link", name="Approve it with your passkey").click()
        beside = opened.value
        session, device = _device(beside)  # the same passkey; a virtual one belongs to one page
        owner, first = self._passkeys
        for passkey in owner.send("WebAuthn.getCredentials", {"authenticatorId": first})["credentials"]:
            session.send("WebAuthn.addCredential", {"authenticatorId": device, "credential": passkey})
        self.picture(beside, "in-person-approves")
        beside.get_by_role("button", name="Approve").click()
        self.expect(beside, "Done. Receipt verified.", "who submits in person approves in place, with one gesture")
        beside.close()

    def open_request(self, text: str) -> None:
        """Have the person open the newest question in the inbox."""
        self.person.goto(SITE + "/approve/inbox")
        self.person.locator("#inbox a.row", has_text=text).first.click()

    def approve(self) -> None:
        """Approve with the passkey."""
        self.person.get_by_role("button", name="Approve").click()

    def deny(self, words: str) -> None:
        """Deny, with words."""
        self.person.get_by_text("Say something to the agent").click()
        self.person.get_by_label("Words to the agent").fill(words)
        self.person.get_by_role("button", name="Deny", exact=True).click()


def _device(page: Page) -> tuple[CDPSession, str]:
    """Give a page a device that holds passkeys; give the device's session and id."""
    from examples.person import PASSKEY

    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    return session, session.send("WebAuthn.addVirtualAuthenticator", {"options": PASSKEY})["authenticatorId"]


def _play(played: Played) -> None:
    day = datetime.fromtimestamp(time.time() + 30 * 24 * 3600, UTC).date().isoformat()
    played.sign_in(played.person)
    played.sign_in(played.agent)
    played.fill_in("NYC", day)
    played.expect(played.agent, "your account has no passkey yet", "without a passkey the form is refused")
    played.enrol()
    _book(played, day)
    played.fill_in("BOS", day, page=played.person)
    played.approve_in_place()
    played.expect(played.person, "Booked. Your reference is", "and the page that waited has gone on")
    _deny_and_lapse(played, day)
    played.agent.goto(SITE + "/")
    played.picture(played.agent, "agent-at-the-end")


def _book(played: Played, day: str) -> None:
    agent, person = played.agent, played.person
    played.fill_in("NYC", day, "agent-fills-in")
    played.expect(agent, "Waiting for your approval", "the agent pressed Book, twice; it is held, once, not booked")
    played.picture(agent, "agent-waits")
    played.fill_in("NYC", day)
    played.expect(agent, "Waiting for your approval", "the agent pressed Book again: the same question, no second one")
    waiting = agent.url.partition("?")[0]
    played.count_questions()
    played.fill_in("LAX", day)
    played.expect(agent, "LAX", "the agent changed a field: another question")
    played.open_request("NYC")
    played.picture(person, "person-is-asked")
    agent.goto(waiting)
    played.approve()
    played.expect(agent, "Booked. Your reference is", "the person approved New York, and it is booked")
    played.picture(agent, "agent-booked")
    played.expect(person, "Done. Receipt verified.", "the approval page shows the outcome")
    played.picture(person, "person-outcome")
    agent.go_back()
    played.fill_in("NYC", day)
    played.expect(agent, "You have approved this already", "back, and Book once more: the outcome, no second booking")
    played.picture(agent, "agent-already-done")


def _deny_and_lapse(played: Played, day: str) -> None:
    agent = played.agent
    played.fill_in("LAX", day)
    played.open_request("LAX")
    played.deny("I never asked for Los Angeles.")
    played.expect(agent, "I never asked for Los Angeles.", "the person denied Los Angeles; the agent's page says so")
    played.picture(agent, "agent-denied")
    played.fill_in("SEA", day)
    played.expect(agent, "Waiting for your approval", "a third flight waits, and nobody looks")
    (FOLDER / "airline" / "ahead").write_text(str(_LATER))
    played.expect(agent, "Nobody approved in time", "ten minutes later it has expired")
    played.picture(agent, "agent-expired")


def headless() -> int:
    """Play the whole demo; give the exit status."""
    from playwright.sync_api import sync_playwright

    from examples.person import ARGUMENTS

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=ARGUMENTS)
        try:
            played = Played(browser)
            _play(played)
        finally:
            browser.close()
    with contextlib.closing(sqlite3.connect(FOLDER / "airline" / "bookings.db")) as database:
        booked = database.execute("SELECT account, origin, destination FROM bookings").fetchall()
    _say(f"the airline's database holds {len(booked)} booking(s): {booked}")
    _say(f"{len(list(FOLDER.glob('*.png')))} pictures of the pages are in {FOLDER}/")
    for line in played.wrong:
        _say(f"WRONG {line}")
    right = booked == [("ada", "SFO", "NYC"), ("ada", "SFO", "BOS")]
    return 0 if right and not played.wrong else 1


def by_hand() -> int:
    """Let a person play both, until they end it."""
    print(
        f"""
 1. In one browser, the person: sign in and make a passkey   {SITE}/login   then   {SITE}/approve/
 2. In another (a private window), the agent: sign in and book   {SITE}/login
 3. The agent's page waits. Approve or deny in the first one     {SITE}/approve/inbox
 Ctrl-C ends the demo.
"""
    )
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            time.sleep(3600)
    return 0


@contextlib.contextmanager
def running() -> Iterator[None]:
    """Run the airline in a fresh folder."""
    environment = {"AIRLINE_FORM_URL": SITE, "AIRLINE_FORM_FOLDER": str(FOLDER / "airline")}
    port = SITE.rpartition(":")[2]
    serve = ("-m", "uvicorn", "examples.airline_form.app:app", "--port", port, "--log-level", "warning")
    with processes.running([processes.Part("airline", serve, SITE)], environment, FOLDER):
        yield


def main() -> int:
    """Run the demo."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    alone = os.environ.get("HEADLESS") == "1" or not sys.stdin.isatty()
    _say(f"starting: the airline's web site {SITE}, with its approval server inside")
    try:
        with running():
            return headless() if alone else by_hand()
    except RuntimeError as error:
        _say(f"stopped: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
