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
from pathlib import Path
from typing import Final

from examples.airline.processes import AIRLINE, SERVER, Lines, running

FOLDER: Final = Path("var/demo")
# What the agent changes on the way, and what the airline has to answer; the last one books, and tries it twice.
EXPECTED: Final = {
    "parameter": "Refused by check 6: act_mismatch",
    "price": "Refused by check 7: txn_foreign",
    "forged": "Refused by check 10: passkey_not_pinned",
    "second": "The second use was refused by check 11: already_spent",
}


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def headless(lines: Lines) -> int:
    """Play the whole demo; give the exit status."""
    from examples.airline.person import person

    wrong = []
    with person(FOLDER) as ada:
        ada.sign_up("Ada")
        _say("signed up at the approval server, with a passkey")
        ada.pair(lines.next("PAIR ").split(" ")[0])
        _say(f"paired the agent, fingerprint {lines.next('PAIRED ')}")
        ada.link()
        _say("linked the airline account, with a roster that the passkey signed")
        ada.order("none")
        ada.open_request(pictures=True)
        ada.deny("Not on that day.")
        _say(f"denied the first order; the agent was told: {lines.next('RESULT ')}")
        for tamper, expected in EXPECTED.items():
            ada.order(tamper)
            ada.open_request(pictures=False)
            ada.approve(tamper)
            said = lines.next("RESULT ")
            _say(f"approved with tampering {said}")
            if expected not in said:
                wrong.append(f"{tamper}: expected {expected!r}")
        ada.look_around()
    booked = _bookings()
    _say(f"the airline's database holds {len(booked)} booking(s): {booked}")
    pictures = len(list(FOLDER.glob("*.png")))
    _say(f"{pictures} pictures of the pages are in {FOLDER}/")
    for line in wrong:
        _say(f"WRONG {line}")
    return 0 if len(booked) == 1 and booked[0][1:] == ("SFO", "NYC", "2024-03-01", "312.00 USD") and not wrong else 1


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
 Then set the Tamper switch at the demo desk, and see which check refuses.  Ctrl-C ends the demo.
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
