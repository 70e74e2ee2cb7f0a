"""The demo: approval server, example airline and an agent, on this machine.

With a terminal it walks you through your own browser. With HEADLESS=1, or without a terminal, Chromium plays the
person, every tampering is tried, and the exit status is 0 only if exactly the one approved booking stands.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final

from examples.airline.processes import AIRLINE, SERVER, running

if TYPE_CHECKING:
    from examples.airline.person import Person
    from examples.processes import Lines

FOLDER: Final = Path("var/demo")
INTENT: Final = "Book a flight"
# What is changed on the way after the person has approved, and what the airline has to answer.
EXPECTED: Final = {
    "destination": "Refused by check 6: act_mismatch",
    "price": "Refused by check 7: txn_foreign",
    "passkey": "Refused by check 10: passkey_not_pinned",
}
AGAIN: Final = "Refused by check 11: already_spent"


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def headless(lines: Lines) -> int:
    """Play the whole demo; give the exit status."""
    from examples.airline.person import person

    day = _day(30)
    with person(FOLDER) as ada:
        _prepare(ada, lines)
        wrong = _order(ada, lines, day)
        ada.look_around()
    booked = _bookings()
    _say(f"the airline's database holds {len(booked)} booking(s): {booked}")
    pictures = len(list(FOLDER.glob("*.png")))
    _say(f"{pictures} pictures of the pages are in {FOLDER}/")
    for line in wrong:
        _say(f"WRONG {line}")
    right = [row[1:] for row in booked] == [("SFO", "NYC", day, "312.00 USD")]
    return 0 if right and not wrong else 1


def _prepare(ada: Person, lines: Lines) -> None:
    ada.sign_up("Ada")
    _say("signed up at the approval server, with a passkey")
    ada.pair(lines.next("PAIR ").split(" ")[0])
    _say(f"paired the agent, fingerprint {lines.next('PAIRED ')}")
    ada.link(AIRLINE, "airline")
    _say("linked the airline account, with a roster that the passkey signed")


def _order(ada: Person, lines: Lines, day: str) -> list[str]:
    """Deny one order, have three tampered with, one booked, and that one's token used again; give what went wrong."""
    ada.order("none", _day(23))
    ada.open_request(INTENT, "request")
    ada.deny("Not on that day.")
    _say(f"denied the first order; the agent was told: {lines.next('RESULT none: ')}")
    said = {}
    for tamper in EXPECTED:
        ada.order(tamper, day)
        ada.open_request(INTENT)
        ada.approve("Handed over", f"outcome-{tamper}")
        said[tamper] = lines.next(f"RESULT {tamper}: ")
        _say(f"approved, with the {tamper} changed: {said[tamper]}")
    ada.order("none", day)
    ada.open_request(INTENT, "good-request")
    ada.approve("Done. Receipt verified.", "good-outcome")
    good = lines.next("RESULT none: ")
    _say(f"approved, with nothing changed: {good}")
    ada.order("second", day)
    again = lines.next("RESULT second: ")
    _say(f"used that token a second time: {again}")
    ada.silence()
    _say("of the refused ones the page says that there is no word from the service")
    wanted = [*((said[tamper], text) for tamper, text in EXPECTED.items()), (good, "Booked"), (again, AGAIN)]
    return [f"expected {text!r}: {found}" for found, text in wanted if text not in found]


def _day(days: int) -> str:
    return datetime.fromtimestamp(time.time() + days * 24 * 3600, UTC).date().isoformat()


def by_hand(lines: Lines) -> int:
    """Walk a person through their own browser, until they end it."""
    code = lines.next("PAIR ").split(" ")[0]
    print(
        f"""
 1. Make an account with a passkey:   {SERVER}/signup
 2. Pair the agent, its code is       {code}
    Type it at                        {SERVER}/pair
 3. Sign in at the airline and link:  {AIRLINE}/login   then   {AIRLINE}/oneact/link
 4. Tell the agent to book:           {AIRLINE}/demo
 5. Approve or deny in your inbox:    {SERVER}/inbox
 Then have something changed on the way, at the demo desk, and see which check refuses.  Ctrl-C ends the demo.
"""
    )
    while True:
        try:
            _say(lines.next("", 3600))
        except KeyboardInterrupt:
            return 0


def _bookings() -> list[tuple[str, ...]]:
    file = FOLDER / "airline" / "bookings.db"
    if not file.exists():
        return []
    with sqlite3.connect(file) as database:
        return database.execute("SELECT reference, origin, destination, day, price FROM bookings").fetchall()


def main() -> int:
    """Run the demo in a fresh folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    alone = os.environ.get("HEADLESS") == "1" or not sys.stdin.isatty()
    _say(f"starting: approval server {SERVER}, airline {AIRLINE}, agent")
    try:
        with running(FOLDER) as lines:
            return headless(lines) if alone else by_hand(lines)
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        _say(f"stopped: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
