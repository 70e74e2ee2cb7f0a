"""Every row of a conformance run passes at a right service, and fails at one that lacks the one check it is about."""

from __future__ import annotations

import contextlib
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.routing import Mount, Route

from oneact.conformance.outcome import Result
from oneact.conformance.rows import GROUPS, ROWS
from oneact.conformance.run import Settings, run
from oneact.service import LINKED, Guard
from tests.conformance.broken import BESIDE, FAULTS, REFUSED_ALL_THE_SAME
from tests.conformance.serving import SESSION, Workshop, airline
from tests.ports import free_port
from tests.service.airline import FACES
from tests.service.serving import serving
from tests.service.world import served

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
NOT_PLAYED = ["5.22", "5.23"]  # this service asks for no nonce
CHECKS = {str(number) for number in range(1, 11)}


def play(resource: str, port: int, **more: Any) -> list[Result]:
    settings: dict[str, Any] = {
        "resource": resource, "action": "book_flight", "parameters": FLIGHT, "issuer": f"http://localhost:{port}",
        "port": port, "cookies": SESSION, **more,
    }  # fmt: skip
    return list(run(Settings(**settings)))


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as found:
        yield found


@contextlib.contextmanager
def broken(workshop: Workshop, row: str, port: int, folder: Path) -> Iterator[str]:
    """Run the service that lacks what a row is about."""
    pid, resource = workshop.start("asgi", row, f"http://localhost:{port}", folder)
    try:
        yield resource
    finally:
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("face", FACES)
def test_a_right_service_passes_every_row(face: str, tmp_path: Path) -> None:
    port, mine = free_port(), free_port()
    made = airline(face, port, f"http://localhost:{mine}", tmp_path)
    with serving(made, port):
        results = play(made.resource, mine)
    assert [(result.number, result.came) for result in results if result.status == "failed"] == []
    assert [result.number for result in results if result.status == "skipped"] == NOT_PLAYED
    assert [result.number for result in results] == [row.number for row in ROWS]


def test_a_right_service_that_asks_for_nonces_passes_too(workshop: Workshop, tmp_path: Path) -> None:
    mine = free_port()
    with broken(workshop, "nonces", mine, tmp_path) as resource:
        results = play(resource, mine)
    assert [(result.number, result.came) for result in results if result.status == "failed"] == []
    assert [result.number for result in results if result.status == "skipped"] == ["5.13", "5.14"]


def test_a_right_service_that_accepts_whichever_server_is_linked_passes_too(tmp_path: Path) -> None:
    port, mine = free_port(), free_port()
    made = airline("asgi", port, "linked", tmp_path, issuers=LINKED)
    with served(made.app, port):
        results = play(made.resource, mine)
    assert [(result.number, result.came) for result in results if result.status == "failed"] == []
    assert [result.number for result in results if result.status == "skipped"] == ["5.22", "5.23", "7.10", "link.20"]


def test_identifiers_with_a_path_are_played_at_too(tmp_path: Path) -> None:
    port, mine = free_port(), free_port()
    resource, issuer = f"http://localhost:{port}/air", f"http://localhost:{mine}/played"
    made = airline("asgi", port, issuer, tmp_path, resource=resource)
    assert isinstance(made.guard, Guard)
    routes = [Mount("/air", made.app), Route("/.well-known/oauth-protected-resource/air", made.guard.app)]
    with served(Starlette(routes=routes, lifespan=made.guard.lifespan), port):
        results = play(resource, mine, issuer=issuer)
    assert [(result.number, result.came) for result in results if result.status == "failed"] == []


def test_every_row_has_a_number_of_its_own_and_its_fault() -> None:
    numbers = [row.number for row in ROWS]
    assert len(set(numbers)) == len(numbers)
    assert set(numbers) == FAULTS.keys()
    assert len({group.title for group in GROUPS}) == len(GROUPS)


@pytest.mark.parametrize("row", [row.number for row in ROWS])
def test_a_service_without_the_check_fails_its_row(workshop: Workshop, row: str, tmp_path: Path) -> None:
    mine = free_port()
    with broken(workshop, row, mine, tmp_path) as resource:
        (result,) = play(resource, mine, only=[row], patience=3.5, say=lambda _: None)
    assert result.status == "failed", result
    found = next(item for item in ROWS if item.number == row)
    if row.partition(".")[0] in CHECKS and found.reasons and row not in REFUSED_ALL_THE_SAME:
        assert "executed: " in result.came, result


@pytest.mark.parametrize("fault", BESIDE)
def test_what_stands_beside_a_code_is_looked_at_too(workshop: Workshop, fault: str, tmp_path: Path) -> None:
    mine = free_port()
    with broken(workshop, fault, mine, tmp_path) as resource:
        (result,) = play(resource, mine, only=[fault.partition(" ")[0]], say=lambda _: None)
    assert result.status == "failed", result
