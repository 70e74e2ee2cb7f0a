"""The world around a service under test: an approval server's public face, a person with a passkey, an agent.

The approval server is real HTTP on loopback, but it only publishes its metadata and keys, takes receipts, and plays
the linking endpoints; approvals are made in this process.
"""

import asyncio
import contextlib
import html
import json
import secrets
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlencode

import httpx
import uvicorn

from oneact.errors import Reason
from oneact.protocol import action, client_assertion, id_token, jwk, metadata, offer, receipt
from oneact.protocol.receipt import Receipt
from oneact.service.store.contract import Link
from oneact.service.store.sqlite import SqliteStore
from oneact.testing import InProcessApprover, TestAgent

ENDPOINTS = {
    "jwks_uri": "/oauth/jwks.json",
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/oauth/token",
    "pushed_authorization_request_endpoint": "/oauth/par",
    "receipt_endpoint": "/oauth/receipts",
}


@contextlib.contextmanager
def served(app: Any, port: int) -> Iterator[str]:
    """Run an ASGI app under uvicorn in a thread until the block ends."""
    server = uvicorn.Server(uvicorn.Config(app, "127.0.0.1", port, log_level="critical", ws="none"))
    thread = threading.Thread(target=server.run)
    thread.start()
    until = time.monotonic() + 10
    while not server.started and thread.is_alive() and time.monotonic() < until:
        threading.Event().wait(0.005)
    assert server.started, "the server did not start"
    try:
        yield f"http://localhost:{port}"
    finally:
        server.should_exit = True
        thread.join()


@dataclass
class ApprovalServer:
    """The public face of an approval server at `issuer`, for one person."""

    issuer: str
    person: InProcessApprover = field(init=False)
    receipts: list[str] = field(default_factory=list)
    receipt_status: int = 204
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    seq: int = 1
    id_token_changes: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.person = InProcessApprover(self.issuer, sub="pairwise-" + secrets.token_hex(4))

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        body = b""
        while (message := await receive())["type"] == "http.request":
            body += message.get("body", b"")
            if not message.get("more_body"):
                break
        status, kind, octets = self.answer(scope["path"], body)
        headers = [(b"content-type", kind.encode()), (b"content-length", str(len(octets)).encode())]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": octets})

    def answer(self, path: str, body: bytes) -> tuple[int, str, bytes]:
        if path == metadata.SERVER_PATH:
            endpoints = {name: self.issuer + found for name, found in ENDPOINTS.items()}
            return _json(metadata.ServerMetadata(self.issuer, endpoints).document())
        if path == ENDPOINTS["jwks_uri"]:
            return _json(self.person.jwks())
        if path == ENDPOINTS["receipt_endpoint"]:
            self.receipts.append(body.decode())
            return self.receipt_status, "text/plain", b""
        if path == ENDPOINTS["pushed_authorization_request_endpoint"]:
            uri = "urn:ietf:params:oauth:request_uri:" + secrets.token_urlsafe(8)
            self.pushed[uri] = dict(parse_qsl(body.decode()))
            return _json({"request_uri": uri, "expires_in": 60}, 201)
        if path == ENDPOINTS["token_endpoint"]:
            return _json(self.exchange(dict(parse_qsl(body.decode()))))
        return 404, "text/plain", b""

    def exchange(self, form: dict[str, str]) -> dict[str, Any]:
        pushed = self.pushed[form["code"]]
        client_assertion.parse(form["client_assertion"])
        now = int(time.time())
        claims = id_token.IdToken(
            self.issuer, pushed["client_id"], self.person.sub, now, now + 60, pushed["nonce"], now,
            self.person.signed_roster(pushed["resource"], self.seq),
        )  # fmt: skip
        for name, value in self.id_token_changes.items():
            object.__setattr__(claims, name, value)
        return {"token_type": "N_A", "expires_in": 0, "id_token": id_token.sign(claims, self.person.key)}

    def authorize(self, location: str) -> str:
        """Be the person who approves the linking: give the address to which the browser is sent back."""
        query = {name: found[0] for name, found in parse_qs(location.partition("?")[2]).items()}
        pushed = self.pushed[query["request_uri"]]
        answer = {"code": query["request_uri"], "state": pushed["state"], "iss": self.issuer}
        return pushed["redirect_uri"] + "?" + urlencode(answer)


@dataclass
class Caller:
    """An agent at one service, with the person who approves what it asks for."""

    server: ApprovalServer
    resource: str
    client: httpx.AsyncClient
    agent: TestAgent = field(default_factory=TestAgent)

    @property
    def accept(self) -> dict[str, str]:
        return {"Accept-Txn-Challenge": f'?1;as="{self.server.issuer}"'}

    async def document(self, name: str) -> dict[str, Any]:
        answer = await self.client.get(f"{self.resource}/oneact/actions")
        found: dict[str, Any] = next(item for item in answer.json()["actions"] if item["action"] == name)
        return found

    async def ask(self, method: str, path: str, **request: Any) -> str:
        """Make the plain request and give the offer."""
        answer = await self.client.request(method, self.resource + path, headers=self.accept, **request)
        assert answer.status_code == 401, answer.text
        text: str = answer.json()["transaction_challenge"]
        return text

    async def approved(self, challenge: str, **changes: Any) -> str:
        """Have the person approve an offer; give the token."""
        offered, _ = offer.parse(challenge)
        document = await self.document(offered.act.action)
        described, txn = action.parse(document), changes.pop("txn", offered.txn)
        return self.server.person.approve_act(offered.act, described, self.agent, int(time.time()), txn=txn, **changes)

    async def show(self, token: str, method: str, path: str, **request: Any) -> httpx.Response:
        """Make the request with the token and a fresh proof."""
        url = self.resource + path
        headers = self.agent.headers(method, url.partition("?")[0], token, int(time.time()))
        return await self.client.request(method, url, headers=headers | request.pop("headers", {}), **request)

    async def act(self, method: str, path: str, **request: Any) -> httpx.Response:
        """Ask, have approved, show."""
        token = await self.approved(await self.ask(method, path, **request))
        return await self.show(token, method, path, **request)

    async def verified(self, text: str) -> Receipt:
        """Verify a receipt with the keys the service publishes."""
        found = await self.client.get(f"{self.resource}/oneact/jwks.json")
        return receipt.check(text, jwk.parse_set(found.json()))


def page_reason(page: httpx.Response) -> str:
    """Give the reason of a refusal on a page, which tells it in the table's own words and with its status."""
    assert page.headers["content-type"].startswith("text/html")
    [found] = [reason for reason in Reason if f"<p>{html.escape(reason.says)}</p>" in page.text]
    assert page.status_code == found.status
    return found.value


def _json(value: Any, status: int = 200) -> tuple[int, str, bytes]:
    return status, "application/json", json.dumps(value).encode()


async def eventually(holds: Callable[[], Any], seconds: float = 10) -> Any:
    """Wait until something holds, and give it."""
    until = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < until, "it never held"
        await asyncio.sleep(0.01)
    return found


@contextlib.asynccontextmanager
async def calling(server: ApprovalServer, resource: str) -> AsyncIterator[Caller]:
    async with httpx.AsyncClient(timeout=30, trust_env=False) as client:
        yield Caller(server, resource, client)


async def link(folder: Path, resource: str, server: ApprovalServer, account: str = "alice") -> None:
    """Link the person to a local account, as the link page would."""
    store = SqliteStore(folder / "air.db")
    await store.open()
    assert await store.link(Link(account, server.person.roster(resource), 1))
    await store.close()
