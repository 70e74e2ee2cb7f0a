"""A shop whose prices depend on who asks, in each face of the guard."""

import asyncio
from pathlib import Path
from typing import Any

import flask
from fastapi import FastAPI
from pydantic import BaseModel
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.service import Act, Asker, Guard, LocalAccount, wsgi
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.flask import Guard as FlaskGuard

ITEM: dict[str, Any] = {"type": "object", "required": ["item"], "properties": {"item": {"type": "string"}}}
MONEY: dict[str, Any] = {
    "type": "object", "required": ["price"], "properties": {"price": {
        "type": "object", "required": ["amount", "currency"],
        "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
    }},
}  # fmt: skip


class Item(BaseModel):
    item: str


class Money(BaseModel):
    amount: str
    currency: str


class Quote(BaseModel):
    price: Money


class Shop:
    """Sells for 10, and for less to whoever has a price of their own."""

    def __init__(self, kind: str, port: int, issuers: list[str], folder: Path) -> None:
        self.prices = {"alice": "7"}
        self.askers: list[Asker] = []
        self.sold: list[tuple[str, str]] = []
        self.account: LocalAccount | None = None
        settings: dict[str, Any] = {
            "resource": f"http://localhost:{port}",
            "name": "Example Shop",
            "key": folder / "shop.jwk",
            "store": folder / "air.db",
            "account": lambda _: self.account,
            "issuers": issuers,
        }
        guards = {"fastapi": FastApiGuard, "asgi": Guard, "flask": FlaskGuard, "wsgi": wsgi.Guard}
        self.guard: Guard | wsgi.Guard = guards[kind](**settings)
        self.resource = self.guard.resource
        self.kind, self.is_wsgi, self.release = kind, kind in {"flask", "wsgi"}, asyncio.Event()
        makes = {"fastapi": self._fastapi, "asgi": self._asgi, "flask": self._flask, "wsgi": self._wsgi}
        self.app: Any = makes[kind]()

    def price(self, asker: Asker) -> str:
        self.askers.append(asker)
        return self.prices.get(asker.account, "10")

    def sell(self, act: Act) -> dict[str, str]:
        assert act.terms is not None
        price = act.terms["price"]
        assert isinstance(price, dict)
        self.sold.append((act.account, str(price["amount"])))
        return {"sold": str(price["amount"])}

    def _fastapi(self) -> FastAPI:
        guard = self.guard
        assert isinstance(guard, FastApiGuard)
        app = FastAPI()
        app.include_router(guard.router)

        def quote(item: Item, asker: Asker) -> Quote:  # noqa: ARG001 - every item costs the same
            return Quote(price=Money(amount=self.price(asker), currency="EUR"))

        def holds(item: Item, terms: dict[str, Any], asker: Asker) -> bool:  # noqa: ARG001 - as in `quote`
            return self.prices.get(asker.account, "10") == terms["price"]["amount"]

        @app.post("/orders")
        @guard.action("buy", intent="Buy", summary="Buy {item}", terms=quote, terms_hold=holds)
        def buy(item: Item, act: Act) -> dict[str, str]:  # noqa: ARG001 - as in `quote`
            return self.sell(act)

        @app.post("/wishes")
        @guard.action("wish", intent="Wish", summary="Wish for {item}")
        def wish(item: Item, act: Act) -> dict[str, str]:
            return {"wished": item.item, "by": act.account}

        return app

    def _flask(self) -> flask.Flask:
        guard = self.guard
        assert isinstance(guard, FlaskGuard)
        app = flask.Flask(__name__)
        guard.init_app(app)

        def quote(item: Item, asker: Asker) -> Quote:  # noqa: ARG001 - every item costs the same
            return Quote(price=Money(amount=self.price(asker), currency="EUR"))

        def holds(item: Item, terms: dict[str, Any], asker: Asker) -> bool:  # noqa: ARG001 - as in `quote`
            return self.prices.get(asker.account, "10") == terms["price"]["amount"]

        @app.post("/orders")
        @guard.action("buy", intent="Buy", summary="Buy {item}", terms=quote, terms_hold=holds)
        def buy(item: Item, act: Act) -> dict[str, str]:  # noqa: ARG001 - as in `quote`
            return self.sell(act)

        @app.post("/wishes")
        @guard.action("wish", intent="Wish", summary="Wish for {item}")
        def wish(item: Item, act: Act) -> dict[str, str]:
            return {"wished": item.item, "by": act.account}

        return app

    def _wsgi(self) -> Any:
        guard = self.guard
        assert isinstance(guard, wsgi.Guard)

        def quote(parameters: dict[str, Any], asker: Asker) -> dict[str, Any]:  # noqa: ARG001 - as in Flask
            return {"price": {"amount": self.price(asker), "currency": "EUR"}}

        def holds(parameters: dict[str, Any], terms: dict[str, Any], asker: Asker) -> bool:  # noqa: ARG001 - as above
            return bool(self.prices.get(asker.account, "10") == terms["price"]["amount"])

        @guard.wsgi(
            "buy", intent="Buy", summary="Buy {item}", schema=ITEM, terms=quote, terms_schema=MONEY, terms_hold=holds,
            path="/orders",
        )  # fmt: skip
        def buy(parameters: dict[str, Any], act: Act) -> dict[str, str]:  # noqa: ARG001 - as in `quote`
            return self.sell(act)

        @guard.wsgi("wish", intent="Wish", summary="Wish for {item}", schema=ITEM, path="/wishes")
        def wish(parameters: dict[str, Any], act: Act) -> dict[str, str]:
            return {"wished": parameters["item"], "by": act.account}

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            return {"/orders": buy, "/wishes": wish}.get(environ["PATH_INFO"], guard.app)(environ, start_response)

        return app

    def _asgi(self) -> Starlette:
        guard = self.guard
        assert isinstance(guard, Guard)

        async def quote(parameters: dict[str, Any], asker: Asker) -> dict[str, Any]:  # noqa: ARG001 - as in FastAPI
            return {"price": {"amount": self.price(asker), "currency": "EUR"}}

        def holds(parameters: dict[str, Any], terms: dict[str, Any], asker: Asker) -> bool:  # noqa: ARG001 - as above
            return bool(self.prices.get(asker.account, "10") == terms["price"]["amount"])

        @guard.asgi(
            "buy", intent="Buy", summary="Buy {item}", schema=ITEM, terms=quote, terms_schema=MONEY, terms_hold=holds,
            path="/orders",
        )  # fmt: skip
        def buy(parameters: dict[str, Any], act: Act) -> dict[str, str]:  # noqa: ARG001 - as in `quote`
            return self.sell(act)

        @guard.asgi("wish", intent="Wish", summary="Wish for {item}", schema=ITEM, path="/wishes")
        def wish(parameters: dict[str, Any], act: Act) -> dict[str, str]:
            return {"wished": parameters["item"], "by": act.account}

        routes = [Route("/orders", buy), Route("/wishes", wish), Mount("/", guard.app)]
        return Starlette(routes=routes, lifespan=guard.lifespan)
