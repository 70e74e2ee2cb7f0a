"""The proxy over standard input and output, with real clients of both revisions and a real server."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import sys
from typing import Any

import pytest
from fastmcp.client.elicitation import ElicitResult
from mcp import MCPError

from oneact.protocol import receipt
from oneact.protocol.tool import RECEIPT
from oneact.service.mcp import answers
from tests.gateway.playing import Play, refused, text

NOTE = {"name": "a", "text": "b"}


def policy(play: Play, **members: Any) -> None:
    file = play.folder / "policy.yaml"
    file.write_text(json.dumps(members))
    play.options += ["--config", str(file)]


async def test_a_tool_is_called_once_after_its_person_has_approved_it(either: Play) -> None:
    async with either.client() as client:
        await either.link(client)
        async with either.deciding("approve"):
            result = await client.call_tool("write_note", NOTE)
    assert result.structured_content == {"written": "a", "weight": 0.5}
    assert receipt.parse(result.meta[RECEIPT])[0].status == "executed"
    assert either.calls == ["write a b 1"]
    assert either.asked() == 1


def mcp_start(play: Play) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "oneact.cli", "mcp", "start"]
    return subprocess.run(command, env=play.env, capture_output=True, text=True, check=False)


async def test_before_a_passkey_is_linked_the_person_is_told_where_to_begin_and_the_program_is_not(
    either: Play,
) -> None:
    async with either.client() as client:
        result = await client.call_tool("write_note", NOTE, raise_on_error=False)
        assert refused(result) == "passkey_needed"
        assert "/oneact/start" not in f"{result.content}{result.meta}"
        told = await asyncio.to_thread(mcp_start, either)
        assert (told.returncode, told.stdout.rpartition(": ")[2].strip()) == (0, either.start())
        await asyncio.to_thread(either.begin, either.start())
        assert (await asyncio.to_thread(mcp_start, either)).returncode == 1  # there is nobody left to begin
    assert either.calls == []


async def test_the_tools_are_listed_untouched_but_for_denied_ones_and_one_to_wait_with(either: Play) -> None:
    policy(either, tools={"secret": "deny", "die": "deny"})
    async with either.client() as client:
        listed = {tool.name: tool for tool in await client.list_tools()}
    assert set(listed) == {"read_note", "write_note", "slow", "ask_name", answers.WAIT}
    assert listed["write_note"].description == "Write a note."
    assert listed["read_note"].annotations.read_only_hint is True


async def test_what_the_policy_allows_passes_and_what_it_denies_does_not(either: Play) -> None:
    policy(either, tools={"read_*": "allow", "write_note": "deny"})
    async with either.client() as client:
        assert text(await client.call_tool("read_note", {"name": "x"})) == "note x"
        result = await client.call_tool("write_note", NOTE, raise_on_error=False)
    assert result.is_error
    assert either.calls == ["read x"]
    assert either.asked() == 0


async def test_a_denial_reaches_the_model_in_the_persons_words(either: Play) -> None:
    async with either.client() as client:
        await either.link(client)
        async with either.deciding("not on a Friday"):
            result = await client.call_tool("write_note", NOTE, raise_on_error=False)
    assert refused(result) == "denied"
    assert "not on a Friday" in text(result)
    assert either.calls == []


async def test_resources_and_prompts_pass(either: Play) -> None:
    async with either.client() as client:
        assert (await client.read_resource("note://x"))[0].text == "note x"
        found = await client.get_prompt("greet", {"name": "Ada"})
        assert found.messages[0].content.text == "Say hello to Ada"
        assert [template.uri_template for template in await client.list_resource_templates()] == ["note://{name}"]
    assert either.calls == []


async def test_progress_of_an_approved_tool_reaches_the_client(either: Play) -> None:
    told: list[tuple[float, float | None]] = []

    async def progress(done: float, total: float | None, _: str | None) -> None:
        told.append((done, total))

    async with either.client() as client:
        await either.link(client)
        async with either.deciding("approve"):
            assert text(await client.call_tool("slow", {"seconds": 0.1}, progress_handler=progress)) == "done"
    assert (1.0, 2.0) in told
    assert told[0][1] is None  # that it waits is told too
    assert sorted(told) == told


async def test_a_tool_that_asks_the_user_asks_them_through_the_proxy(play: Play) -> None:
    async def elicit(*_: Any) -> Any:
        return ElicitResult(action="accept", content={"value": "Ada"})

    async with play.client(elicitation_handler=elicit) as client:
        await play.link(client)
        async with play.deciding("approve"):
            assert text(await client.call_tool("ask_name", {})) == "Ada"
    assert play.asked() == 1


async def test_the_same_call_again_goes_on_with_the_request_that_stands(either: Play) -> None:
    async with either.client() as client:
        await either.link(client)
        first = asyncio.create_task(client.call_tool("write_note", NOTE))
        await asyncio.to_thread(either.appeared)
        second = asyncio.create_task(client.call_tool("write_note", NOTE))
        await asyncio.sleep(0)
        async with either.deciding("approve"):
            results = await asyncio.gather(first, second)
    assert [result.structured_content["written"] for result in results] == ["a", "a"]
    assert either.calls == ["write a b 1"]
    assert either.asked() == 1


async def test_a_call_that_was_given_up_is_waited_for_by_the_same_call_again(either: Play) -> None:
    async with either.client() as client:
        await either.link(client)
        with pytest.raises((MCPError, TimeoutError)):
            await client.call_tool("write_note", NOTE, timeout=1)
        async with either.deciding("approve"):
            result = await client.call_tool("write_note", NOTE)
    assert result.structured_content["written"] == "a"
    assert either.calls == ["write a b 1"]
    assert either.asked() == 1


async def test_what_has_reached_its_program_is_another_act_when_it_is_called_again(either: Play) -> None:
    async with either.client() as client:
        await either.link(client)
        for _ in range(2):
            async with either.deciding("approve"):
                await client.call_tool("write_note", NOTE)
    assert either.calls == ["write a b 1"] * 2
    assert either.asked() == 2


async def test_a_server_that_dies_is_not_asked_again_and_started_for_the_next_call(either: Play) -> None:
    policy(either, tools={"read_note": "allow"})
    async with either.client() as client:
        await either.link(client)
        async with either.deciding("approve"):
            result = await client.call_tool("die", {}, raise_on_error=False)
        assert result.is_error
        assert receipt.parse(result.meta[RECEIPT])[0].status == "unknown"
        assert text(await client.call_tool("read_note", {"name": "x"})) == "note x"
    assert either.calls == ["die", "read x"]


async def test_a_server_that_hangs_is_waited_for_until_the_deadline(either: Play) -> None:
    policy(either, deadline=1)
    async with either.client() as client:
        await either.link(client)
        async with either.deciding("approve"):
            result = await client.call_tool("slow", {"seconds": 60}, raise_on_error=False)
    assert receipt.parse(result.meta[RECEIPT])[0].status == "unknown"
    assert either.calls == ["slow"]


async def test_a_command_that_is_none_is_told_to_the_client(play: Play) -> None:
    play.upstream = ["/nowhere/at-all"]
    with pytest.raises((MCPError, RuntimeError), match="could not be started"):
        async with play.client():
            pass


async def test_the_server_gets_the_variables_that_the_policy_names_alone(play: Play) -> None:
    play.environment["TEST_SECRET"] = "s3cret"
    policy(play, tools={"secret": "allow"}, environment=["TEST_CALLS"])
    async with play.client() as client:
        assert text(await client.call_tool("secret", {})) == "none"


async def test_without_such_names_it_gets_what_the_client_gave_the_proxy(play: Play) -> None:
    play.environment["TEST_SECRET"] = "s3cret"
    policy(play, tools={"secret": "allow"})
    async with play.client() as client:
        assert text(await client.call_tool("secret", {})) == "s3cret"


async def test_a_client_that_can_opens_the_page_and_to_have_opened_it_approves_nothing(either: Play) -> None:
    opened: list[str] = []
    seen = asyncio.Event()

    async def elicit(_: str, __: Any, params: Any, ___: Any) -> Any:
        opened.append(params.url)
        seen.set()
        return ElicitResult(action="accept")

    async with either.client(elicitation_handler=elicit) as client:
        await either.link(client)
        call = asyncio.create_task(client.call_tool("write_note", NOTE))
        identifier = await asyncio.to_thread(either.appeared)
        await seen.wait()
        assert opened == [f"{either.server.url}/requests/{identifier}"]
        assert either.calls == []
        async with either.deciding("approve"):
            assert (await call).structured_content["written"] == "a"
    assert len(opened) == 1
    assert either.calls == ["write a b 1"]


async def test_a_client_whose_user_does_not_open_the_page_is_told_so(either: Play) -> None:
    async def elicit(*_: Any) -> Any:
        return ElicitResult(action="decline")

    async with either.client(elicitation_handler=elicit) as client:
        await either.link(client)
        result = await client.call_tool("write_note", NOTE, raise_on_error=False)
    assert refused(result) == "cancelled"
    assert either.calls == []


async def test_an_unknown_method_gets_the_servers_own_answer(play: Play) -> None:
    async with play.client() as client:
        with pytest.raises(MCPError) as refusal:
            await client.session.send_request(_Unknown(), dict)  # type: ignore[call-overload]
    assert refusal.value.error.code == -32601


class _Unknown:
    """A request of a method that no revision has."""

    method = "strange/method"
    params = None
    name_param = None

    def model_dump(self, **_: object) -> dict[str, object]:
        return {"method": self.method}


async def test_requests_of_a_client_that_is_gone_are_withdrawn(play: Play) -> None:
    async with play.client() as client:
        await play.link(client)
        with contextlib.suppress(MCPError, TimeoutError):
            await client.call_tool("write_note", NOTE, timeout=1)
        assert len(play.pending()) == 1
    assert play.pending() == []
    assert play.calls == []


async def test_a_second_process_of_the_same_server_has_a_state_of_its_own(play: Play) -> None:
    async with play.client() as first, play.client() as second:
        one, two = await play.link(first), await play.link(second)
        assert one != two
    assert {folder.name for folder in (play.folder / "home" / "mcp").glob("*/[0-9]")} == {"1", "2"}
    assert play.private()
