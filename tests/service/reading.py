"""A travel site that may be searched, in each face of the guard."""

import asyncio
from pathlib import Path
from typing import Annotated, Any

import flask
from django.http import HttpRequest
from django.urls import path
from fastapi import Depends, FastAPI
from fastapi import Request as FastApiRequest
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from tests.service import django_site
from tests.service.airline import WSGI

from oneact.service import Act, Guard, LocalAccount, Reading, Request, wsgi
from oneact.service.django import Guard as DjangoGuard
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.flask import Guard as FlaskGuard

SCHEMA: dict[str, Any] = {"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}}


class Travel:
    """Finds itineraries, and lists the bookings of an account; `book` is its one act."""

    def __init__(self, kind: str, port: int, issuers: list[str], folder: Path) -> None:
        self.reads: list[Reading] = []
        self.booked: list[str] = []
        self.account: LocalAccount | None = None
        settings: dict[str, Any] = {
            "resource": f"http://localhost:{port}",
            "name": "Example Travel",
            "key": folder / "travel.jwk",
            "store": folder / "air.db",
            "account": lambda _: self.account,
            "issuers": issuers,
        }
        guards = {
            "asgi": Guard, "django": DjangoGuard, "fastapi": FastApiGuard, "flask": FlaskGuard, "wsgi": wsgi.Guard,
        }  # fmt: skip
        self.guard: Guard | wsgi.Guard = guards[kind](**settings)
        self.resource = self.guard.resource
        self.kind, self.is_wsgi, self.release = kind, kind in WSGI, asyncio.Event()
        makes = {
            "asgi": self._asgi, "django": self._django, "fastapi": self._fastapi, "flask": self._flask,
            "wsgi": self._wsgi,
        }  # fmt: skip
        self.app: Any = makes[kind]()

    def _fastapi(self) -> FastAPI:
        guard = self.guard
        assert isinstance(guard, FastApiGuard)
        app = FastAPI()
        app.include_router(guard.router)

        async def currency() -> str:
            return "EUR"

        @app.get("/itineraries")
        @guard.read("itineraries", intent="Search itineraries")
        async def itineraries(to: str, reading: Reading, by: Annotated[str, Depends(currency)]) -> dict[str, Any]:
            self.reads.append(reading)
            return {"to": to, "for": reading.account, "currency": by}

        @app.get("/bookings/{reference:path}")
        @guard.read("bookings", intent="See your bookings")
        def bookings(reference: str, request: FastApiRequest) -> dict[str, Any]:
            return {"reference": reference, "path": request.url.path}

        @app.post("/bookings")
        @guard.action("book", intent="Book", summary="Fly to {to}")
        def book(to: str, act: Act) -> dict[str, Any]:
            self.booked.append(to)
            return {"booked": to, "for": act.account}

        return app

    def _django(self) -> Any:
        guard = self.guard
        assert isinstance(guard, DjangoGuard)

        @guard.read("itineraries", intent="Search itineraries")
        def itineraries(request: HttpRequest, reading: Reading) -> dict[str, Any]:
            self.reads.append(reading)
            return {"to": request.GET["to"], "for": reading.account, "currency": "EUR"}

        @guard.read("bookings", intent="See your bookings")
        def bookings(request: HttpRequest, reference: str) -> dict[str, Any]:
            return {"reference": reference, "path": request.path}

        @guard.action("book", intent="Book", summary="Fly to {to}")
        def book(to: str, act: Act) -> dict[str, Any]:
            self.booked.append(to)
            return {"booked": to, "for": act.account}

        routes = [path("itineraries", itineraries), path("bookings", book), path("bookings/<str:reference>", bookings)]
        return django_site.serving(guard, [*guard.urls, *routes])

    def _flask(self) -> flask.Flask:
        guard = self.guard
        assert isinstance(guard, FlaskGuard)
        app = flask.Flask(__name__)
        app.register_blueprint(guard.blueprint)

        @app.get("/itineraries")
        @guard.read("itineraries", intent="Search itineraries")
        def itineraries(reading: Reading) -> dict[str, Any]:
            self.reads.append(reading)
            return {"to": flask.request.args["to"], "for": reading.account, "currency": "EUR"}

        @app.get("/bookings/<path:reference>")
        @guard.read("bookings", intent="See your bookings")
        def bookings(reference: str) -> dict[str, Any]:
            return {"reference": reference, "path": flask.request.path}

        @app.post("/bookings")
        @guard.action("book", intent="Book", summary="Fly to {to}")
        def book(to: str, act: Act) -> dict[str, Any]:
            self.booked.append(to)
            return {"booked": to, "for": act.account}

        return app

    def _wsgi(self) -> Any:
        guard = self.guard
        assert isinstance(guard, wsgi.Guard)

        @guard.wsgi_read("itineraries", intent="Search itineraries", path="/itineraries")
        def itineraries(request: Request, reading: Reading) -> dict[str, Any]:
            self.reads.append(reading)
            return {"to": request.query.partition("=")[2], "for": reading.account, "currency": "EUR"}

        @guard.wsgi_read("bookings", intent="See your bookings", path="/bookings/{reference}")
        def bookings(request: Request, reading: Reading) -> dict[str, Any]:  # noqa: ARG001 - nobody's in particular
            return {"reference": request.path.rpartition("/")[2], "path": request.path}

        @guard.wsgi(
            "book", intent="Book", summary="Fly to {to}", schema=SCHEMA, sources={"to": "query"}, path="/bookings"
        )
        def book(parameters: dict[str, Any], act: Act) -> dict[str, Any]:
            self.booked.append(parameters["to"])
            return {"booked": parameters["to"], "for": act.account}

        def app(environ: dict[str, Any], start_response: Any) -> Any:
            path = environ["PATH_INFO"]
            found = {"/itineraries": itineraries, "/bookings": book}.get(path, guard.app)
            return (bookings if path.startswith("/bookings/") else found)(environ, start_response)

        return app

    def _asgi(self) -> Starlette:
        guard = self.guard
        assert isinstance(guard, Guard)

        @guard.asgi_read("itineraries", intent="Search itineraries", path="/itineraries")
        async def itineraries(request: Request, reading: Reading) -> dict[str, Any]:
            self.reads.append(reading)
            return {"to": request.query.partition("=")[2], "for": reading.account, "currency": "EUR"}

        @guard.asgi_read("bookings", intent="See your bookings", path="/bookings/{reference}")
        def bookings(request: Request, reading: Reading) -> dict[str, Any]:  # noqa: ARG001 - nobody's in particular
            return {"reference": request.path.rpartition("/")[2], "path": request.path}

        @guard.asgi(
            "book", intent="Book", summary="Fly to {to}", schema=SCHEMA, sources={"to": "query"}, path="/bookings"
        )
        def book(parameters: dict[str, Any], act: Act) -> dict[str, Any]:
            self.booked.append(parameters["to"])
            return {"booked": parameters["to"], "for": act.account}

        routes = [
            Route("/itineraries", itineraries),
            Route("/bookings", book),
            Route("/bookings/{reference}", bookings),
            Mount("/", guard.app),
        ]
        return Starlette(routes=routes, lifespan=guard.lifespan)
