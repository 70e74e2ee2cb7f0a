"""How the person of a proxy takes their passkey off it again."""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys

import httpx

from tests.flows.test_whole import link
from tests.gateway.playing import Play, refused, text
from tests.gateway.wire import wired

NOTE = {"name": "a", "text": "b"}


def typed(play: Play, line: str, answer: str = "") -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oneact.cli", *line.split()[1:]]
    return subprocess.run(command, env=play.env, input=answer, capture_output=True, text=True, check=False)


def linked_page(play: Play) -> str:
    """Link the proxy as its person, and give the page on which that ends."""
    address = play.start()
    resource = address.partition("/oneact/")[0]
    with httpx.Client() as browser:
        form = {"secret": address.partition("?")[2]}
        browser.post(resource + "/oneact/start", data=form, headers={"Origin": resource})
        return link(play.person, resource, browser).text


def take_no_more_requests(play: Play, page: str) -> None:
    """Press the button of the only service on that page of the approval server."""
    path = page.removeprefix(play.server.url)
    [way] = re.findall(r'action="[^"]*(/services/[^"/]*/unlink)"', play.person.get(path).text)
    assert play.person.submit(way).status_code == 303


async def test_what_the_page_of_a_linked_proxy_says_to_type_unlinks_it_and_it_can_be_linked_again(play: Play) -> None:
    async with play.client() as client:
        await client.call_tool("write_note", NOTE, raise_on_error=False)
        page = await asyncio.to_thread(linked_page, play)
        assert "support" not in page
        [line] = re.findall("<code>(oneact mcp unlink [^<]*)</code>", page)
        assert (await asyncio.to_thread(typed, play, line, "n\n")).stdout.endswith("nothing was unlinked\n")
        done = await asyncio.to_thread(typed, play, f"{line} --yes")
        assert done.returncode == 0
        [services] = re.findall(r"http\S*/services", done.stdout)
        await asyncio.to_thread(take_no_more_requests, play, services)
        result = await client.call_tool("write_note", NOTE, raise_on_error=False)
        assert refused(result) == "passkey_needed"
        await asyncio.to_thread(play.begin, play.start())
        async with play.deciding("approve"):
            assert "written" in text(await client.call_tool("write_note", NOTE))
    assert (await asyncio.to_thread(typed, play, f"{line}-other --yes")).returncode == 2
    assert play.calls == ["write a b 1"]


async def test_a_proxy_that_nobody_has_linked_is_not_unlinked(play: Play) -> None:
    async with wired(play) as wire:
        await wire.hello()
    [folder] = {found.parent.parent.name for found in (play.folder / "home" / "mcp").glob("*/*/service.db")}
    assert (await asyncio.to_thread(typed, play, f"oneact mcp unlink {folder} --yes")).returncode == 1
