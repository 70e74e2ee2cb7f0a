"""A server that runs: its log verified beside it, its evidence downloaded by the person it belongs to."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from oneact.log import evidence, proving
from oneact.protocol import canonical
from oneact.server.tlog import sequencer
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, running_server, serving
from tests.server.visitor import Visitor
from tests.tlog.lived import command


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RunningServer]:
    with running_server(tmp_path) as running:
        yield running


@pytest.fixture
def asked(server: RunningServer) -> Iterator[tuple[Visitor, str]]:
    """A person with one request that waits for them."""
    service = Service(f"http://localhost:{free_port()}")
    with serving(service.app(), int(service.url.rpartition(":")[2])):
        person, agent = Visitor(server).sign_up(), Agent(server)
        person.link(service)
        agent.register()
        person.pair(agent)
        answer = agent.ask(service.offer(server.url, server.clock())).json()
        yield person, answer["transaction_authorization_id"]


def test_a_live_database_is_verified_beside_its_server(server: RunningServer, asked: tuple[Visitor, str]) -> None:
    person, identifier = asked
    server.call(sequencer.sequence_all)
    code, output = command("log", "verify", str(server.database))
    assert (code, "passed  states" in output) == (0, True), output
    assert person.approve(identifier).status_code == 200
    code, output = command(
        "log", "verify", str(server.database), "--against", str(server.database.with_suffix(".checkpoint"))
    )
    assert code == 0, output
    code, output = command(
        "log", "verify", server.url + "/log", "--key", server.app.state.world.log.verifiers()[0].line()
    )
    assert (code, "passed  root" in output) == (0, True), output


def test_a_person_downloads_their_own_evidence_and_nobody_elses(
    server: RunningServer, asked: tuple[Visitor, str]
) -> None:
    person, identifier = asked
    assert person.approve(identifier).status_code == 200
    page = person.get(f"/requests/{identifier}").text
    assert f"/requests/{identifier}/evidence" in page
    answer = person.get(f"/requests/{identifier}/evidence")
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["content-disposition"].startswith("attachment;")
    found = evidence.parse(canonical.parse(answer.content, evidence.MAX_OCTETS))
    assert [step.name for step in proving.check(found) if step.result == "failed"] == []
    assert found.approvals
    stranger = Visitor(server).sign_up("Eve")
    assert stranger.get(f"/requests/{identifier}/evidence").status_code == 404
    assert Visitor(server).get(f"/requests/{identifier}/evidence").status_code in {302, 303, 401}
