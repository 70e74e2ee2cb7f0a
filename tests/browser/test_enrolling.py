"""A person at a service whose approval server is embedded: their first passkey, in a real browser."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from tests.browser.conftest import Browsing, chromium
from tests.embedded.notes import ACCOUNT, SIGNED_IN, Notes
from tests.server.peers import RunningServer, serving

if TYPE_CHECKING:
    from pathlib import Path


def sign_in(browsing: Browsing, notes: Notes, ago: int = 0) -> None:
    values = {ACCOUNT: "ada", SIGNED_IN: str(int(time.time()) - ago)}
    cookies = [{"name": name, "value": value, "url": notes.resource} for name, value in values.items()]
    browsing.page.context.add_cookies(cookies)  # type: ignore[arg-type]  # as its type says it


def test_a_first_passkey_is_made_and_signs_and_another_is_told(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    server = RunningServer(notes.url, None, notes.guard.now, notes.database)  # type: ignore[arg-type]  # another app, by whose clock
    with serving(notes.app, notes.port), chromium(server) as browsing:
        page = browsing.page
        sign_in(browsing, notes, ago=400)
        browsing.go("/inbox")
        expect(page.get_by_role("link", name="Sign in again")).to_be_visible()
        sign_in(browsing, notes)
        browsing.go("/passkeys")
        page.get_by_role("button", name="Make a passkey").click()
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_role("heading", name="First passkey")).to_be_visible()
        expect(page.get_by_role("link", name="Back to Notes")).to_be_visible()
        expect(page.get_by_role("button", name="Sign out")).to_have_count(0)
        browsing.go("/inbox")
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()
        assert browsing.complaints == []


def test_a_passkey_that_was_made_signs_after_a_reload(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    server = RunningServer(notes.url, None, notes.guard.now, notes.database)  # type: ignore[arg-type]  # another app, by whose clock
    with serving(notes.app, notes.port), chromium(server) as browsing:
        page = browsing.page
        sign_in(browsing, notes)
        browsing.go("/inbox")
        page.get_by_role("button", name="Make a passkey").click()
        expect(page.get_by_role("button", name="Sign with your passkey")).to_be_visible()
        browsing.go("/inbox")
        expect(page.get_by_role("button", name="I do not have it any more: make another")).to_be_visible()
        page.get_by_role("button", name="Sign with your passkey").click()
        expect(page.get_by_text("Nothing waits for you")).to_be_visible()


def test_at_another_name_of_the_server_the_person_is_told_where_passkeys_work(tmp_path: Path) -> None:
    notes = Notes(tmp_path)
    server = RunningServer(notes.url, None, notes.guard.now, notes.database)  # type: ignore[arg-type]  # another app, by whose clock
    with serving(notes.app, notes.port), chromium(server) as browsing:
        page, elsewhere = browsing.page, f"http://127.0.0.1:{notes.port}"
        values = {ACCOUNT: "ada", SIGNED_IN: str(int(time.time()))}
        cookies = [{"name": name, "value": value, "url": elsewhere} for name, value in values.items()]
        page.context.add_cookies(cookies)  # type: ignore[arg-type]  # as its type says it
        page.goto(notes.url.replace("localhost", "127.0.0.1") + "/inbox")
        page.get_by_role("button", name="Make a passkey").click()
        expect(
            page.get_by_text("Passkeys work at localhost and not at 127.0.0.1: open this page there.")
        ).to_be_visible()
