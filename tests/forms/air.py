"""An airline with an ordinary web site, its approval server embedded, and a browser without script."""

from __future__ import annotations

import contextlib
import re
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any
from urllib.parse import unquote

import flask
import httpx
from fastapi import Cookie, Depends, FastAPI, Form, HTTPException, Request
from fastapi.responses import HTMLResponse, RedirectResponse
from pydantic import BaseModel, Field
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oneact.embedded import Embedded
from oneact.service import Asker
from oneact.service import flask as typed
from oneact.service.fastapi import Act, Guard
from oneact.service.flask import Guard as FlaskGuard
from tests.embedded.notes import ACCOUNT, SIGNED_IN, current_user, enrol, sign_in
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor
from tests.service.django_site import Guard as DjangoGuard
from tests.service.serving import by_waitress

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FLIGHT = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
TOKEN = "aTokenOfTheHostsOwn0123456789abc"  # 32 characters, as Django has them


class Clock:
    """The time, moved on by a test."""

    ahead = 0

    def __call__(self) -> int:
        return int(time.time()) + self.ahead


class Flight(BaseModel):
    from_: str = Field(alias="from", pattern="^[A-Z]{3}$")
    to: str = Field(pattern="^[A-Z]{3}$")
    date: str
    bags: int = 0


class Terms(BaseModel):
    price: str


SAID: dict[str, Any] = {"intent": "Book a flight", "summary": "Fly {from} to {to} on {date}"}
WISH: dict[str, Any] = {"intent": "Make a wish", "summary": "Wish for {name}"}


@dataclass
class Air:
    """The airline: where it stands, what was booked; `forgeries` is the host's own protection."""

    folder: Path
    kind: str = "fastapi"
    issuers: Any = None
    forgeries: bool = True
    port: int = field(default_factory=free_port)
    clock: Clock = field(default_factory=Clock)
    booked: list[tuple[str | None, dict[str, Any]]] = field(default_factory=list)
    price: str = "312.00 USD"
    path: str = ""
    patterns: list[Any] = field(default_factory=list)
    going: threading.Event = field(default_factory=threading.Event)
    release: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self.resource = f"http://localhost:{self.port}{self.path}"
        self.url = self.resource + "/approve"
        self.release.set()
        embedded = Embedded(self.folder / "approve") if self.issuers is None else None
        settings: dict[str, Any] = {
            "resource": self.resource,
            "name": "Example Air",
            "key": self.folder / "air.jwk",
            "store": self.folder / "air.db",
            "account": current_user if self.kind != "django" else self._django_site().account,
            "issuers": embedded or self.issuers,
            "login_uri": "/login?next={next}",
            "now": self.clock,
        }
        kinds = {
            "fastapi": (Guard, self._fastapi),
            "flask": (FlaskGuard, self._flask),
            "django": (DjangoGuard, lambda: self._django_site().site(self)),
        }
        face, made = kinds[self.kind]
        self.guard: Any = face(**settings)
        self.app: Any = made()
        if self.path:
            self.app = self._mounted()

    @property
    def database(self) -> Path:
        return self.folder / "approve" / "approve.db"

    @contextlib.contextmanager
    def running(self) -> Iterator[None]:
        """Serve it, by uvicorn or waitress."""
        with (serving if self.kind == "fastapi" else by_waitress)(self.app, self.port):
            try:
                yield
            finally:
                if self.kind != "fastapi":
                    self.guard.stop_sync()

    def quote(self, flight: Flight) -> Terms:
        assert flight.from_
        return Terms(price=self.price)

    def own_price(self, asker: Asker) -> Terms:
        return Terms(price=f"{asker.account}'s own price")

    def is_forged(self, cookie: str | None, field: str) -> bool:
        """Tell what the host's own protection says."""
        return self.forgeries and (cookie is None or cookie != field)

    def book(self, flight: Flight, act: Act | None) -> None:
        self.booked.append((act and act.account, flight.model_dump(by_alias=True)))

    def wish(self, name: str, much: int, act: Act | None, at: str) -> str:
        if name == "trouble":
            raise RuntimeError("a fault of the handler")
        self.going.set()
        assert self.release.wait(10)
        self.booked.append((act and act.account, {"name": name, "much": much}))
        return f"<p>{at}: {name}, {much}" + " " * much

    def _fastapi(self) -> FastAPI:
        app, guard = FastAPI(), self.guard
        app.include_router(guard.router)

        def unforged(forgery: Annotated[str | None, Cookie()] = None, csrf_token: Annotated[str, Form()] = "") -> None:
            if self.is_forged(forgery, csrf_token):
                raise HTTPException(403, "forged")

        @app.post("/book", dependencies=[Depends(unforged)])
        @guard.form("book_flight", unlinked="refuse", beside={"csrf_token"}, terms=self.quote, **SAID)
        async def book(flight: Annotated[Flight, Form()], act: Act) -> RedirectResponse:
            self.book(flight, act)
            answer = RedirectResponse("/booked/1", 303)
            answer.set_cookie("seen", "yes")
            return answer

        @app.post("/wish/{name}")
        @guard.form("make_wish", unlinked="pass", reads={"request"}, **WISH)
        def wish(name: str, much: Annotated[int, Form()], request: Request, act: Act | None) -> HTMLResponse:
            at = f"{request.method} {request.url.path}"
            return HTMLResponse(self.wish(name, much, act, at), 201, {"X-Own": "1"})

        @app.post("/upgrade")
        @guard.form("upgrade", unlinked="refuse", terms=self.own_price, intent="Upgrade", summary="To {cabin}")
        async def upgrade(cabin: Annotated[str, Form()], act: Act) -> dict[str, str]:
            self.booked.append((act.account, {"cabin": cabin}))
            return {"cabin": cabin}

        @app.post("/cancel/{reference}")
        async def cancel(reference: str) -> None:
            assert reference

        return app

    def _mounted(self) -> Any:
        """Give an application that has the airline under its path."""
        if self.kind != "fastapi":
            mount = unquote(self.path).encode().decode("latin-1")  # as WSGI has it
            return DispatcherMiddleware(flask.Flask("outer"), {mount: self.app})
        outer = FastAPI(lifespan=self.guard.lifespan)
        outer.mount(unquote(self.path), self.app)
        return outer

    def _django_site(self) -> Any:
        from tests.forms import django_air  # noqa: PLC0415 - it is made of what stands here

        return django_air

    def _flask(self) -> flask.Flask:
        app, guard = flask.Flask("air"), self.guard
        app.register_blueprint(guard.blueprint)

        @app.before_request
        def unforged() -> Any:
            found = flask.request
            if found.path == "/book" and self.is_forged(found.cookies.get("forgery"), found.form.get("csrf_token", "")):
                return flask.jsonify(detail="forged"), 403
            return None

        @app.post("/book")
        @guard.form("book_flight", unlinked="refuse", beside={"csrf_token"}, terms=self.quote, **SAID)
        def book(flight: Annotated[Flight, typed.Form()], act: Act) -> Any:
            self.book(flight, act)
            answer = flask.redirect("/booked/1", 303)
            answer.set_cookie("seen", "yes")
            return answer

        @app.post("/wish/<name>")
        @guard.form("make_wish", unlinked="pass", **WISH)
        def wish(name: str, much: Annotated[int, typed.Form()], act: Act | None) -> Any:
            at = f"{flask.request.method} {flask.request.path}"
            return self.wish(name, much, act, at), 201, {"X-Own": "1"}

        @app.post("/upgrade")
        @guard.form("upgrade", unlinked="refuse", terms=self.own_price, intent="Upgrade", summary="To {cabin}")
        def upgrade(cabin: Annotated[str, typed.Form()], act: Act) -> Any:
            self.booked.append((act.account, {"cabin": cabin}))
            return {"cabin": cabin}

        @app.post("/cancel/<reference>")
        def cancel(reference: str) -> Any:
            return reference

        guard.bind(app)
        return app


