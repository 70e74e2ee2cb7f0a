"""A token that reads is used to act, and one that acts or asks to read: each is none where another is wanted."""

import asyncio
import time
from pathlib import Path

import httpx
import pytest

from oneact.testing import TestAgent
from tests.attacks.played import played
from tests.attacks.stage import told
from tests.ports import free_port
from tests.service.reading import Travel
from tests.service.serving import serving
from tests.service.world import ApprovalServer, link


@pytest.mark.parametrize("kind", ["fastapi", "asgi", "wsgi"])
@pytest.mark.parametrize("path", ["/bookings?to=NYC", "/oneact/act"])
@pytest.mark.parametrize("asking", [False, True])
def test_a_read_token_runs_no_act(server: ApprovalServer, tmp_path: Path, kind: str, path: str, asking: bool) -> None:  # noqa: FBT001 - a parameter of the test
    travel = Travel(kind, port := free_port(), [server.issuer], tmp_path)
    asyncio.run(link(tmp_path, travel.resource, server))
    agent, now, url = TestAgent(), int(time.time()), travel.resource + path.partition("?")[0]
    body = {"action": "book", "parameters": {"to": "NYC"}} if path == "/oneact/act" else None
    with serving(travel, port):
        reads = httpx.get(travel.resource + "/oneact/actions").json()["reads"]
        text = server.person.read_token(travel.resource, reads, agent, now)
        headers = agent.headers("POST", url, text, now) | (server.person.accept if asking else {})
        answer = httpx.post(travel.resource + path, headers=headers, json=body)
    assert told(answer) == (401, "token_malformed", 2)
    assert travel.booked == []


@pytest.mark.parametrize("name", ["an action token", "an asking token", "an asking token with reads", "a transaction"])
def test_no_other_token_reads(name: str) -> None:
    assert played(name, "read") == "token_malformed"


@pytest.mark.parametrize("name", ["an act", "reads of the type of acts"])
def test_the_details_of_an_act_are_no_reads(name: str) -> None:
    assert played(name, "read") == "read_malformed"
