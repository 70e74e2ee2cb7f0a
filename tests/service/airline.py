"""An airline that uses the guard, in both of its faces, over a database of its own that counts what was booked."""

import asyncio
import os
import signal
import sqlite3
import sys
from collections.abc import Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any

import uvicorn
from fastapi import Depends, FastAPI, HTTPException
from fastapi import Path as InPath
from pydantic import BaseModel, Field
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import LINKED, Act, Guard, LocalAccount
from oneact.service.fastapi import Guard as FastApiGuard

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
        self.release = asyncio.Event()
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
        self.guard: Guard = FastApiGuard(**settings) if kind == "fastapi" else Guard(**settings)
        make: Callable[[int], Any] = self._fastapi if kind == "fastapi" else self._asgi
        self.app = make(deadline)

    async def book(self, act: Act, note: str) -> None:
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
            await self.release.wait()

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
            await self.book(act, flight.note)
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

        async def quote(parameters: dict[str, Any]) -> dict[str, Any]:
            amount = Decimal(self.price) + parameters["bags"]
            return {"price": {"amount": str(amount), "currency": "USD"}}

        @guard.asgi(
            "book_flight", intent="Book a flight", summary="Fly {from} to {to} on {date}", schema=SCHEMA,
            terms=quote, terms_schema=TERMS, deadline=deadline, path="/bookings",
        )  # fmt: skip
        async def book(parameters: dict[str, Any], act: Act) -> Any:
            await self.book(act, parameters["note"])
            return 201, {}, {"reference": parameters["from"] + "-web", "txn": act.txn, "bags": parameters["bags"]}

        @guard.asgi(
            "cancel_flight", intent="Cancel a flight", summary="Cancel {reference}", reversible=True,
            schema={
                "type": "object", "required": ["reference"],
                "properties": {"reference": {"type": "string"}, "refund": {"type": "boolean", "default": False}},
            },
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


def main() -> None:
    kind, issuer, folder, port, listen, deadline = sys.argv[1:]
    airline = Airline(kind, int(port), issuer, Path(folder), int(deadline))
    uvicorn.run(airline.app, host="127.0.0.1", port=int(listen), log_level="critical", ws="none")


if __name__ == "__main__":
    main()
