"""A bank with an agent that calls it: in this process, or in processes that can be killed."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
from tests.ports import free_port
from tests.service.bank import Bank, tables
from tests.service.processes import process
from tests.service.world import ApprovalServer, Caller, calling, link

from oneact.protocol import jwk, receipt
from oneact.service.once import Once
from oneact.service.store import owner
from oneact.service.store.contract import Holder, Spend, SpendKey


@dataclass
class World:
    """A bank, in this process or in others, with an agent that calls it."""

    kind: str
    port: int
    folder: Path
    server: ApprovalServer
    caller: Caller

    def process(self, deadline: int = 1, beside: int = 0) -> Any:
        return process(self.kind, self.port, self.server, self.folder, deadline, beside, service="bank")

    def rows(self, table: str = "transfers") -> list[Any]:
        return tables(self.kind, self.folder).rows(table)

    def go(self) -> None:
        (self.folder / "go").touch()

    async def token(self, note: str = "") -> tuple[str, dict[str, Any]]:
        body = {"to": "bob", "note": note}
        return await self.caller.approved(await self.caller.ask("POST", "/transfers", json=body)), body

    async def show(self, token: str, body: dict[str, Any], port: int = 0, later: int = 0) -> httpx.Response:
        """Show the token, at another port of the same service where one is given, some seconds `later`."""
        url = self.caller.resource + "/transfers"
        headers = self.caller.agent.headers("POST", url, token, int(time.time()) + later)
        return await self.caller.client.post(
            f"http://localhost:{port or self.port}/transfers", json=body, headers=headers
        )

    async def settled(self, token: str, body: dict[str, Any], port: int = 0) -> httpx.Response:
        """Show the token until the act is no longer told to be in progress."""
        answer = await self.show(token, body, port)
        while reason(answer) == (409, "act_in_progress"):
            await asyncio.sleep(0.1)
            answer = await self.show(token, body, port)
        return answer

    async def status(self, answer: httpx.Response, port: int = 0) -> str:
        text = answer.headers.get("oneact-receipt") or answer.json()["receipt"]
        keys = await self.caller.client.get(f"http://localhost:{port or self.port}/oneact/jwks.json")
        return receipt.check(text, jwk.parse_set(keys.json())).status


def reason(answer: httpx.Response) -> tuple[int, str | None]:
    return answer.status_code, answer.json().get("reason")


@contextlib.asynccontextmanager
async def there(kind: str, folder: Path, server: ApprovalServer) -> AsyncIterator[World]:
    port = free_port()
    resource = f"http://localhost:{port}"
    tables(kind, folder).prepare()
    await link(folder, resource, server)
    async with calling(server, resource) as caller:
        yield World(kind, port, folder, server, caller)


def once(bank: Bank) -> Once:
    assert isinstance(bank.guard.execution, Once)
    return bank.guard.execution


def spend_of(bank: Bank, txn: str = "txn", spent_at: int = 100) -> Spend:
    key = SpendKey(bank.resource, "http://localhost:8400", txn)
    return Spend(key, Holder("sub", "client", "jkt", "digest"), "jti", "alice", "transfer", spent_at, spent_at + 2)


def committed(bank: Bank, spend: Spend) -> None:
    with bank.access.session() as opened:
        owner.write(opened, replace(spend, token="a.b.c"), "run")
