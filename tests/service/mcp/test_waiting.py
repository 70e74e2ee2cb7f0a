"""Programs without a key: a call is held, its person decides, the program waits or comes back."""

from __future__ import annotations

import asyncio
import threading
from typing import Any

import httpx
import pytest
from mcp import Client
from mcp_types import CallToolResult
from tests.server.visitor import Visitor
from tests.service.mcp.shelf import Shelf, approve, meta, pending, person, refusal, requests, text
from tests.service.world import eventually

from oneact.protocol import base64url, jwk, receipt, tool
from oneact.service.mcp import answers

A = {"path": "/a", "text": "hello", "weight": 1.5}
DONE = {**A, "account": "ada"}


def calling(client: Client, name: str = "write", arguments: dict[str, Any] = A) -> asyncio.Task[CallToolResult]:
    return asyncio.ensure_future(client.call_tool(name, arguments))


async def test_an_approved_call_is_done_with_exactly_its_arguments(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        call = calling(client)
        await approve(shelf, ada)
        result = await call
    assert (text(result), result.structured_content) == ("/a written", {"result": "/a written"})
    assert shelf.written == [DONE]


async def test_its_receipt_is_for_the_result_as_the_client_has_it(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        call = calling(client, "buy", {"title": "Ulysses"})
        await approve(shelf, ada)
        result = await call
    async with httpx.AsyncClient(trust_env=False) as http:
        keys = jwk.parse_set((await http.get(f"{shelf.resource}/oneact/jwks.json")).json())
    signed = receipt.check(meta(result)[tool.RECEIPT], keys)
    octets = tool.octets(result.model_dump(mode="json", by_alias=True, exclude_none=True))
    assert signed.status == "executed"
    assert signed.result_digest == receipt.result_digest(base64url.decode(meta(result)[tool.SALT]), octets)
    assert shelf.written == [{"bought": "Ulysses", "copies": 1, "gift": None, "price": "9.00 EUR"}]


async def test_a_tool_without_the_guard_is_simply_called(shelf: Shelf, revision: str) -> None:
    async with shelf.client(revision) as client:
        assert text(await client.call_tool("read", {"path": "/a"})) == "what stands in /a"


async def test_who_waits_in_vain_gets_the_page_and_comes_back_to_the_same_request(
    shelf: Shelf, ada: Visitor, revision: str
) -> None:
    shelf.guard.waiting.longest = 0.3
    async with shelf.client(revision) as client:
        first = await calling(client)
        waits = meta(first)[tool.PENDING]
        assert first.is_error
        assert waits["page"] in text(first)
        again = await calling(client)
        assert meta(again)[tool.PENDING] == waits
        assert await approve(shelf, ada) == waits["page"].rpartition("/")[2]
        shelf.guard.waiting.longest = 20
        assert text(await calling(client)) == "/a written"
    assert shelf.written == [DONE]


async def test_the_tool_that_waits_gives_the_result(shelf: Shelf, ada: Visitor, revision: str) -> None:
    shelf.guard.waiting.longest = 0.3
    async with shelf.client(revision) as client:
        waits = meta(await calling(client))[tool.PENDING]
        still = await calling(client, answers.WAIT, {"id": waits["id"]})
        assert meta(still)[tool.PENDING] == waits
        shelf.guard.waiting.longest = 20
        call = calling(client, answers.WAIT, {"id": waits["id"]})
        await approve(shelf, ada)
        assert text(await call) == "/a written"
    assert shelf.written == [DONE]


async def test_a_denial_is_told_in_the_persons_words(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        call = calling(client)
        identifier = await asyncio.to_thread(pending, shelf)
        said = {"requests": [identifier], "message": "Not on a Sunday"}
        assert (await asyncio.to_thread(ada.post, "/requests/deny", **said)).status_code == 200
        result = await call
    assert refusal(result) == "denied"
    assert "Not on a Sunday" in text(result)
    assert shelf.written == []


async def test_what_nobody_decides_expires(shelf: Shelf, ada: Visitor, revision: str) -> None:
    assert ada
    async with shelf.client(revision) as client:
        call = calling(client)
        await asyncio.to_thread(pending, shelf)
        shelf.clock.ahead = 700
        assert refusal(await call) == "expired"
    assert shelf.written == []


async def test_the_same_call_twice_at_once_is_one(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client, shelf.client(revision) as other:
        calls = [calling(client), calling(client), calling(other)]
        await asyncio.sleep(0.2)
        await approve(shelf, ada)
        assert {text(await call) for call in calls} == {"/a written"}
    assert shelf.written == [DONE]
    assert len(requests(shelf, "approved")) + len(requests(shelf, "pending")) <= 1


async def test_a_cancelled_call_goes_on_when_it_comes_again(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        gone = calling(client)
        first = await asyncio.to_thread(pending, shelf)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        again = calling(client)
        assert await approve(shelf, ada) == first
        assert text(await again) == "/a written"
    assert shelf.written == [DONE]


async def test_an_outcome_that_may_not_have_arrived_is_given_again(shelf: Shelf, ada: Visitor, revision: str) -> None:
    shelf.guard.waiting.sure = 0.0
    async with shelf.client(revision) as client:
        call = calling(client)
        await approve(shelf, ada)
        assert text(await call) == "/a written"
    async with shelf.client(revision) as client:
        assert text(await calling(client)) == "/a written"
    assert shelf.written == [DONE]
    assert requests(shelf) == []


async def test_once_it_has_arrived_the_same_call_is_a_new_act(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        for _ in range(2):
            call = calling(client)
            await approve(shelf, ada)
            assert text(await call) == "/a written"
    assert shelf.written == [DONE, DONE]


async def test_it_is_done_when_the_person_approves_while_the_program_is_elsewhere(
    shelf: Shelf, ada: Visitor, revision: str
) -> None:
    shelf.guard.waiting.longest = 0.3
    async with shelf.client(revision) as client:
        waits = meta(await calling(client))[tool.PENDING]
    await approve(shelf, ada)
    shelf.guard.waiting.longest = 20
    async with shelf.client(revision) as client:
        assert text(await calling(client, answers.WAIT, {"id": waits["id"]})) == "/a written"
    assert shelf.written == [DONE]


async def test_another_accounts_call_is_not_there(shelf: Shelf, ada: Visitor, revision: str) -> None:
    assert ada
    person(shelf, "bob")
    shelf.guard.waiting.longest = 0.3
    async with shelf.client(revision) as client, shelf.client(revision, "bob") as other:
        waits = meta(await calling(client))[tool.PENDING]
        assert refusal(await calling(other, answers.WAIT, {"id": waits["id"]})) == "held_unknown"
        assert refusal(await calling(client, answers.WAIT, {"id": "no-such"})) == "held_unknown"
        assert refusal(await calling(client, answers.WAIT, {})) == "parameters_invalid"


@pytest.mark.parametrize("account", [None, "carol"])
async def test_who_is_not_signed_in_or_linked_is_led_to_the_link_page(
    shelf: Shelf, revision: str, account: str | None
) -> None:
    async with shelf.client(revision, account) as client:
        result = await calling(client)
    assert refusal(result) == "passkey_needed"
    assert meta(result)[tool.PENDING] == {"page": f"{shelf.resource}/oneact/link"}
    assert f"{shelf.resource}/oneact/link" in text(result)


async def test_a_tool_that_crashes_leaves_an_outcome_that_nobody_knows(
    shelf: Shelf, ada: Visitor, revision: str
) -> None:
    async with shelf.client(revision) as client:
        call = calling(client, "crash", {"what": "all"})
        await approve(shelf, ada)
        result = await call
    assert result.is_error
    assert receipt.parse(meta(result)[tool.RECEIPT])[0].status == "unknown"
    assert shelf.written == [{"crash": "all"}]


async def test_a_tool_that_says_no_has_failed(shelf: Shelf, ada: Visitor, revision: str) -> None:
    async with shelf.client(revision) as client:
        call = calling(client, "crash", {"what": "said"})
        await approve(shelf, ada)
        result = await call
    assert result.is_error
    assert receipt.parse(meta(result)[tool.RECEIPT])[0].status == "failed"


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ({}, "parameters_invalid"),
        ({**A, "act": "x"}, "parameter_unknown"),
        ({**A, "extra": 1}, "parameter_unknown"),
        ({"path": 7}, "parameters_invalid"),
        ({**A, "text": "x" * 1001}, "parameters_invalid"),
        ({**A, "weight": "heavy"}, "parameters_invalid"),
        ({**A, "path": "x" * 17_000}, "too_large_to_show"),
    ],
)
async def test_what_does_not_fit_the_tools_schema_is_refused(
    shelf: Shelf, ada: Visitor, arguments: dict[str, Any], expected: str
) -> None:
    assert ada
    async with shelf.client() as client:
        assert refusal(await calling(client, arguments=arguments)) == expected
    assert requests(shelf) == []


async def test_the_client_is_told_that_it_is_waited(shelf: Shelf, ada: Visitor, revision: str) -> None:
    told: list[Any] = []
    shelf.guard.waiting.beat = 0.1

    async def progress(*said: Any) -> None:
        told.append(said)

    async with shelf.client(revision) as client:
        call = asyncio.ensure_future(client.call_tool("write", A, progress_callback=progress))
        await eventually(lambda: told)
        await approve(shelf, ada)
        await call
    assert all(done < of for done, of, _ in told)


async def test_a_client_whose_connection_breaks_gets_the_result_when_it_calls_again(shelf: Shelf, ada: Visitor) -> None:
    headers = {"Accept": "application/json, text/event-stream", "X-Account": "ada"}
    begun = {"protocolVersion": "2025-11-25", "capabilities": {}, "clientInfo": {"name": "x", "version": "1"}}

    def message(method: str, params: Any, **more: Any) -> dict[str, Any]:
        return {"jsonrpc": "2.0", "method": method, "params": params, **more}

    async with httpx.AsyncClient(trust_env=False, headers=headers) as http:
        url = f"{shelf.resource}/mcp"
        opened = await http.post(url, json=message("initialize", begun, id=1))
        session = {"Mcp-Session-Id": opened.headers["mcp-session-id"]}
        await http.post(url, headers=session, json=message("notifications/initialized", {}))
        with pytest.raises(httpx.ReadTimeout):
            await http.post(
                url, headers=session, json=message("tools/call", {"name": "write", "arguments": A}, id=2), timeout=1
            )
    await approve(shelf, ada)
    await eventually(lambda: shelf.written)
    async with shelf.client("2025-11-25") as client:
        assert text(await calling(client)) == "/a written"
    assert shelf.written == [DONE]
    assert requests(shelf) == []


async def test_a_cancelled_call_that_does_not_come_again_is_given_up(shelf: Shelf, ada: Visitor, revision: str) -> None:
    assert ada
    async with shelf.client(revision) as client:
        gone = calling(client)
        await asyncio.to_thread(pending, shelf)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        [followed] = shelf.guard.waiting.calls._followed.values()
        await eventually(lambda: followed._until is not None)


async def test_of_two_that_wait_for_one_call_the_other_may_go(shelf: Shelf, ada: Visitor, revision: str) -> None:
    shelf.guard.waiting.beat = 0.1
    async with shelf.client(revision) as client:
        gone, stays = calling(client), calling(client)
        await asyncio.to_thread(pending, shelf)
        [followed] = shelf.guard.waiting.calls._followed.values()
        await eventually(lambda: followed.waiters == 2)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await eventually(lambda: followed.waiters == 1 and not shelf.guard.waiting._left)
        assert followed._until is None
        await approve(shelf, ada)
        assert text(await stays) == "/a written"
    assert shelf.written == [DONE]


async def test_a_call_that_is_cancelled_while_it_is_asked_for_is_given_up(
    shelf: Shelf, ada: Visitor, revision: str
) -> None:
    assert ada
    calls, going = shelf.guard.waiting.calls, threading.Event()
    begin = calls._begun

    async def slowly(*given: Any) -> Any:
        found = await begin(*given)
        await asyncio.to_thread(going.wait, 10)
        return found

    calls._begun = slowly  # type: ignore[method-assign]  # the same, at a moment that the test chooses
    async with shelf.client(revision) as client:
        gone = calling(client)
        await asyncio.to_thread(pending, shelf)
        gone.cancel()
        await asyncio.gather(gone, return_exceptions=True)
        await eventually(lambda: calls._given_up)
        going.set()
        [followed] = calls._followed.values()
        await eventually(lambda: followed._until is not None)
