"""An airline that uses the guard, in each of its faces, over a database of its own that counts what was booked."""

import asyncio
import os
import signal
import sqlite3
import sys
import threading
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import flask
import uvicorn
import waitress
from fastapi import Depends, FastAPI, HTTPException
from fastapi import Path as InPath
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import LINKED, Act, Guard, LocalAccount, wsgi
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.flask import Guard as FlaskGuard

ASGI = ("fastapi", "asgi")
WSGI = ("flask", "wsgi")
FACES = (*ASGI, *WSGI)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["from", "to", "date"],
    "properties": {
        "from": {"type": "string", "title": "From"},
        "to": {"type": "string", "title": "To"},
        "date": {"type": "string", "format": "date"},
        "bags": {"type": "integer", "minimum": 0, "maximum": 5, "default": 0},
        "note": {"type": "string", "default": ""},
    },
}
CANCEL: dict[str, Any] = {
    "type": "object",
    "required": ["reference"],
    "properties": {"reference": {"type": "string"}, "refund": {"type": "boolean", "default": False}},
}
TERMS: dict[str, Any] = {
    "type": "object",
    "required": ["price"],
    "properties": {
        "price": {
            "type": "object",
            "required": ["amount", "currency"],
            "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
        }
    },
}


class Money(BaseModel):
    amount: Decimal
    currency: str = "USD"


class Quote(BaseModel):
    price: Money


class Flight(BaseModel):
    from_: str = Field(alias="from")
    to: str
    date: date
    bags: int = Field(0, ge=0, le=5)
    note: str = ""


class Booking(BaseModel):
    reference: str
    txn: str
    bags: int


