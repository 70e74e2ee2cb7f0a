"""Decorators in the wrong order leave a handler unguarded: the application does not start."""

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from fastapi import APIRouter, FastAPI

from oneact.service.fastapi import Act, Guard


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(
        resource="http://localhost:1", name="Air", key=tmp_path / "k.jwk", store=tmp_path / "s.db",
        account=lambda _: None, issuers=["http://localhost:2"],
    )  # fmt: skip


@pytest.fixture
def app(guard: Guard) -> FastAPI:
    found = FastAPI()
    found.include_router(guard.router)
    return found


def logged(function: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def wrapper(*arguments: Any, **named: Any) -> Any:
        return function(*arguments, **named)

    return wrapper


async def start(app: FastAPI) -> None:
    async with app.router.lifespan_context(app):
        pass


async def refused(app: FastAPI) -> None:
    with pytest.raises(ValueError, match=r"/pay runs .*pay without the guard: write @app\.post"):
        await start(app)


async def test_a_guard_above_the_route_is_refused_when_the_application_starts(guard: Guard, app: FastAPI) -> None:
    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @app.post("/pay")
    def pay(to: str) -> None: ...

    await refused(app)


async def test_a_handler_that_takes_the_act_is_refused_like_any_other(guard: Guard, app: FastAPI) -> None:
    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @app.post("/pay")
    def pay(to: str, act: Act) -> None: ...  # the framework would make the act of the caller's own body

    await refused(app)


async def test_a_guard_above_a_route_of_an_included_router_is_refused(guard: Guard, app: FastAPI) -> None:
    router, outer = APIRouter(), APIRouter()

    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @router.post("/pay")
    def pay(to: str) -> None: ...

    outer.include_router(router)
    app.include_router(outer)
    await refused(app)


async def test_a_guard_above_a_route_of_a_mounted_application_is_refused(guard: Guard, app: FastAPI) -> None:
    inner = FastAPI()

    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @inner.post("/pay")
    def pay(to: str) -> None: ...

    app.mount("/inner", inner)
    await refused(app)


async def test_a_decorator_between_the_two_hides_nothing(guard: Guard, app: FastAPI) -> None:
    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @logged
    @app.post("/pay")
    def pay(to: str) -> None: ...

    await refused(app)


@pytest.mark.parametrize("around", [logged, functools.partial])
async def test_a_second_route_around_a_guarded_function_is_refused(
    guard: Guard, app: FastAPI, around: Callable[..., Any]
) -> None:
    def pay(to: str) -> None: ...

    app.post("/safe")(guard.action("pay", intent="Pay", summary="Pay {to}")(pay))
    app.post("/pay")(around(pay))
    await refused(app)


def test_an_application_that_was_refused_stays_refused(guard: Guard, app: FastAPI) -> None:
    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @app.post("/pay")
    def pay(to: str) -> None: ...

    for _ in range(2):
        with pytest.raises(ValueError, match="without the guard"):
            guard.bind(app)


async def test_the_right_order_starts_with_a_decorator_anywhere(guard: Guard, app: FastAPI) -> None:
    @app.post("/pay")
    @logged
    @guard.action("pay", intent="Pay", summary="Pay {to}")
    @logged
    def pay(to: str) -> None: ...

    await start(app)
    assert guard.actions["pay"].action.path == "/pay"
