"""Agents with a key: every check of the guard, by `_meta` and by header fields, with the rows of a conformance run."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any, Literal

import pytest
from tests.embedded.notes import ACCOUNT, SIGNED_IN
from tests.ports import free_port
from tests.server.peers import serving
from tests.service.mcp.bridge import Bridge
from tests.service.mcp.shelf import Shelf

from oneact.conformance.outcome import Result
from oneact.conformance.run import Settings, run

CHECKS = [str(number) for number in range(1, 13)]
NOT_PLAYED = {
    "5.22", "5.23",  # this service asks for no nonce
    "6.6",  # what JSON-RPC says twice is read by the library, once, before anyone is asked: that is approved, and runs
    "6.18", "6.19",  # a tool has no address of its own
    "11.6",  # plays all rows once more, with those above
}  # fmt: skip
BY_HEADER = {
    "6.9", "7.12", "7.13",  # ask for another action, which is no tool: it has no proof for this address
    "offer.6",  # who brings nothing is no agent with a key: its call is held
}  # fmt: skip


@pytest.mark.timeout(400)  # two hundred requests, each with a client of its own
@pytest.mark.parametrize(
    ("kind", "way", "revision"), [("fastmcp", "meta", "2025-11-25"), ("sdk", "header", "2026-07-28")]
)
def test_each_check_is_made_and_its_code_names_it(
    tmp_path: Path, kind: str, way: Literal["meta", "header"], revision: str
) -> None:
    results, excepted = played(tmp_path, kind, way, revision, CHECKS if way == "meta" else [*CHECKS, "offer"])
    assert {result.number for result in results if result.status != "passed"} <= excepted, results
    passed = {result.number.partition(".")[0] for result in results if result.status == "passed"}
    assert passed.issuperset(CHECKS)


@pytest.mark.parametrize(
    ("kind", "way", "revision"),
    [
        ("fastmcp", "meta", "2026-07-28"), ("fastmcp", "header", "2025-11-25"), ("fastmcp", "header", "2026-07-28"),
        ("sdk", "meta", "2025-11-25"), ("sdk", "meta", "2026-07-28"), ("sdk", "header", "2025-11-25"),
    ],
)  # fmt: skip
def test_so_it_is_in_each_library_revision_and_way(
    tmp_path: Path, kind: str, way: Literal["meta", "header"], revision: str
) -> None:
    wanted = ["1.0", "1.1", "1.2", "4.1", "5.1", "6.1", "6.2", "7.1", "9.1", "10.1", "11.1"]
    results, _ = played(tmp_path, kind, way, revision, wanted)
    assert [result for result in results if result.status != "passed"] == []


def played(
    folder: Path, kind: str, way: Literal["meta", "header"], revision: str, only: list[str]
) -> tuple[list[Result], set[str]]:
    """Play rows, and give what became of them, with the numbers of those that are not for tools."""
    mine = free_port()
    issuer = f"http://localhost:{mine}"
    shelf = Shelf(folder, kind, issuers=[issuer, "http://localhost:1"])
    settings: dict[str, Any] = {
        "resource": shelf.resource, "action": "buy", "parameters": {"title": "Ulysses"}, "issuer": issuer, "port": mine,
        "cookies": {ACCOUNT: "alice", SIGNED_IN: str(int(time.time()))},
        "only": only,
    }  # fmt: skip
    with serving(Bridge(shelf, way, revision), shelf.port):
        return list(run(Settings(**settings))), NOT_PLAYED | (BY_HEADER if way == "header" else set())
