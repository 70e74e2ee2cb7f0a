"""Tokens in header fields: what a check refuses is refused by HTTP itself, and what is let through streams on."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastmcp import Context, FastMCP
from fastmcp.server.event_store import EventStore
from tests.ports import free_port
from tests.server.peers import serving
from tests.service.mcp.keyed import Keyed
from tests.service.mcp.posting import Poster, messages
from tests.service.mcp.shelf import Shelf

from oneact.errors import Reason, Refusal
from oneact.protocol import tool
from oneact.service import exchange
from oneact.service.exchange import Answer
from oneact.service.mcp import Guard
from oneact.service.mcp.replying import Reply
from oneact.testing import InProcessApprover, TestAgent

A = {"path": "/a"}


@pytest.fixture
def poster(keyed: Keyed) -> Poster:
    return Poster(f"{keyed.shelf.resource}/mcp", keyed.revision)


def headers(keyed: Keyed, token: str) -> dict[str, str]:
    return dict(keyed.agent.headers("POST", f"{keyed.shelf.resource}/mcp", token, int(time.time())))


def assert_challenged(keyed: Keyed, answer: httpx.Response, reason: str) -> None:
    refused = Reason(reason)
    assert (answer.status_code, answer.json()["reason"]) == (401, reason)
    assert answer.headers["www-authenticate"] == (
        f'DPoP error="{refused.error}", resource_metadata="{keyed.shelf.guard.offers.metadata_uri}", algs="ES256 EdDSA"'
    )


async def test_a_token_for_another_call_is_401_with_a_challenge(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    answer = await poster.call("write", {"path": "/b"}, headers(keyed, token))
    assert_challenged(keyed, answer, "act_mismatch")
    assert answer.json() == Refusal(Reason.ACT_MISMATCH).body() | {"not_executed": True}
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["content-type"] == "application/json"
    done = await poster.call("write", A, headers(keyed, token))
    assert tool.RECEIPT in messages(done)[-1]["result"]["_meta"]
    assert len(keyed.shelf.written) == 1


async def test_what_is_no_token_is_401_and_reaches_no_tool(keyed: Keyed, poster: Poster) -> None:
    answer = await poster.call("write", A, {"Authorization": "DPoP nothing", "DPoP": "nothing"})
    assert_challenged(keyed, answer, "token_malformed")
    answer = await poster.call("write", A, {"Authorization": "DPoP nothing"})
    assert_challenged(keyed, answer, "proof_missing")
    assert keyed.shelf.written == []


async def test_a_token_used_again_is_409_with_receipt_and_response(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    first = messages(await poster.call("write", A, headers(keyed, token)))[-1]["result"]
    again = await poster.call("write", A, headers(keyed, token))
    assert (again.status_code, again.json()["reason"]) == (409, "already_spent")
    assert again.json()["receipt"] == first["_meta"][tool.RECEIPT]
    assert "www-authenticate" not in again.headers
    assert len(keyed.shelf.written) == 1


async def test_while_the_act_runs_it_is_409_and_says_when_to_come_again(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    keyed.shelf.release.clear()
    await poster.call("read", A, {})  # begins the session, where there is one
    both = [asyncio.ensure_future(poster.call("write", A, headers(keyed, token))) for _ in range(2)]
    [early], [late] = await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    keyed.shelf.release.set()
    again = await early
    assert (await late).status_code == 200
    assert (again.status_code, again.json()["reason"]) == (409, "act_in_progress")
    assert again.headers["retry-after"] == "1"


async def test_a_store_that_cannot_answer_is_503(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    find = keyed.shelf.guard.store.find_spend

    async def gone(_: object) -> Any:
        raise Refusal(Reason.STORE_UNAVAILABLE, "its disk is full")

    keyed.shelf.guard.store.find_spend = gone  # type: ignore[method-assign]  # at a moment that the test chooses
    answer = await poster.call("write", A, headers(keyed, token))
    keyed.shelf.guard.store.find_spend = find  # type: ignore[method-assign]  # the same
    assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")
    assert keyed.shelf.written == []


async def test_arguments_that_do_not_fit_are_422_and_name_the_one_at_fault(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    answer = await poster.call("write", {"path": 7}, headers(keyed, token))
    assert (answer.status_code, answer.json()["reason"], answer.json()["field"]) == (422, "parameters_invalid", "path")


async def test_a_tool_that_is_denied_is_404(tmp_path: Path, revision: str) -> None:
    shelf = Shelf(tmp_path, "fastmcp", issuers=["http://localhost:1"], policy={"write": "deny"})
    with shelf.running():
        poster = Poster(f"{shelf.resource}/mcp", revision)
        answer = await poster.call("write", A, {"Authorization": "DPoP nothing", "DPoP": "nothing"})
    assert (answer.status_code, answer.json()["reason"]) == (404, "action_unknown")


async def test_what_comes_by_members_too_has_come_twice(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    brought = headers(keyed, token)
    meta = {tool.AUTHORIZATION: brought["Authorization"], tool.PROOF: brought["DPoP"]}
    assert_challenged(keyed, await poster.call("write", A, brought, meta), "authorization_repeated")
    told = messages(await poster.call("write", A, {}, meta))[-1]["result"]
    assert told["_meta"][tool.REFUSED]["reason"] == "proof_htu"  # by members alone it is a result


async def test_a_tool_without_the_guard_is_called_whatever_was_brought(poster: Poster) -> None:
    brought = {"Authorization": "DPoP nothing", "DPoP": "nothing"}
    answer = await poster.call("read", A, brought)
    assert messages(answer)[-1]["result"]["content"][0]["text"] == "what stands in /a"
    listed = await poster.ask("tools/list", {}, brought)
    assert "write" in {found["name"] for found in messages(listed)[-1]["result"]["tools"]}


async def test_what_the_server_refuses_by_itself_comes_as_it_is(keyed: Keyed, poster: Poster) -> None:
    token = await keyed.approved("write", A)
    poster.session = {"Mcp-Session-Id": "no such session"}
    brought = headers(keyed, token) | {"Accept": "text/plain"}
    answer = await poster.call("write", A, brought)
    assert answer.status_code in {400, 404, 406}
    assert keyed.shelf.written == []


class Telling:
    """A server that tells how far it is, with events that can be sent again; `outer` is a tool without the guard."""

    def __init__(self, folder: Path, revision: str) -> None:
        self.port, self.person = free_port(), InProcessApprover()
        self.resource, self.done = f"http://localhost:{self.port}", 0
        guard = self.guard = Guard(
            resource=self.resource, name="Telling", key=folder / "k.jwk", store=folder / "s.db",
            account=lambda _: None, issuers=[self.person.issuer],
        )  # fmt: skip
        self.person.link(guard, "ada")
        server: Any = FastMCP("telling")

        @server.tool()
        @guard.tool(intent="Write a file")
        async def write(path: str, ctx: Context) -> str:
            await ctx.report_progress(1, 2, "writing")
            self.done += 1
            return path

        @server.tool()
        async def outer(path: str, ctx: Context) -> str:
            await ctx.report_progress(1, 2, "looking")
            found = await ctx.fastmcp.call_tool("write", {"path": path})
            return str(found.content[0].text)

        guard.protect(server)
        self.app = guard.around(server.http_app(event_store=EventStore()))
        self.poster = Poster(f"{self.resource}/mcp", revision)

    async def call(self, name: str, token: str) -> httpx.Response:
        brought = TestAgent().headers("POST", f"{self.resource}/mcp", token, int(time.time()))
        return await self.poster.call(name, A, dict(brought), {"progressToken": "p"})

    async def approved(self, agent: TestAgent) -> str:
        offer = (await self.poster.call("write", A, dict(self.person.accept))).json()["transaction_challenge"]
        actions: Any = {"actions": [found.action.document for found in self.guard.actions.values()]}
        return str(self.person.approve(offer, actions, agent, int(time.time())))


@pytest.fixture
def telling(tmp_path: Path, revision: str) -> Iterator[Telling]:
    found = Telling(tmp_path, revision)
    with serving(found.app, found.port):
        yield found


async def test_a_stream_that_was_begun_to_be_sent_again_is_not_begun_for_a_refusal(telling: Telling) -> None:
    answer = await telling.call("write", "nothing")
    assert (answer.status_code, answer.json()["reason"]) == (401, "token_malformed")
    assert telling.done == 0


async def test_what_a_tool_tells_while_it_runs_is_not_held_back(telling: Telling) -> None:
    agent = TestAgent()
    token = await telling.approved(agent)
    brought = agent.headers("POST", f"{telling.resource}/mcp", token, int(time.time()))
    answer = await telling.poster.call("write", A, dict(brought), {"progressToken": "p"})
    assert [found.get("method") for found in messages(answer)] == ["notifications/progress", None]
    assert tool.RECEIPT in messages(answer)[-1]["result"]["_meta"]
    assert telling.done == 1


async def test_once_a_tool_has_told_something_a_refusal_is_a_result(telling: Telling) -> None:
    answer = await telling.call("outer", "nothing")
    assert answer.status_code == 200
    told, result = messages(answer)
    assert told["method"] == "notifications/progress"
    assert "token_malformed" in result["result"]["content"][0]["text"]
    assert telling.done == 0


@pytest.mark.parametrize("held", [True, False])
async def test_events_sent_before_the_refusal_are_dropped_or_else_nothing_is(held: bool) -> None:  # noqa: FBT001 - a case
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    reply = Reply(send, "https://a.example/.well-known/x")
    begun = {"type": "http.response.start", "status": 200, "headers": []}
    event = {"type": "http.response.body", "body": b"data:\n\n", "more_body": True}
    await reply.send(begun)
    await reply.send(event)
    if not held:
        await reply.go_on()
    assert sent == ([] if held else [begun, event])
    reply.refuse(exchange.of_refusal(Refusal(Reason.TOKEN_EXPIRED)))
    await reply.send({**event, "more_body": False})
    assert [message.get("status") for message in sent if "status" in message] == [401 if held else 200]
    assert sum(not message.get("more_body", False) for message in sent if "body" in message) == 1


async def test_a_refusal_is_sent_once_and_what_has_no_word_of_the_guard_goes_on_at_its_end() -> None:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    first = Reply(send, "")
    first.refuse(Answer(403, b"{}"))
    first.refuse(Answer(409, b"{}"))
    await first.go_on()
    await first.send({"type": "http.response.body", "body": b""})
    assert [message.get("status") for message in sent] == [403, None]
    sent.clear()
    other = Reply(send, "")
    start, end = (
        {"type": "http.response.start", "status": 404, "headers": []},
        {"type": "http.response.body", "body": b""},
    )
    await other.send(start)
    await other.send(end)
    other.refuse(Answer(403, b"{}"))
    assert sent == [start, end]
