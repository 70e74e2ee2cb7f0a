"""Handlers of the Django face that write the spend in the transaction of ATOMIC_REQUESTS."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.db import connection, connections
from django.http import Http404
from django.urls import path
from tests.service.django_desk import Desk

from oneact.service import create_spends
from oneact.service.django import Act


@pytest.fixture
def database(tmp_path: Path) -> Iterator[None]:
    """A database that other threads see too, with a table of the site's own."""
    own, kept = connections.settings["default"], dict(connections.settings["default"])
    before = connections["default"]
    own |= {"NAME": tmp_path / "site.db", "ATOMIC_REQUESTS": True}
    del connections["default"]
    create_spends(connection)
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE booked (txn TEXT)")
    yield
    connection.close()
    own.update(kept)
    connections["default"] = before


@pytest.fixture
def desk(tmp_path: Path, database: None) -> Iterator[Desk]:  # noqa: ARG001 - it has to be there first
    found = Desk(tmp_path, spends="default")
    found.person.link(found.guard, "ada")
    yield found
    found.guard.stop_sync()


def count(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM {table}")  # noqa: S608 - named in this file
        return int(cursor.fetchone()[0])


def book(desk: Desk, errors: list[Exception]) -> None:
    def do(act: Act) -> dict[str, Any]:
        desk.guard.spend("default")
        with connection.cursor() as cursor:
            cursor.execute("INSERT INTO booked VALUES (%s)", [act.txn])
        if errors:
            raise errors.pop()
        return {"rows": count("booked")}

    view = desk.guard.action("do", intent="Do", summary="Do", spends=True)(do)
    desk.put(path("do", view))
    desk.guard.bind(desk.urls)


def token(desk: Desk) -> str:
    asked = desk.open("POST", "/do", desk.person.accept).json()
    actions = desk.client().get("/oneact/actions").json()
    return desk.person.approve(asked["transaction_challenge"], actions, desk.agent, int(time.time()))


def test_effect_and_spend_are_committed_together_before_the_answer(desk: Desk) -> None:
    book(desk, [])
    shown = token(desk)
    assert desk.show(shown, "POST", "/do").json() == {"rows": 1}
    assert (count("booked"), count("oneact_spends")) == (1, 1)
    assert desk.show(shown, "POST", "/do").json()["reason"] == "already_spent"


@pytest.mark.parametrize(("error", "status"), [(ValueError("broken"), 503), (Http404("sold out"), 404)])
def test_what_an_error_has_rolled_back_may_run_again(desk: Desk, error: Exception, status: int) -> None:
    book(desk, [error])
    shown = token(desk)
    first = desk.show(shown, "POST", "/do")
    assert (first.status_code, "OneAct-Receipt" in first.headers) == (status, False)
    assert (count("booked"), count("oneact_spends")) == (0, 0)
    assert desk.show(shown, "POST", "/do").json() == {"rows": 1}
