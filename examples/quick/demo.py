"""The shortest demo: one Flask application with its approval server inside, and an agent on the command line.

With a terminal you are the person, in your own browser. With HEADLESS=1, or without a terminal, Chromium plays you, and
the exit status is 0 only if the approved note, and no other, is gone.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Final

import httpx

from examples.processes import Lines, check_free, process, wait_for

NOTES: Final = "http://localhost:8600"
SERVER: Final = NOTES + "/approve"
FOLDER: Final = Path("var/demo-embedded")
ACT: Final = ["agent", "act", NOTES, "delete_note", '{"name": "shopping"}', "--server", SERVER]


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


def headless(lines: Lines) -> None:
    """Play the person: sign in, make a passkey, pair the agent, approve what it asks for."""
    from playwright.sync_api import expect

    from examples.person import Person, chromium

    with chromium() as page:
        ada = Person(page, FOLDER, SERVER)
        page.goto(SERVER + "/pair")
        page.get_by_role("button", name="Sign in").click()
        ada.picture("make-a-passkey")
        page.get_by_role("button", name="Make a passkey").click()
        page.get_by_role("button", name="Sign with your passkey").click()
        page.get_by_label("Type the code").fill(_code(lines))
        page.get_by_role("button", name="Find the agent").click()
        page.get_by_role("button", name="Pair with your passkey").click()
        page.wait_for_url("**/agents*")
        _say("signed in at the notes, made a passkey, paired the agent")
        page.goto(SERVER + "/inbox")
        page.locator("#inbox a.row", has_text="Delete a note").first.click()
        ada.picture("request")
        page.get_by_role("button", name="Approve").click()
        expect(page.locator("#outcome")).to_contain_text("Done. Receipt verified.", timeout=20_000)
        ada.picture("done")


def by_hand(lines: Lines) -> None:
    """Tell the person what to do in their own browser."""
    print(
        f"""
 1. Sign in, and make a passkey:      {SERVER}
 2. Pair the agent, its code is       {_code(lines)}
    Type it at                        {SERVER}/pair
 3. Approve or deny in your inbox:    {SERVER}/inbox
"""
    )


def _code(lines: Lines) -> str:
    """Give the code that the agent shows."""
    found = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", lines.next("", 60))
    while found is None:
        found = re.search(r"[A-Z0-9]{4}-[A-Z0-9]{4}", lines.next("", 60))
    return found[0]


def run() -> int:
    """Run the application and the agent; give the exit status."""
    alone = os.environ.get("HEADLESS") == "1" or not sys.stdin.isatty()
    check_free(NOTES)
    begun, log = time.monotonic(), FOLDER / "notes.log"
    home = {"ONEACT_HOME": str(FOLDER / "agent"), "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(Path.cwd())}
    environment, served = {**os.environ, **home}, [str(Path(__file__).with_name("notes.py").resolve())]
    with log.open("w") as out, process(served, environment, out.fileno(), FOLDER) as notes:
        wait_for(NOTES, notes, log)
        _say(f"the notes are served, with their approval server at {SERVER}: {_notes()}")
        with process(["-m", "oneact.cli", *ACT], environment, subprocess.PIPE) as agent:
            _say("an agent runs: oneact " + shlex.join(ACT))
            (headless if alone else by_hand)(Lines(agent))
            agent.wait(120 if alone else None)
        left = _notes()
    _say(f"the agent ended with {agent.returncode}; the notes are now {left}")
    _say(f"from nothing to the first approved call: {time.monotonic() - begun:.1f} s")
    return 0 if agent.returncode == 0 and list(left) == ["plan"] else 1


def _notes() -> dict[str, str]:
    found: dict[str, str] = httpx.get(NOTES).json()["notes"]
    return found


def main() -> int:
    """Run the demo in a fresh folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    try:
        return run()
    except KeyboardInterrupt:
        return 0
    except RuntimeError as error:
        _say(f"stopped: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
