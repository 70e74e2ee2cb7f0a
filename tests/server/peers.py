"""Peers for the server's tests: a running server, a service that publishes itself, an agent, a person."""

from __future__ import annotations

import asyncio
import contextlib
import json
import secrets
import sqlite3
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

from oneact.errors import Reason
from oneact.protocol import act, action, approval, canonical, client_assertion, display, dpop, offer, receipt
from oneact.protocol.act import Act
from oneact.protocol.receipt import Receipt
from oneact.protocol.token import Approval, approvals_members
from oneact.server import Settings, create_app, pairing
from oneact.testing import InProcessApprover, new_key
from tests.ports import free_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

DOCUMENT: dict[str, Any] = {
    "action": "book_flight",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to"],
        "properties": {"from": {"type": "string"}, "to": {"type": "string"}},
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"from": "body", "to": "body"},
    "intent": "Book a flight",
    "summary": "Fly {/parameters/from} to {/parameters/to}",
    "display": [{"pointer": "/terms/price", "label": "Price", "format": "money"}],
    "terms": {
        "type": "object",
        "additionalProperties": False,
        "properties": {
            "price": {
                "type": "object",
                "additionalProperties": False,
                "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            }
        },
    },
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}
WITHOUT_TERMS = {**DOCUMENT, "action": "ping", "path": "/ping", "display": [], "terms": None}
ITINERARIES = {"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"}
BOOKINGS = {"read": "bookings", "intent": "See your bookings", "path": "/bookings/{reference}"}
TERMS = {"price": {"amount": "312.00", "currency": "USD"}}


@contextlib.contextmanager
def serving(app: Any, port: int) -> Iterator[uvicorn.Server]:
    """Run an ASGI application on loopback in a thread, for as long as the block runs."""
    config = uvicorn.Config(
        app, host="127.0.0.1", port=port, log_level="warning", lifespan="on", proxy_headers=False,
        timeout_graceful_shutdown=1,  # a page that waits for news does not hold up the test's end
    )  # fmt: skip
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    try:
        while not server.started:
            assert thread.is_alive(), "the server did not start"
            thread.join(0.01)
        yield server
    finally:
        server.should_exit = True
        thread.join(10)


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, now: int = 1_800_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass
class RunningServer:
    """An approval server on a port of its own, with a clock that the test moves."""

    url: str
    app: Starlette
    clock: Clock
    database: Path

    def call(self, use_case: Callable[..., Awaitable[Any]], *arguments: Any) -> Any:
        """Run a use case inside the server's own loop, with its world."""
        world = self.app.state.world
        loop = self.app.state.loop
        return asyncio.run_coroutine_threadsafe(use_case(world, *arguments), loop).result(10)  # type: ignore[arg-type]

    def execute(self, statement: str, *parameters: Any) -> list[Any]:
        """Look into the database, or change it behind the server's back."""
        with contextlib.closing(sqlite3.connect(self.database, timeout=10)) as connection, connection:
            return connection.execute(statement, parameters).fetchall()


@contextlib.contextmanager
def running_server(folder: Path, clock: Any = None, **changes: Any) -> Iterator[RunningServer]:
    port, clock = free_port(), clock or Clock()
    url = f"http://localhost:{port}"
    settings = Settings(public_url=url, database=folder / "server.db", key_file=folder / "server.jwk", **changes)
    app = create_app(settings, clock=clock)
    inner = app.router.lifespan_context

    @contextlib.asynccontextmanager
    async def with_loop(running: Any) -> Any:
        running.state.loop = asyncio.get_running_loop()
        async with inner(running):
            yield

    app.router.lifespan_context = with_loop
    with serving(app, port):
        yield RunningServer(url, app, clock, settings.database)


