"""What goes wrong in the MCP demo: what the proxy keeps is changed, and it is killed, waiting and at work."""

from __future__ import annotations

import signal
import time
from typing import TYPE_CHECKING, Any

from examples.mcp import stage
from examples.mcp.program import program
from examples.mcp.stage import FILES
from examples.mcp.story import LOG, say

if TYPE_CHECKING:
    from examples.mcp.story import Demo
    from examples.person import Person


def tamper(demo: Demo, ada: Person) -> None:
    """Change an argument where the proxy keeps the call that waits: the passkey has signed another one."""
    wanted = {"path": demo.path("kept.txt"), "content": "Water the plants.\n"}
    with program(demo.entry, LOG) as agent:
        agent.start("write_file", **wanted)
        ada.open_request("Write a file")
        stage.signalled("proxy", signal.SIGKILL)
    stage.tampered("Water the plants.", "Sell the plants.")
    with program(demo.entry, LOG) as agent:
        again = agent.start("write_file", **wanted)
        ada.open_request("Write a file")
        ada.page.get_by_role("button", name="Approve").click()
        told = again.result(90)
        demo.expect("an argument is changed in what the proxy keeps: refused by check 6", told.text, "act_mismatch")
    demo.expect("neither one nor the other was written", demo.text("kept.txt"), "nothing")


def _edit(demo: Demo, name: str) -> dict[str, Any]:
    """Give the arguments of an edit that makes one stone two: each execution is seen in the file."""
    (FILES / name).write_text("stone\n", "utf-8")
    return {"path": demo.path(name), "edits": [{"oldText": "stone", "newText": "stone stone"}]}


def kill_while_it_waits(demo: Demo, ada: Person) -> None:
    """Kill the proxy before the person has decided: started again, it goes on with the same question."""
    edit = _edit(demo, "waiting.txt")
    with program(demo.entry, LOG) as agent:
        agent.start("edit_file", **edit)
        ada.open_request("Call the tool edit_file")
        stage.signalled("proxy", signal.SIGKILL)
        say("the proxy is killed while a call waits")
    with program(demo.entry, LOG) as agent:
        again = agent.start("edit_file", **edit)
        ada.open_request("Call the tool edit_file", "asked-again")
        ada.approve("Done. Receipt verified.", "after-the-kill")
        demo.expect("started again, the same call is done once approved", str(again.result(90).failed), "False")
    stones = demo.text("waiting.txt").split().count("stone")
    demo.expect("it was done once", f"{stones} stones", "2 stones")


def kill_while_it_runs(demo: Demo, ada: Person) -> None:
    """Hold the filesystem server still, so that the proxy dies with a call under way, and let it go on."""
    edit, before = _edit(demo, "running.txt"), stage.spent()
    with program(demo.entry, LOG) as agent:
        agent.start("edit_file", **edit)
        ada.open_request("Call the tool edit_file")
        stage.signalled("upstream", signal.SIGSTOP)
        try:
            ada.page.get_by_role("button", name="Approve").click()
            stage.until(lambda: stage.spent() > before, "the approval is used")
            time.sleep(1)  # the call is on its way to the filesystem server, which does not answer
            stage.signalled("proxy", signal.SIGKILL)
        finally:
            stage.signalled("upstream", signal.SIGCONT)
        say("the proxy is killed while an approved call is under way")
    stage.until(lambda: demo.text("running.txt").count("stone") > 1, "the filesystem server does what it was told")
    with program(demo.entry, LOG) as agent:
        began = time.monotonic()
        told = agent.call("edit_file", **edit)
        demo.expect("started again, the same call is not done again", told.text, "Do not call it again")
        say(f"  the program is told, in {time.monotonic() - began:.1f} s: {told.text}")
    stones = demo.text("running.txt").split().count("stone")
    demo.expect("it was done once", f"{stones} stones", "2 stones")
