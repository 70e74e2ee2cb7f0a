"""What `oneact service audit` prints, and with which status it ends."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oneact.agent import Agent
from oneact.cli.commands import app
from oneact.server.tlog import sequencer
from oneact.service import keys
from tests.flows.test_whole import FLIGHT, agent, airline, deciding, person, server
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.service.airline import Airline
from tests.service.audited import Books
from tests.service.world import eventually

__all__ = ["agent", "airline", "person", "server"]
runner = CliRunner()


@pytest.fixture
def books(tmp_path: Path) -> Books:
    found = Books(tmp_path)
    asyncio.run(found.fill())
    return found


def audit(books: Books, *more: str) -> tuple[int, list[str]]:
    answer = runner.invoke(app, ["service", "audit", "--store", str(books.file), *more])
    return answer.exit_code, answer.output.splitlines()


def test_a_record_that_agrees_is_said_to_agree(books: Books) -> None:
    status, lines = audit(books, "--key", str(books.key), "--evidence", str(books.evidence(*books.acts.values())))
    assert status == 0
    assert lines[0] == "read: 12 entries (0 erased), 4 acts, 4 receipts, 4 bundles of evidence"
    assert lines[1].startswith("head: 12:")
    assert lines[2:] == ["all agrees"]


def test_each_finding_is_a_line_and_the_status_is_1(books: Books) -> None:
    books.execute("UPDATE spends SET state = 'failed', account = 'x' WHERE txn = 'paris'")
    status, lines = audit(books, "--key", str(books.key))
    assert status == 1
    assert lines[0] == "act paris: the table of spends and the journal differ: account, state"
    assert lines[-1] == "1 finding"


def test_nobody_is_told_that_signatures_were_checked_that_were_not(books: Books) -> None:
    status, lines = audit(books)
    assert status == 0
    assert "not checked: signatures of receipts and offers (give --key or --jwks)" in lines


def test_published_keys_verify_as_well_as_the_key_file(books: Books, tmp_path: Path) -> None:
    published = tmp_path / "jwks.json"
    published.write_text(json.dumps(keys.load(books.key).jwks))
    assert audit(books, "--jwks", str(published))[0] == 0
    published.write_text(json.dumps({"keys": []}))
    status, lines = audit(books, "--jwks", str(published))
    assert status == 1
    assert "not signed with a key of the service" in lines[0]


def test_bundles_of_other_services_are_counted(books: Books) -> None:
    other = {"token": books.approved("x", aud="http://localhost:2").token, "receipt": None, "offer": None}
    _, lines = audit(books, "--evidence", str(books.evidence(other)))
    assert "passed over: 1 bundles of other services" in lines


def test_what_a_strangers_file_holds_moves_no_cursor(books: Books) -> None:
    books.execute("UPDATE spends SET txn = char(27) || '[2Jparis' WHERE txn = 'paris'")
    status, lines = audit(books)
    assert status == 1
    assert all(line.isprintable() for line in lines)
    assert any("x1b[2Jparis" in line for line in lines)


def test_what_cannot_be_read_ends_with_2_and_nothing_is_made_or_changed(books: Books, tmp_path: Path) -> None:
    there = {file.name for file in tmp_path.iterdir()}
    octets = books.file.read_bytes()
    nothing = str(tmp_path / "nothing")
    assert audit(books, "--key", nothing)[0] == 2
    assert audit(books, "--jwks", nothing)[0] == 2
    assert audit(books, "--jwks", "http://localhost:1/jwks.json")[0] == 2
    assert audit(books, "--evidence", nothing)[0] == 2
    assert audit(books, "--evidence", str(books.key))[0] == 2
    assert audit(books, "--head", "12")[0] == 2
    assert runner.invoke(app, ["service", "audit", "--store", nothing]).exit_code == 2
    assert runner.invoke(app, ["service", "audit", "--store", str(books.key)]).exit_code == 2
    assert {file.name for file in tmp_path.iterdir()} == there
    assert books.file.read_bytes() == octets


def test_a_database_without_a_journal_cannot_be_read(books: Books) -> None:
    books.execute("PRAGMA user_version=1")
    status, lines = audit(books)
    assert status == 2
    assert "no journal" in lines[0]


async def test_both_sides_of_one_act_agree(
    server: RunningServer, airline: Airline, person: Visitor, agent: Agent, tmp_path: Path
) -> None:
    """The service's own record, and the evidence that the approval server has of the same act."""
    async with deciding(person, "approve"):
        await agent.act(airline.resource, "book_flight", FLIGHT)
    await eventually(lambda: server.execute("SELECT receipt FROM receipts"))
    [[request]] = server.execute("SELECT id FROM requests")
    server.call(sequencer.sequence_all)
    evidence = await asyncio.to_thread(runner.invoke, app, ["log", "evidence", request, str(server.database)])
    (tmp_path / "ada.json").write_bytes(evidence.stdout_bytes)
    files = ["--store", str(tmp_path / "air.db"), "--key", str(tmp_path / "air.jwk")]
    arguments = ["service", "audit", *files, "--evidence", str(tmp_path / "ada.json")]
    answer = await asyncio.to_thread(runner.invoke, app, arguments)
    assert answer.output.splitlines()[0] == "read: 3 entries (0 erased), 1 acts, 1 receipts, 1 bundles of evidence"
    assert (answer.exit_code, answer.output.splitlines()[-1]) == (0, "all agrees")


def test_the_sql_of_the_table_of_spends_is_printed_as_a_database_takes_it() -> None:
    answer = runner.invoke(app, ["service", "sql"])
    with contextlib.closing(sqlite3.connect(":memory:")) as opened:
        opened.executescript(answer.output)
        opened.executescript(answer.output)
        assert opened.execute("SELECT count(*) FROM oneact_spends").fetchone() == (0,)
