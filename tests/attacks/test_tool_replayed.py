"""The token of one call of a tool is used again: at the tool, by name over HTTP, with the very same proof, at once."""

from __future__ import annotations

import asyncio
import time

import httpx

from oneact.protocol import tool
from tests.service.mcp.keyed import Keyed
from tests.service.mcp.shelf import meta, refusal, text

A = {"path": "/a"}


async def test_a_second_call_gets_the_receipt_and_no_second_run(keyed: Keyed) -> None:
    token = await keyed.approved("write", A)
    first = await keyed.show(token, "write", A)
    again = await keyed.show(token, "write", A)
    assert refusal(again) == "already_spent"
    assert meta(again)[tool.RECEIPT] == meta(first)[tool.RECEIPT]
    assert len(keyed.shelf.written) == 1


async def test_a_call_recorded_on_the_way_is_refused(keyed: Keyed) -> None:
    token = await keyed.approved("write", A)
    proof = keyed.proof(token)
    assert text(await keyed.show(token, "write", A, proof)) == "/a written"
    recorded = await keyed.show(token, "write", A, proof)
    assert refusal(recorded) == "proof_replayed"
    assert "Nothing was executed" not in text(recorded)  # something was, by the first
    assert tool.RECEIPT not in meta(recorded)
    assert len(keyed.shelf.written) == 1


async def test_of_many_at_once_one_is_done(keyed: Keyed) -> None:
    token = await keyed.approved("write", A)
    results = await asyncio.gather(*(keyed.show(token, "write", A) for _ in range(8)))
    assert len([result for result in results if not result.is_error]) == 1
    others = {refusal(result) for result in results if result.is_error}
    assert others <= {"already_spent", "act_in_progress"}
    assert len(keyed.shelf.written) == 1


async def test_by_name_over_http_it_is_the_same_approval(keyed: Keyed) -> None:
    token = await keyed.approved("write", A)
    url = f"{keyed.shelf.resource}/oneact/act"
    async with httpx.AsyncClient(trust_env=False) as http:
        body = {"action": "write", "parameters": {**A, "weight": "0.5"}}
        headers = keyed.agent.headers("POST", url, token, int(time.time()))
        done = await http.post(url, headers=headers, json=body)
    assert done.json()["structuredContent"] == {"result": "/a written"}
    assert refusal(await keyed.show(token, "write", A)) == "already_spent"
    assert len(keyed.shelf.written) == 1