@dataclass
class Service:
    """A service that publishes itself, makes offers and signs receipts, and counts what is fetched of it."""

    url: str
    key: Any = field(default_factory=new_key)
    older: list[Any] = field(default_factory=list)
    documents: list[dict[str, Any]] = field(default_factory=lambda: [DOCUMENT, WITHOUT_TERMS])
    fetched: list[str] = field(default_factory=list)
    reads: list[dict[str, Any]] = field(default_factory=lambda: [ITINERARIES, BOOKINGS])

    def app(self) -> Starlette:
        async def publish(request: Any) -> JSONResponse:
            self.fetched.append(request.url.path)
            found = self.published().get(request.url.path)
            return JSONResponse(found, 200 if found is not None else 404)

        return Starlette(routes=[Route("/{path:path}", publish)])

    def published(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "/.well-known/oauth-protected-resource": {
                "resource": self.url,
                "resource_name": "Example Air",
                "txn_challenge_jwks_uri": self.url + "/oneact/jwks.json",
                "authorization_details_types_metadata_endpoint": self.url + "/oneact/actions",
                "oneact_link_uri": self.url + "/oneact/link",
                "oneact_act_uri": self.url + "/oneact/act",
                "oneact_versions_supported": ["1"],
            },
            "/oneact/jwks.json": {"keys": [key.public.public_jwk() for key in (self.key, *self.older)]},
            "/oneact/client.json": {
                "client_id": self.client_id,
                "client_name": "Example Air",
                "redirect_uris": [self.redirect_uri],
                "jwks_uri": self.url + "/oneact/jwks.json",
                "token_endpoint_auth_method": "private_key_jwt",
                "oneact_resource": self.url,
                "oneact_roster_uri": self.url + "/oneact/roster",
            },
        }
        found["/oneact/actions"] = {"actions": self.documents, "reads": self.reads}
        for document in self.documents:
            found["/oneact/actions/" + action.parse(document).digest] = document
        return found

    def rotate(self) -> None:
        """Sign with a new key from now on, and publish the old one still."""
        self.older.insert(0, self.key)
        self.key = new_key()

    @property
    def client_id(self) -> str:
        return self.url + "/oneact/client.json"

    @property
    def redirect_uri(self) -> str:
        return self.url + "/oneact/link/callback"

    def act(self, document: dict[str, Any] = DOCUMENT, **parameters: Any) -> Act:
        described = action.parse(document)
        given = {"from": "SFO", "to": "NYC", **parameters}
        return act.build(self.url, described.name, described.digest, {**given}, TERMS if described.terms else None)

    def offer(self, issuer: str, now: int, offered: Act | None = None, **changes: Any) -> str:
        claims = {
            "iss": self.url, "aud": issuer, "iat": now, "exp": now + 600, "jti": secrets.token_urlsafe(8),
            "txn": secrets.token_urlsafe(57), "act": offered or self.act(), "reason": "Book a flight", **changes,
        }  # fmt: skip
        return offer.sign(offer.Offer(**claims), self.key)

    def receipt(self, issuer: str, token_claims: dict[str, Any], act_digest: str, now: int, **changes: Any) -> str:
        claims = {
            "iss": self.url, "aud": issuer, "sub": token_claims["sub"], "txn": token_claims["txn"],
            "jti": token_claims["jti"], "act_digest": act_digest, "iat": now, "status": "executed", **changes,
        }  # fmt: skip
        return receipt.sign(Receipt(**claims), self.key)


