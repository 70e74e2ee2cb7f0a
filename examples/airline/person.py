"""The demo's person where nobody sits before it, and what they do at the airline."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING

from playwright.sync_api import expect

from examples import person as anyone
from examples.airline.processes import AIRLINE, SERVER

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


class Person(anyone.Person):
    """A person who books at the airline."""

    def order(self, tamper: str, day: str) -> None:
        """Leave an order at the airline's demo desk, with the switch at `tamper`."""
        self.page.goto(AIRLINE + "/demo")
        self.page.get_by_label("Date").fill(day)
        self.page.locator(f"input[name=tamper][value={tamper}]").check()
        self.page.get_by_role("button", name="Ask the agent").click()

    def silence(self) -> None:
        """Open the approval before the last, and wait until the page calls the silence by its name."""
        self.page.goto(self._server + "/history")
        self.page.locator("a.past").nth(1).click()
        expect(self.page.locator("#outcome")).to_contain_text("No word from the service.", timeout=60_000)
        self.picture("outcome-no-word")

    def look_around(self) -> None:
        """Open what there is beside the inbox."""
        for path in ("history", "services", "agents", "passkeys"):
            self.page.goto(f"{self._server}/{path}")
            self.picture(path)
        self.page.goto(AIRLINE + "/demo")
        self.picture("airline-demo")
        self.page.goto(AIRLINE + "/")
        self.picture("airline-bookings")


@contextlib.contextmanager
def person(pictures: Path) -> Iterator[Person]:
    """Give the person of the demo, with a browser and a passkey."""
    with anyone.chromium() as page:
        yield Person(page, pictures, SERVER)