class Books:
    """What the airline itself knows: each booking a row, with no key that would hide a second one."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "books.db"
        with self.open() as books:
            books.execute("CREATE TABLE IF NOT EXISTS bookings (txn TEXT, account TEXT, note TEXT)")

    def open(self) -> sqlite3.Connection:
        return sqlite3.connect(self.file, timeout=20, isolation_level=None)

    def add(self, act: Act, note: str) -> None:
        books = self.open()
        books.execute("INSERT INTO bookings VALUES (?, ?, ?)", (act.txn, act.account, note))
        books.close()

    def all(self) -> list[tuple[str, str, str]]:
        books = self.open()
        rows = books.execute("SELECT txn, account, note FROM bookings").fetchall()
        books.close()
        return rows


class Airline:
    """One service: its settings, its price, what its handlers do with the note."""

    def __init__(self, kind: str, port: int, issuer: str, folder: Path, deadline: int = 30, **more: Any) -> None:
        self.resource = f"http://localhost:{port}"
        self.books = Books(folder)
        self.price = "312.00"
        self.account: LocalAccount | str | None = None
        self.notices: list[tuple[str, str]] = []
        self.release = threading.Event()
        self.kind = kind
        settings: dict[str, Any] = {
            "resource": self.resource,
            "name": "Example Air",
            "key": folder / "air.jwk",
            "store": folder / "air.db",
            "account": lambda _: self.account,
            "issuers": LINKED if issuer == "linked" else [issuer],
            "notify": lambda account, event: self.notices.append((account, event)),
            **more,
        }
        guards = {"fastapi": FastApiGuard, "asgi": Guard, "flask": FlaskGuard, "wsgi": wsgi.Guard}
        self.guard: Guard | wsgi.Guard = guards[kind](**settings)
        makes = {"fastapi": self._fastapi, "asgi": self._asgi, "flask": self._flask, "wsgi": self._wsgi}
        self.app: Any = makes[kind](deadline)

    @property
    def is_wsgi(self) -> bool:
        """Tell whether a handler has the thread of its request, which is all in which the faces differ.

        So it needs none of the guard's threads, and one that passes its deadline keeps its caller waiting: the outcome
        is `unknown` at the deadline in every face, but here the answer that says so comes when the handler has done.
        """
        return self.kind in WSGI

    def book(self, act: Act, note: str) -> None:
        """Do what the note says around one booking."""
        if note == "kill before":
            os.kill(os.getpid(), signal.SIGKILL)
        if note == "refuse":
            raise HTTPException(409, "sold out")
        self.books.add(act, note)
        if note == "kill after":
            os.kill(os.getpid(), signal.SIGKILL)
        if note == "raise":
            raise RuntimeError("the handler broke")
        if note == "slow":
            self.release.wait(20)

    def _fastapi(self, deadline: int) -> FastAPI:
        guard = self.guard
        assert isinstance(guard, FastApiGuard)
        app = FastAPI()
        app.include_router(guard.router)

        def quote(flight: Flight) -> Quote:
            if flight.to == "NOWHERE":
                raise HTTPException(404, "no such place")
            return Quote(price=Money(amount=Decimal(self.price) + flight.bags))

        async def desk() -> str:
            return "web"

        @app.post("/bookings", status_code=201)
        @guard.action(
            "book_flight",
            intent="Book a flight",
            summary="Fly {from} to {to} on {date}",
            terms=quote,
            deadline=deadline,
        )
        async def book(flight: Flight, act: Act, by: Annotated[str, Depends(desk)]) -> Booking:
            await asyncio.to_thread(self.book, act, flight.note)
            return Booking(reference=f"{flight.from_}-{by}", txn=act.txn, bags=flight.bags)

        @app.delete("/bookings/{reference}")
        @guard.action("cancel_flight", intent="Cancel a flight", summary="Cancel {reference}", reversible=True)
        def cancel(
            reference: Annotated[str, InPath(min_length=2)],
            act: Act,
            refund: bool = False,  # noqa: FBT001, FBT002 - as owners write it
        ) -> dict[str, Any]:
            self.books.add(act, f"cancel {reference} {refund}")
            return {"cancelled": reference, "refund": refund}

        return app

    def _asgi(self, deadline: int) -> Any:
        guard = self.guard
        assert isinstance(guard, Guard)

        async def quote(parameters: dict[str, Any]) -> dict[str, Any]:
            amount = Decimal(self.price) + parameters["bags"]
            return {"price": {"amount": str(amount), "currency": "USD"}}

        @guard.asgi(
            "book_flight", intent="Book a flight", summary="Fly {from} to {to} on {date}", schema=SCHEMA,
            terms=quote, terms_schema=TERMS, deadline=deadline, path="/bookings",
        )  # fmt: skip
        async def book(parameters: dict[str, Any], act: Act) -> Any:
            await asyncio.to_thread(self.book, act, parameters["note"])
            return 201, {}, {"reference": parameters["from"] + "-web", "txn": act.txn, "bags": parameters["bags"]}

        @guard.asgi(
            "cancel_flight", intent="Cancel a flight", summary="Cancel {reference}", reversible=True,
            schema=CANCEL,
            sources={"reference": "path", "refund": "query"}, method="DELETE", path="/bookings/{reference}",
        )  # fmt: skip
        def cancel(parameters: dict[str, Any], act: Act) -> dict[str, Any]:
            self.books.add(act, f"cancel {parameters['reference']} {parameters['refund']}")
            return {"cancelled": parameters["reference"], "refund": parameters["refund"]}

        routes = [
            Route("/bookings", book),
            Route("/bookings/{reference}", cancel),
            Mount("/", guard.app),
        ]
        return Starlette(routes=routes, lifespan=guard.lifespan)

    def _flask(self, deadline: int) -> flask.Flask:
        guard = self.guard
        assert isinstance(guard, FlaskGuard)
        app = flask.Flask(__name__)
        app.register_blueprint(guard.blueprint)

        def quote(flight: Flight) -> Quote:
            if flight.to == "NOWHERE":
                flask.abort(404, "no such place")
            return Quote(price=Money(amount=Decimal(self.price) + flight.bags))

        @app.post("/bookings")
        @guard.action(
            "book_flight",
            intent="Book a flight",
            summary="Fly {from} to {to} on {date}",
            terms=quote,
            deadline=deadline,
        )
        def book(flight: Flight, act: Act) -> tuple[Booking, int]:
            if flight.note == "refuse":
                flask.abort(409, "sold out")
            self.book(act, flight.note)
            return Booking(reference=f"{flight.from_}-web", txn=act.txn, bags=flight.bags), 201

        @app.delete("/bookings/<reference>")
        @guard.action("cancel_flight", intent="Cancel a flight", summary="Cancel {reference}", reversible=True)
        def cancel(
            reference: Annotated[str, Field(min_length=2)],
            act: Act,
            refund: bool = False,  # noqa: FBT001, FBT002 - as owners write it
        ) -> dict[str, Any]:
            self.books.add(act, f"cancel {reference} {refund}")
            return {"cancelled": reference, "refund": refund}

        return app

    def _wsgi(self, deadline: int) -> Any:
        guard = self.guard
        assert isinstance(guard, wsgi.Guard)

        def quote(parameters: dict[str, Any]) -> dict[str, Any]:
            amount = Decimal(self.price) + parameters["bags"]
            return {"price": {"amount": str(amount), "currency": "USD"}}

        @guard.wsgi(
            "book_flight", intent="Book a flight", summary="Fly {from} to {to} on {date}", schema=SCHEMA,
            terms=quote, terms_schema=TERMS, deadline=deadline, path="/bookings",
        )  # fmt: skip
        def book(parameters: dict[str, Any], act: Act) -> Any:
            self.book(act, parameters["note"])
            return 201, {}, {"reference": parameters["from"] + "-web", "txn": act.txn, "bags": parameters["bags"]}

        @guard.wsgi(
            "cancel_flight", intent="Cancel a flight", summary="Cancel {reference}", reversible=True, schema=CANCEL,
            sources={"reference": "path", "refund": "query"}, method="DELETE", path="/bookings/{reference}",
        )  # fmt: skip
        def cancel(parameters: dict[str, Any], act: Act) -> dict[str, Any]:
            self.books.add(act, f"cancel {parameters['reference']} {parameters['refund']}")
            return {"cancelled": parameters["reference"], "refund": parameters["refund"]}

        def app(environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
            room, _, reference = environ["PATH_INFO"].removeprefix("/").partition("/")
            if room != "bookings":
                return guard.app(environ, start_response)
            if not reference:
                return book(environ, start_response)
            environ["wsgiorg.routing_args"] = ((), {"reference": reference})
            return cancel(environ, start_response)

        return app


def main() -> None:
    kind, issuer, folder, port, listen, deadline = sys.argv[1:]
    airline = Airline(kind, int(port), issuer, Path(folder), int(deadline))
    if airline.is_wsgi:
        waitress.serve(airline.app, host="127.0.0.1", port=int(listen), threads=32)
    else:
        uvicorn.run(airline.app, host="127.0.0.1", port=int(listen), log_level="critical", ws="none")


if __name__ == "__main__":
    main()
