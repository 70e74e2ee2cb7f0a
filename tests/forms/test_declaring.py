"""What a form's owner may not write is told when it is declared."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import pytest
from fastapi import FastAPI, Form
from starlette.applications import Starlette
from starlette.routing import Route
from starlette.staticfiles import StaticFiles

from oneact.service.fastapi import Act, Guard

if TYPE_CHECKING:
    from pathlib import Path

SAID: dict[str, Any] = {"intent": "Make a wish", "summary": "Wish for {name}"}


@pytest.fixture
def settings(tmp_path: Path) -> dict[str, Any]:
    return {
        "resource": "http://localhost:8000",
        "name": "Example Air",
        "key": tmp_path / "air.jwk",
        "store": tmp_path / "air.db",
        "account": lambda _: None,
        "issuers": ["http://localhost:1"],
    }


def test_what_becomes_of_an_account_without_a_passkey_has_to_be_chosen(settings: dict[str, Any]) -> None:
    with pytest.raises(TypeError, match="unlinked"):
        Guard(**settings).form("wish", **SAID)  # type: ignore[call-arg]  # that is the point
    with pytest.raises(ValueError, match="unlinked="):
        Guard(**settings).form("wish", unlinked="maybe", **SAID)


def test_a_handler_that_needs_an_act_does_not_run_without_an_approval(settings: dict[str, Any]) -> None:
    async def wish(name: Annotated[str, Form()], act: Act) -> None: ...

    with pytest.raises(ValueError, match=r"Act \| None"):
        Guard(**settings).form("wish", unlinked="pass", **SAID)(wish)
    Guard(**settings).form("wish", unlinked="refuse", **SAID)(wish)


def test_a_field_is_either_signed_or_beside_what_is_signed(settings: dict[str, Any]) -> None:
    async def wish(name: Annotated[str, Form()]) -> None: ...

    with pytest.raises(ValueError, match="beside="):
        Guard(**settings).form("wish", unlinked="refuse", beside=["name"], **SAID)(wish)


def test_a_store_of_ones_own_has_to_hold_submissions(settings: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="holds no submissions"):
        Guard(**{**settings, "store": object()}).form("wish", unlinked="refuse", **SAID)


def test_every_way_past_the_guard_is_named(settings: dict[str, Any]) -> None:
    guard, app = Guard(**settings), FastAPI()
    app.include_router(guard.router)

    @app.post("/wish")
    @guard.form("wish", unlinked="refuse", **SAID)
    async def wish(name: Annotated[str, Form()]) -> None: ...

    @app.api_route("/api/wish", methods=["GET", "PUT"])
    async def other() -> None: ...

    async def inner(_: Any) -> None: ...

    app.mount("/old", Starlette(routes=[Route("/wish", inner, methods=["POST"])]))
    app.mount("/legacy", inner)
    app.mount("/files", StaticFiles(directory=settings["key"].parent))
    guard.bind(app)
    assert guard.uncovered == ("PUT /api/wish", "POST /old/wish", "everything below /legacy")
