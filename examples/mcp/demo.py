"""The MCP demo: somebody else's server, the npm filesystem server as it is, behind `oneact mcp-proxy`.

With a terminal you are the person, in your own browser. With HEADLESS=1, or without a terminal, Chromium plays you: the
MCP inspector and a fastmcp client are the programs, reading passes, writing waits, a changed argument is refused, and a
proxy that is killed executes nothing twice. The exit status is 0 only if the folder holds what was approved, once.
"""

from __future__ import annotations

import os
import shutil
import sys
import time

from examples.mcp import stage, story, trouble
from examples.mcp.program import program
from examples.mcp.stage import FILES, FOLDER, SERVER
from examples.mcp.story import LOG, Demo, say
from examples.processes import check_free


def headless(demo: Demo) -> None:
    """Play the whole demo."""
    from examples.person import Person, chromium

    with chromium() as page:
        ada = Person(page, FOLDER, SERVER)
        with program(demo.entry, LOG) as agent:
            story.begin(demo, agent, ada)
            story.change(demo, agent, ada)
        story.by_inspector(demo, ada)
        trouble.tamper(demo, ada)
        trouble.kill_while_it_waits(demo, ada)
        trouble.kill_while_it_runs(demo, ada)
        page.goto(SERVER + "/history")
        ada.picture("history")


def by_hand(demo: Demo) -> None:
    """Have a person approve in their own browser what a program asks for, until they end it."""
    with program(demo.entry, LOG) as agent:
        told = agent.call("write_file", path=demo.path("first.txt"), content="one\n")
        print(f"\n A program has called write_file on {FILES}/. It was told:\n\n{told.text}\n")
        print(f" Your inbox: {SERVER}/inbox\n")
        number = 0
        while True:
            number += 1
            input("Enter has the program call write_file again. ")
            say(agent.call("write_file", path=demo.path("first.txt"), content=f"{number}\n").text)


def main() -> int:
    """Run the demo in a fresh folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FILES.mkdir(parents=True)
    (FILES / "plan.txt").write_text("rest\n", "utf-8")
    alone = os.environ.get("HEADLESS") == "1" or not sys.stdin.isatty()
    demo = Demo(time.monotonic())
    say(f"starting: oneact mcp-proxy before the npm filesystem server, on {FILES}/")
    try:
        check_free(SERVER)
        with stage.ended_after():
            (headless if alone else by_hand)(demo)
    except (KeyboardInterrupt, EOFError):
        return 0
    except RuntimeError as error:
        demo.wrong.append(f"stopped: {error}")
    if alone:
        say(f"{len(list(FOLDER.glob('*.png')))} pictures of the pages are in {FOLDER}/")
    for line in demo.wrong:
        say(f"WRONG {line}")
    return 1 if demo.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
