"""An agent that holds an approval sends a header or cookie with it, which a dependency of the handler reads."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import pytest
from fastapi import Cookie, Depends, Header, Request
from fastapi.requests import HTTPConnection
from fastapi.security import APIKeyCookie, HTTPBearer, OAuth2PasswordBearer
from pydantic import BaseModel

from oneact.service import Act
from oneact.service.fastapi import Guard
from tests.attacks.stage import FLIGHT
from tests.service.airline import Airline
from tests.service.world import Caller


class Headers(BaseModel):
    x_desk: str = ""


class Desk:
    def __init__(self, connection: HTTPConnection) -> None:
        self.name = connection.headers.get("x-desk")


def by_header(x_desk: Annotated[str, Header()] = "web") -> str:
    return x_desk


def by_cookie(desk: Annotated[str, Cookie()] = "web") -> str:
    return desk


def by_model(headers: Annotated[Headers, Header()]) -> str:
    return headers.x_desk


def by_request(request: Request) -> str:
    return request.headers.get("x-desk", "web")


def at_a_depth(inner: Annotated[str, Depends(by_header)]) -> str:
    return inner


async def by_nothing() -> str:
    return "web"


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(
        resource="http://localhost:1", name="Air", key=tmp_path / "k.jwk", store=tmp_path / "s.db",
        account=lambda _: None, issuers=["http://localhost:2"],
    )  # fmt: skip


def act_on(guard: Guard, dependency: Callable[..., Any], *reads: str) -> None:
    def handler(to: str, by: Any, act: Act) -> None: ...

    handler.__annotations__ = {"to": str, "by": Annotated[Any, Depends(dependency)], "act": Act}
    guard.action("do", intent="Do it", summary="Do", reads=reads)(handler)


READING = [
    (by_header, "x-desk"),
    (by_cookie, "desk"),
    (by_model, "headers"),
    (by_request, "request"),
    (Desk, "request"),
    (at_a_depth, "x-desk"),
    (HTTPBearer(), "request"),
    (APIKeyCookie(name="session"), "request"),
    (OAuth2PasswordBearer(tokenUrl="x"), "request"),
]


@pytest.mark.parametrize(("dependency", "name"), READING)
def test_a_handler_whose_dependency_reads_it_is_refused_at_the_start(
    guard: Guard, dependency: Callable[..., Any], name: str
) -> None:
    with pytest.raises(ValueError, match=f"{name} is read by .* without being shown or signed"):
        act_on(guard, dependency)
    assert "do" not in guard.actions


@pytest.mark.parametrize(("dependency", "name"), READING)
def test_an_owner_who_knows_better_has_to_name_it(guard: Guard, dependency: Callable[..., Any], name: str) -> None:
    act_on(guard, dependency, name)
    assert "do" in guard.actions


def test_a_handler_that_takes_the_request_itself_is_refused_at_the_start(guard: Guard) -> None:
    def handler(request: Request, act: Act) -> None: ...

    with pytest.raises(ValueError, match="request is read"):
        guard.action("do", intent="Do it", summary="Do")(handler)


def test_what_nothing_reads_is_not_named(guard: Guard) -> None:
    with pytest.raises(ValueError, match="nothing reads x-desk"):
        act_on(guard, by_nothing, "x-desk")


def test_a_dependency_that_reads_nothing_needs_no_name(guard: Guard) -> None:
    act_on(guard, by_nothing)
    assert "do" in guard.actions


async def test_what_is_sent_beside_the_act_changes_nothing(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    sent = {"x-desk": "CHOSEN-BY-THE-AGENT", "cookie": "desk=CHOSEN-BY-THE-AGENT"}
    answer = await caller.show(token, "POST", "/bookings", json=FLIGHT, headers=sent)
    assert (answer.status_code, answer.json()["reference"]) == (201, "SFO-web")
    assert [row[1] for row in airline.books.all()] == ["alice"]
