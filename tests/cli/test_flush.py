"""`oneact service flush`: what a process that sleeps has left waiting is delivered, and cut-off acts are told."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oneact.cli.commands import app
from oneact.protocol import receipt
from oneact.service import keys
from oneact.service.store.contract import Holder, Outcome, Spend, SpendKey
from oneact.service.store.sqlite import SqliteStore
from tests.ports import free_port
from tests.service.world import ApprovalServer, served

RESOURCE = "http://localhost:1"
runner = CliRunner()


@pytest.fixture
def server() -> Iterator[ApprovalServer]:
    port = free_port()
    found = ApprovalServer(f"http://localhost:{port}")
    with served(found, port):
        yield found


class Asleep:
    """The file and key of a service whose process is gone."""

    def __init__(self, folder: Path) -> None:
        self.file, self.key = folder / "s.db", folder / "s.jwk"
        keys.load(self.key)

    def spend(self, issuer: str, txn: str, spent_at: int, receipt_text: str | None = None) -> None:
        asyncio.run(self._spend(issuer, txn, spent_at, receipt_text))

    async def _spend(self, issuer: str, txn: str, spent_at: int, receipt_text: str | None) -> None:
        store, key = SqliteStore(self.file), SpendKey(RESOURCE, issuer, txn)
        await store.open()
        holder = Holder("sub", "client", "A" * 43, "B" * 43)
        assert await store.spend(Spend(key, holder, txn, "alice", "do", spent_at, spent_at + 30))
        if receipt_text is not None:
            assert await store.finish(key, Outcome("executed", receipt_text, spent_at))
        await store.close()

    def flush(self, *more: str) -> tuple[int, str]:
        answer = runner.invoke(app, ["service", "flush", "--store", str(self.file), "--key", str(self.key), *more])
        return answer.exit_code, answer.output.strip()


@pytest.fixture
def asleep(tmp_path: Path) -> Asleep:
    return Asleep(tmp_path)


def test_every_receipt_that_is_due_is_delivered_once(asleep: Asleep, server: ApprovalServer) -> None:
    for number in range(40):
        asleep.spend(server.issuer, f"txn {number}", 1, f"receipt {number}")
    assert asleep.flush("--private-host", "localhost") == (0, "40 arrived, 0 wait")
    assert sorted(server.receipts) == sorted(f"receipt {number}" for number in range(40))
    assert asleep.flush("--private-host", "localhost") == (0, "0 arrived, 0 wait")


def test_what_does_not_arrive_waits_and_the_status_says_so(asleep: Asleep, server: ApprovalServer) -> None:
    asleep.spend(server.issuer, "txn", 1, "receipt")
    server.receipt_status = 503
    assert asleep.flush("--private-host", "localhost") == (1, "0 arrived, 1 wait")
    assert server.receipts == ["receipt"]


def test_no_private_address_is_reached_that_nobody_named(asleep: Asleep, server: ApprovalServer) -> None:
    asleep.spend(server.issuer, "txn", 1, "receipt")
    assert asleep.flush() == (1, "0 arrived, 1 wait")
    assert server.receipts == []


def test_an_act_that_was_cut_off_is_told_to_be_unknown_and_one_that_runs_is_left(
    asleep: Asleep, server: ApprovalServer
) -> None:
    asleep.spend(server.issuer, "cut off", 1)
    asleep.spend(server.issuer, "running", int(time.time()))
    assert asleep.flush("--private-host", "localhost") == (0, "1 arrived, 0 wait")
    own = keys.load(asleep.key).signing.public
    told = receipt.check(server.receipts[0], {own.thumbprint: own})
    assert (told.txn, told.status) == ("cut off", "unknown")


def test_a_store_or_key_that_is_not_there_is_not_made(asleep: Asleep) -> None:
    assert asleep.flush()[0] == 2
    assert not asleep.file.exists()
    asleep.file.write_bytes(b"this was a database")
    assert asleep.flush()[0] == 2
    asleep.key.unlink()
    assert asleep.flush()[0] == 2
    assert not asleep.key.exists()
