"""A Django site under test with one person, one agent, and a client of it that is checked for forged forms."""

import json
import threading
import time
from collections.abc import Callable, Sequence
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from django.db import connection
from django.http import (
    HttpRequest,
)
from django.test import Client
from pydantic import BaseModel
from tests.service.django_site import SITE, urlconf

from oneact.service import LocalAccount
from oneact.service.django import Act, Guard
from oneact.testing import InProcessApprover, TestAgent

JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class Desk:
    """The site; `put` says what its patterns are."""

    def __init__(self, folder: Path, **more: Any) -> None:
        self.folder = folder
        self.account: Callable[[HttpRequest], LocalAccount | None] = lambda _: None
        settings: dict[str, Any] = {
            "resource": "http://localhost:1", "name": "Air", "key": folder / "k.jwk", "store": folder / "s.db",
            "account": self.signed_in, "issuers": ["http://localhost:8400"], "notify": self.notified,
        }  # fmt: skip
        self.guard = Guard(**settings | more)
        self.mount = ""
        self.person, self.agent = InProcessApprover(), TestAgent()
        self.ran_in: list[tuple[str, int]] = []
        self.put()

    def put(self, *patterns: Any, own: Sequence[Any] | None = None) -> Any:
        self.urls = urlconf([*(self.guard.urls if own is None else own), *patterns])
        return self.urls

    def note(self, what: str) -> None:
        self.ran_in.append((what, threading.get_ident()))

    def signed_in(self, request: HttpRequest) -> LocalAccount | None:
        assert isinstance(request, HttpRequest)
        self.note("account")
        return self.account(request)

    def notified(self, account: str, event: str) -> None:
        self.note(f"{event} {account}")

    def client(self) -> Client:
        return Client(enforce_csrf_checks=True, **{SITE: self.urls, "SCRIPT_NAME": self.mount})

    def open(self, method: str, path: str, headers: dict[str, str], data: Any = None, form: Any = None) -> Any:
        body, kind = ("", FORM) if data is None and form is None else (json.dumps(data), JSON)
        if form is not None:
            body, kind = urlencode(form), FORM
        return self.client().generic(method, path, body, kind, headers=headers)

    def act(self, method: str, path: str, **request: Any) -> Any:
        """Ask, have approved, show."""
        self.guard.bind(self.urls)
        asked = self.open(method, path, self.person.accept, **request)
        assert asked.json().get("reason") == "approval_required", asked.json()
        actions = self.client().get("/oneact/actions").json()
        token = self.person.approve(asked.json()["transaction_challenge"], actions, self.agent, int(time.time()))
        return self.show(token, method, path, **request)

    def show(self, token: str, method: str, path: str, headers: dict[str, str] | None = None, **request: Any) -> Any:
        shown = self.agent.headers(method, self.guard.resource + path.partition("?")[0], token, int(time.time()))
        return self.open(method, path, {**shown, **(headers or {})}, **request)


class Cabin(Enum):
    ECONOMY = "economy"
    FIRST = "first"


class Trip(BaseModel):
    to: str
    cabin: Cabin = Cabin.ECONOMY
    limit: Decimal = Decimal("10.50")


class Price(BaseModel):
    price: str


def rows(statement: str, *values: Any) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return [row[0] for row in cursor.fetchall()] if cursor.description else []


def act_on(desk: Desk, handler: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return desk.guard.action("do", intent="Do it", summary="Do", **more)(handler)


def trip(trip: Trip, act: Act) -> None: ...


TO_NYC = {"to": "NYC", "cabin": "economy", "limit": "10.50"}
