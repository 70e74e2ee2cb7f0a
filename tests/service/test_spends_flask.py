"""A Flask handler that writes its spend in its own transaction, on a connection that is the thread's own."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
from typing import TYPE_CHECKING, Any

import pytest
from flask import Flask, g
from tests.ports import free_port
from tests.service.serving import by_waitress
from tests.service.world import ApprovalServer, calling, link

from oneact.service import SPENDS_SQL
from oneact.service.flask import Act, Guard

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import httpx


class Bank:
    """A bank in Flask; what the handler does beside its transfer, the note says."""

    def __init__(self, folder: Path, port: int, issuer: str) -> None:
        self.file, self.resource = folder / "bank.db", f"http://localhost:{port}"
        with contextlib.closing(sqlite3.connect(self.file)) as made:
            made.executescript(f"PRAGMA journal_mode=WAL; CREATE TABLE transfers (txn, recipient); {SPENDS_SQL}")
        self.guard = Guard(
            resource=self.resource, name="Bank", key=folder / "air.jwk", store=folder / "air.db",
            account=lambda _: None, issuers=[issuer], spends=self.connect,
        )  # fmt: skip
        self.app = Flask(__name__)
        self.app.register_blueprint(self.guard.blueprint)
        self.app.before_request(lambda: setattr(g, "db", self.connect()))
        self.app.teardown_request(lambda _: g.db.close() if "db" in g else None)

        @self.app.post("/transfers/<to>")
        @self.guard.action("transfer", intent="Transfer", summary="Pay {to}", spends=True)
        def transfer(to: str, act: Act, note: str = "") -> tuple[dict[str, str], int]:
            with g.db:  # one transaction
                g.db.execute("INSERT INTO transfers VALUES (?, ?)", (act.txn, to))
                if note != "forget":
                    self.guard.spend(g.db)
                if note == "raise open":
                    raise RuntimeError("the handler broke")
            if note == "raise done":
                raise RuntimeError("the handler broke after its commit")
            return {"paid": to}, 201

    def connect(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, timeout=5)

    def rows(self) -> int:
        with contextlib.closing(self.connect()) as opened:
            [[count]] = opened.execute("SELECT count(*) FROM transfers")
            return int(count)


@pytest.fixture
def bank(server: ApprovalServer, tmp_path: Path) -> Iterator[Bank]:
    port = free_port()
    found = Bank(tmp_path, port, server.issuer)
    asyncio.run(link(tmp_path, found.resource, server))
    with by_waitress(found.app, port):
        yield found
    found.guard.stop_sync()


async def pay(server: ApprovalServer, bank: Bank, note: str) -> tuple[httpx.Response, httpx.Response]:
    """Have one transfer approved, and show its token twice."""
    path: Any = f"/transfers/bob?note={note}"
    async with calling(server, bank.resource) as caller:
        token = await caller.approved(await caller.ask("POST", path))
        return await caller.show(token, "POST", path), await caller.show(token, "POST", path)


@pytest.mark.parametrize(
    ("note", "first", "second", "rows"),
    [
        ("", 201, "already_spent", 1),
        ("raise open", 503, "act_rolled_back", 0),
        ("raise done", 409, "already_spent", 1),
        ("forget", 409, "already_spent", 1),
    ],
)
async def test_the_spend_is_the_threads_own_and_decides(
    server: ApprovalServer, bank: Bank, note: str, first: int, second: str, rows: int
) -> None:
    answered, again = await pay(server, bank, note)
    assert (answered.status_code, again.json()["reason"], bank.rows()) == (first, second, rows)
