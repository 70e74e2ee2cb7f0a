"""A service whose programs have no key: they call over HTTP, and what they call waits for its person."""

from __future__ import annotations

import asyncio
import contextlib
import sqlite3
import threading
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
from fastapi import FastAPI, Request, Response
from tests.embedded.notes import current_user, enrol, sign_in
from tests.forms.air import Clock
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor

from oneact.embedded import Embedded
from oneact.errors import Refusal
from oneact.service.asgi import Guard
from oneact.service.behalf.calls import Calls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from oneact.service import Act
    from oneact.service.behalf.standing import Standing

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"path": {"type": "string"}, "much": {"type": "integer", "default": 1}},
    "required": ["path"],
}


@dataclass
class Desk:
    """The service, where it stands and what it wrote; `release` lets a write that has begun go on."""

    folder: Path
    port: int = field(default_factory=free_port)
    clock: Clock = field(default_factory=Clock)
    written: list[dict[str, Any]] = field(default_factory=list)
    release: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.release.set()
        self.resource = f"http://localhost:{self.port}"
        self.embedded = Embedded(self.folder / "approve")
        self.guard = Guard(
            resource=self.resource, name="Files", key=self.folder / "files.jwk", store=self.folder / "files.db",
            account=lambda request: current_user(Request(dict(request.scope))), issuers=self.embedded, now=self.clock,
        )  # fmt: skip
        for name in ("write", "lost"):
            declare = self.guard.asgi(
                name, intent="Write a file", summary="Write {path}", schema=SCHEMA, method="POST", path=f"/{name}"
            )
            declare(self._write)
        self.lost = self.guard.actions["lost"]
        self.calls = Calls(self.guard)
        self.app = FastAPI(lifespan=self._lifespan)
        self.app.post("/call")(self._call)
        self.app.post("/wait")(self._wait)
        self.app.post("/tell")(self._tell)
        self.app.mount("/", self.guard.app)

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        with serving(self.app, self.port):
            yield

    @contextlib.asynccontextmanager
    async def _lifespan(self, _: object) -> AsyncIterator[None]:
        async with self.guard.lifespan():
            yield
            await self.calls.close()

    async def _write(self, parameters: dict[str, Any], act: Act) -> Any:
        assert act.account == "ada"
        await asyncio.to_thread(self.release.wait, 10)
        self.written.append(parameters)
        if parameters["path"] == "/forbidden":
            return 422, {}, {"said": "not there"}
        return {"written": parameters["path"], "filler": " " * parameters["much"]}

    async def _call(self, body: dict[str, Any], response: Response) -> Any:
        guarded = self.lost if body.get("lost") else self.guard.actions["write"]
        begun = self.calls.begin(guarded, body["parameters"], body.get("account", "ada"), body.get("session", "one"))
        return await _told(begun, response)

    async def _wait(self, body: dict[str, Any], response: Response) -> Any:
        return await _told(self.calls.wait(body["id"], body.get("session", "one"), body["seconds"]), response)

    async def _tell(self, body: dict[str, Any]) -> None:
        what = getattr(self.calls, body["what"])
        await what(*([body["id"]] if "id" in body else []), body.get("session", "one"))


async def _told(standing: Any, response: Response) -> Any:
    try:
        found: Standing = await standing
    except Refusal as refusal:
        response.status_code = refusal.reason.status
        return {"reason": refusal.reason.value}
    body = None if found.answer is None else found.answer.body.decode()
    return {**asdict(found), "answer": body}


@dataclass
class Program:
    """A program without a key, of one session."""

    desk: Desk
    session: str = "one"

    def post(self, path: str, **body: Any) -> dict[str, Any]:
        address = self.desk.resource + path
        return dict(httpx.post(address, json={"session": self.session, **body}, timeout=30).json() or {})

    def call(self, path: str = "/a", **more: Any) -> dict[str, Any]:
        return self.post("/call", parameters={"path": path, **more.pop("parameters", {})}, **more)

    def call_lost(self) -> dict[str, Any]:
        """Call what the service publishes no more, so that no approval server takes it."""
        self.desk.guard.actions.pop("lost", None)
        with contextlib.closing(sqlite3.connect(self.desk.folder / "files.db")) as connection, connection:
            connection.execute("DELETE FROM actions WHERE digest = ?", (self.desk.lost.action.digest,))
        return self.call("/lost", lost=True)

    def wait(self, standing: dict[str, Any], seconds: float = 15) -> dict[str, Any]:
        return self.post("/wait", id=standing["id"], seconds=seconds)

    def tell(self, what: str, standing: dict[str, Any] | None = None) -> None:
        self.post("/tell", what=what, **({} if standing is None else {"id": standing["id"]}))


def person(desk: Desk) -> Visitor:
    """The person behind the account ada, with a passkey."""
    server: Any = RunningServer(desk.embedded.issuer, None, desk.clock, desk.folder / "approve" / "approve.db")  # type: ignore[arg-type]  # another app
    found = Visitor(server)
    sign_in(found, "ada")
    enrol(found)
    return found


def request_of(standing: dict[str, Any]) -> str:
    """Give the identifier of the request that a standing leads its person to."""
    return str(standing["page"].rpartition("/requests/")[2])
