"""What was approved against what services say: every difference is found, logged, shown and told."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import jws, token
from oneact.server import reconciling
from oneact.server.reconciling import GRACE
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor
from tests.tlog.lived import command


def collected(visitor: Visitor, service: Service, agent: Agent) -> dict[str, Any]:
    """Have an act approved and its token collected; give the token's claims."""
    server = visitor.server
    asked = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    assert visitor.approve(asked).status_code == 200
    text = agent.poll(asked).json()["access_token"]
    return {**jws.parse(text, token.TYP, token.FAULTS).claims, "request": asked}


def deliver(server: RunningServer, receipt: str) -> httpx.Response:
    return httpx.post(server.url + "/oauth/receipts", content=receipt, headers={"Content-Type": "application/jwt"})


def found(server: RunningServer) -> list[tuple[str, str]]:
    rows = server.execute("SELECT kind, request_id FROM findings ORDER BY found_at, kind")
    told = server.execute("SELECT content FROM entries WHERE kind = 'finding' ORDER BY seq")
    assert sorted(json.loads(content)["finding"] for (content,) in told) == sorted(kind for kind, _ in rows)
    return rows


def test_an_act_without_word_is_found_once_and_settled_by_a_receipt(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    claims = collected(visitor, service, agent)
    since = server.call(reconciling.reconcile, 0)
    assert found(server) == []
    server.clock.now += 30 + GRACE
    for _ in range(2):
        server.call(reconciling.reconcile, since)
    assert found(server) == [("no_word", claims["request"])]
    assert "the service never said what became of it" in visitor.get("/history").text
    assert command("log", "findings", str(server.database))[0] == 1
    receipt = service.receipt(server.url, claims, service.act().digest, server.clock())
    assert deliver(server, receipt).status_code < 300
    code, output = command("log", "findings", str(server.database))
    assert (code, "settled: executed" in output) == (0, True)
    assert "the service never said what became of it" not in visitor.get("/history").text


def test_an_unknown_outcome_is_found(server: RunningServer, service: Service, agent: Agent, visitor: Visitor) -> None:
    claims = collected(visitor, service, agent)
    unknown = service.receipt(server.url, claims, service.act().digest, server.clock(), status="unknown")
    assert deliver(server, unknown).status_code < 300
    server.clock.now += 30 + GRACE
    server.call(reconciling.reconcile, 0)
    assert found(server) == [("unknown", claims["request"])]


def test_a_receipt_for_nothing_is_found(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    claims = collected(visitor, service, agent)
    invented = service.receipt(server.url, {**claims, "txn": "t" * 76}, service.act().digest, server.clock())
    for _ in range(2):
        assert deliver(server, invented).json()["reason"] == "receipt_unknown"
    assert found(server) == [("not_approved", "")]
    assert "nobody approved here" in visitor.get("/history").text
    forged = service.receipt(server.url, {**claims, "txn": "u" * 76}, service.act().digest, server.clock())
    assert deliver(server, forged[:-4] + "AAAA").json()["reason"] == "receipt_signature"
    assert len(found(server)) == 1  # what the service has not signed says nothing about it


def test_a_receipt_for_an_act_that_was_denied_is_found(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    claims = collected(visitor, service, agent)
    offered = service.offer(server.url, server.clock(), service.act(to="LAX"), txn="v" * 76)
    asked = agent.ask(offered).json()["transaction_authorization_id"]
    visitor.post("/requests/deny", requests=[asked], message="no")
    digest = service.act(to="LAX").digest
    receipt = service.receipt(server.url, {**claims, "txn": "v" * 76}, digest, server.clock())
    assert deliver(server, receipt).json()["reason"] == "receipt_mismatch"
    assert found(server) == [("not_approved", asked)]


def test_a_second_receipt_is_found(server: RunningServer, service: Service, agent: Agent, visitor: Visitor) -> None:
    claims = collected(visitor, service, agent)
    for status, answer in (("executed", 204), ("failed", 409)):
        receipt = service.receipt(server.url, claims, service.act().digest, server.clock(), status=status)
        assert deliver(server, receipt).status_code == answer
    assert found(server) == [("two_receipts", claims["request"])]


def test_strangers_receipts_are_neither_fetched_for_nor_recorded(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    claims = collected(visitor, service, agent)
    before = len(service.fetched)
    stranger = service.receipt(server.url, {**claims, "sub": "nobody"}, service.act().digest, server.clock())
    assert deliver(server, stranger).json()["reason"] == "receipt_unknown"
    assert (len(service.fetched), found(server)) == (before, [])


def test_findings_are_told_until_they_are_taken(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor, tmp_path: Path
) -> None:
    claims = collected(visitor, service, agent)
    server.clock.now += 30 + GRACE
    server.call(reconciling.reconcile, 0)
    folder = tmp_path / "told"
    folder.write_text("in the way")
    object.__setattr__(server.app.state.world.settings, "findings_to", (f"file:{folder}",))
    with pytest.raises(Refusal) as refused:
        server.call(reconciling.tell)
    assert refused.value.reason is Reason.METADATA_UNREACHABLE
    folder.unlink()
    assert server.call(reconciling.tell) == 1
    assert server.call(reconciling.tell) == 0
    [file] = folder.iterdir()
    assert f"no_word: {claims['txn']}" in file.read_text()
