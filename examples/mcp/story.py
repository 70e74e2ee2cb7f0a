"""What the MCP demo plays: from the command to the first approved call, a changed argument, the inspector."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from examples.mcp import stage
from examples.mcp.inspector import Request, inspect, inspecting
from examples.mcp.stage import FILES, FOLDER, SERVER

if TYPE_CHECKING:
    from examples.mcp.program import Program
    from examples.person import Person

LOG = FOLDER / "proxy.log"


def say(text: str) -> None:
    """Say what happens, with the time."""
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


class Demo:
    """The demo as it is played; `wrong` is what was not as said."""

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.wrong: list[str] = []
        self.entry = stage.entry("--no-open")

    def expect(self, what: str, found: str, wanted: str) -> None:
        """Say that something is as it has to be, or note that it is not."""
        if wanted in found:
            say(what)
        else:
            self.wrong.append(f"{what}: expected {wanted!r}, found {found[:400]!r}")

    def path(self, name: str) -> str:
        """Give where a file of the scratch folder stands."""
        return str((FILES / name).resolve())

    def text(self, name: str) -> str:
        """Give what a file of the scratch folder holds."""
        file = FILES / name
        return file.read_text("utf-8") if file.exists() else "nothing"


def begin(demo: Demo, agent: Program, ada: Person) -> None:
    """From the command to the first approved call: a passkey, a link, an approval."""
    tools = agent.tools()
    demo.expect(f"the program sees {len(tools)} tools; one of them is oneact_wait", " ".join(tools), "oneact_wait")
    demo.expect("a tool that the policy denies is not among them", str("move_file" in tools), "False")
    read = agent.call("read_text_file", path=demo.path("plan.txt"))
    demo.expect("reading passes: nobody is asked", read.text, "rest")
    told = agent.call("write_file", path=demo.path("first.txt"), content="one\n")
    demo.expect("writing waits, and the answer says who is told where to begin", told.text, "oneact mcp start")
    _enrol(ada, stage.start_page())
    say("the person has made a passkey and linked the proxy")
    writing = agent.start("write_file", path=demo.path("first.txt"), content="one\n")
    ada.open_request("Write a file", "write")
    demo.expect("nothing is written before the person has decided", demo.text("first.txt"), "nothing")
    ada.approve("Done. Receipt verified.", "written")
    demo.expect("the person approves, and it is written", writing.result(90).text, "Successfully wrote")
    say(f"from the command to the first approved call: {time.monotonic() - demo.begun:.1f} s")
    demo.expect("the file holds what was approved", demo.text("first.txt"), "one")


def _enrol(ada: Person, page: str) -> None:
    """Make a passkey at the approval server that the proxy has started, and link the proxy."""
    stage.until(stage.answers, "the approval server that the proxy has started answers")
    ada.page.goto(page)
    ada.picture("start")
    ada.page.get_by_role("button", name="Continue").click()
    ada.picture("proxy-link")
    ada.page.get_by_role("button", name="Link").first.click()
    ada.page.wait_for_url(SERVER + "/**")
    ada.page.get_by_role("link", name="Make one").click()
    ada.page.get_by_label("Your name").fill("Ada")
    ada.picture("make-a-passkey")
    ada.page.get_by_role("button", name="Make a passkey").click()
    ada.page.get_by_role("button", name="Link", exact=True).wait_for()
    ada.picture("link")
    ada.page.get_by_role("button", name="Link", exact=True).click()
    ada.page.get_by_role("heading", name="Your account is linked").wait_for()
    ada.picture("linked")


def change(demo: Demo, agent: Program, ada: Person) -> None:
    """Two calls that differ in one argument: the approval of one is none of the other."""
    first = agent.start("write_file", path=demo.path("note.txt"), content="Buy milk.\n")
    ada.open_request("Write a file")
    approved = ada.page.url
    second = agent.start("write_file", path=demo.path("note.txt"), content="Buy a boat.\n")
    ada.page.goto(SERVER + "/inbox")
    ada.page.locator("#inbox a.row").nth(1).wait_for()
    ada.picture("two-questions")
    say("the program changes one argument of a call that waits: a second question, not the first one changed")
    ada.page.goto(approved)
    ada.approve("Done. Receipt verified.", "first-of-two")
    demo.expect("the first is approved and done", first.result(90).text, "Successfully wrote")
    ada.open_request("Write a file", "changed")
    ada.deny("I never asked for a boat.")
    told = second.result(90)
    demo.expect("the changed one is refused, in the person's words", told.text, "I never asked for a boat.")
    demo.expect("the file holds what was approved, nothing else", demo.text("note.txt"), "Buy milk.")


def by_inspector(demo: Demo, ada: Person) -> None:
    """The same by the inspector's command line, each call a process of its own."""
    read = inspect(demo.entry, Request("tools/call", "read_text_file", {"path": demo.path("plan.txt")}))
    demo.expect("the inspector reads: nobody is asked", read.text, "rest")
    wanted = {"path": demo.path("inspected.txt"), "content": "by the inspector\n"}
    with inspecting(demo.entry, Request("tools/call", "write_file", wanted)) as inspection:
        ada.open_request("Write a file")
        ada.page.get_by_role("button", name="Approve").click()
        demo.expect("the inspector writes, once approved", inspection.end().text, "Successfully wrote")
    demo.expect("and that file is there", demo.text("inspected.txt"), "by the inspector")