@dataclass
class Browser:
    """A browser without script, signed in at the airline."""

    air: Air
    account: str = "ada"
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.http = httpx.Client(
            base_url=self.air.resource, timeout=20, limits=httpx.Limits(max_keepalive_connections=0)
        )
        self.sign_in(self.account)
        for name in ("forgery", "csrftoken"):
            self.http.cookies.set(name, TOKEN, domain="localhost.local")

    def sign_in(self, account: str) -> None:
        self.http.cookies.set(ACCOUNT, account, domain="localhost.local")
        self.http.cookies.set(SIGNED_IN, str(int(time.time())), domain="localhost.local")

    def submit(self, path: str = "/book", headers: dict[str, str] | None = None, **changes: str) -> httpx.Response:
        fields = {**FLIGHT, "csrf_token": TOKEN} if path == "/book" else {}
        sent = (
            {"Sec-Fetch-Site": "same-origin", "Origin": self.air.resource.removesuffix(self.air.path)}
            if headers is None
            else headers
        )
        named = {"csrf_token": "csrfmiddlewaretoken"} if self.air.kind == "django" else {}
        data = {named.get(name, name): value for name, value in {**fields, **changes}.items()}
        return self.http.post(path, data=data, headers=sent)

    def held(self, **changes: str) -> str:
        """Submit a form and give the address of the page on which it waits."""
        answer = self.submit(**changes)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def onward(self, address: str) -> httpx.Response:
        """Look at a waiting page and go on as its header says; give the answer to that, redirected or not."""
        page = self.http.get(address)
        assert page.status_code == 202, page.text
        return self.http.get(page.headers["refresh"].partition("url=")[2])

    def close(self) -> None:
        self.http.close()


def person(air: Air, account: str = "ada") -> Visitor:
    """A person with a passkey for an account of the airline."""
    found = Visitor(RunningServer(air.url, None, air.clock, air.database))  # type: ignore[arg-type]  # another app
    sign_in(found, account)
    enrol(found)
    return found


def request_in(page: str) -> str:
    """Give the identifier of the request that a waiting page leads to."""
    [found] = re.findall(r'href="[^"]+/requests/([^"/]+)"', page)
    return str(found)


def reason(answer: httpx.Response) -> str:
    """Give the reason on a page of refusal."""
    [found] = re.findall(r'data-reason="([a-z_]+)"', answer.text)
    return str(found)