@dataclass
class Agent:
    """An agent that speaks to the server over HTTP, by hand."""

    server: RunningServer
    key: Any = field(default_factory=new_key)
    client_id: str = ""
    hint: str = ""
    nonce: str = ""

    def register(self, **changes: Any) -> httpx.Response:
        """Register with a proof by the key; once more where the server hands out its first nonce."""
        url = self.server.url + "/oauth/register"
        body = {"client_name": "Trip planner", "jwks": {"keys": [self.key.public.public_jwk()]}, **changes}
        for _ in range(2):
            answer = httpx.post(url, json=body, headers={"DPoP": self.proof(url)})
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if answer.json().get("error") != "use_dpop_nonce":
                break
        if answer.status_code == 201:
            self.client_id = answer.json()["client_id"]
        return answer

    def assertion(self, **changes: Any) -> str:
        return client_assertion.build(
            changes.get("key", self.key),
            changes.get("client_id", self.client_id),
            changes.get("aud", self.server.url),
            changes.get("now", self.server.clock()),
            changes.get("jti", secrets.token_urlsafe(8)),
        )

    def proof(self, url: str, **changes: Any) -> str:
        return dpop.build(
            changes.get("key", self.key),
            "POST",
            url,
            self.server.clock(),
            changes.get("jti", secrets.token_urlsafe(8)),
            nonce=changes.get("nonce", self.nonce),
        )

    def post(self, path: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        """Post a form with assertion and proof; once more where the server hands out its first nonce."""
        url = self.server.url + path
        for _ in range(2):
            form = {
                "client_assertion_type": client_assertion.ASSERTION_TYPE,
                "client_assertion": self.assertion(),
                **fields,
            }
            answer = httpx.post(url, data=form, headers={"DPoP": self.proof(url), **(headers or {})}, timeout=20)
            self.nonce = answer.headers.get("DPoP-Nonce", self.nonce)
            if answer.status_code != 401 or answer.json().get("error") != "use_dpop_nonce":
                return answer
        return answer

    def ask(self, offer_text: str, headers: dict[str, str] | None = None, **fields: str) -> httpx.Response:
        form = {"transaction_challenge": offer_text, "login_hint": self.hint, **fields}
        return self.post("/oauth/transaction", headers, **form)

    def poll(self, identifier: str, headers: dict[str, str] | None = None) -> httpx.Response:
        return self.post("/oauth/transaction", headers, transaction_authorization_id=identifier)


@dataclass
class Person:
    """A person who decides behind the pages' back, by rows that a passkey has really signed."""

    server: RunningServer
    account: str = "person-1"
    approver: InProcessApprover = field(init=False)

    def __post_init__(self) -> None:
        self.approver = InProcessApprover(self.server.url, sub="sub-" + self.account)
        now = self.server.clock()
        self.server.execute("INSERT INTO accounts (id, name, created_at) VALUES (?, ?, ?)", self.account, "Ada", now)
        self._keep_passkey()

    def _keep_passkey(self) -> None:
        """Put the passkey that the approver has now among those of the account."""
        key, now = self.approver.passkey.credential, self.server.clock()
        self.server.execute(
            "INSERT OR IGNORE INTO passkeys (id, account_id, public_key, alg, name, sign_count, created_at) "
            "VALUES (?, ?, ?, ?, 'First', 0, ?)",
            key.id, self.account, key.public_key, key.alg, now,
        )  # fmt: skip

    def link(self, service: Service, state: str = "linked") -> str:
        self._keep_passkey()
        signed, identifier = self.approver.signed_roster(service.url), f"link-{self.account}"
        now = self.server.clock()
        self.server.execute(
            "INSERT OR IGNORE INTO services VALUES (?, ?, ?, ?, ?)",
            service.url,
            service.client_id,
            "Example Air",
            "{}",
            now,
        )
        self.server.execute(
            "INSERT INTO links VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            identifier, self.account, service.url, self.approver.sub, "ada@example", state,
            json.dumps(signed.roster.members()), json.dumps(signed.webauthn.members()), 1, now, now,
        )  # fmt: skip
        return identifier

    def pair(self, agent: Agent) -> None:
        started = agent.post("/oauth/device").json()
        row = self.server.call(pairing.by_user_code, self.account, started["user_code"])
        self.server.call(pairing.confirm, self.account, row["id"], "Planner")
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
        agent.hint = agent.post("/oauth/token", **form).json()["login_hint"]

    def approve(self, identifier: str) -> None:
        [row] = self.server.execute(
            "SELECT act, action, txn, client_id, jkt, sub, resource FROM requests WHERE id = ?", identifier
        )
        approved = act.parse_details([json.loads(row[0])], Reason.ACT_MALFORMED)
        described, now = action.parse(json.loads(row[1])), self.server.clock()
        lines = display.render(described, approved.parameters or {}, approved.terms)
        item = approval.item_hash(row[6], row[5], row[2], approved.digest, display.digest(lines))
        statement = approval.Statement(self.server.url, row[3], row[4], now, now + 60, "n" * 21 + "A", (item,))
        webauthn = self.approver.passkey.get(approval.challenge(approval.APPROVAL, statement.members()))
        written = canonical.encode(approvals_members([Approval(statement, webauthn)])).decode()
        self.server.execute(
            "UPDATE requests SET state = 'approved', approvals = ?, approved_until = ?, auth_time = ? WHERE id = ?",
            written, now + 60, now, identifier,
        )  # fmt: skip
        self.server.app.state.loop.call_soon_threadsafe(self.server.app.state.world.waiting.wake, identifier)
