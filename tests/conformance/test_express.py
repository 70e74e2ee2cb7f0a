"""A service in another language: Express behind its sidecar passes every row, and what it lacks is shown."""

from __future__ import annotations

import asyncio
from pathlib import Path

import httpx

from oneact.conformance.outcome import Result
from oneact.conformance.run import Settings, run
from tests.conformance.test_rows import NOT_PLAYED
from tests.ports import free_port
from tests.sidecar.running import EXPRESS, FLIGHT, changed, express, settle_in, sidecar


def played(folder: Path, app: Path, *only: str) -> list[Result]:
    mine = free_port()
    issuer = f"http://localhost:{mine}"
    place = asyncio.run(settle_in(folder, issuers=f'["{issuer}", "http://localhost:1"]'))
    with sidecar(place), express(place, app):
        signed_in = httpx.get(place.resource + "/login?name=ada", trust_env=False)
        settings = Settings(
            resource=place.resource, action="book_flight", parameters=FLIGHT, issuer=issuer, port=mine,
            cookies=dict(signed_in.cookies), only=only,
        )  # fmt: skip
        return list(run(settings))


def test_a_service_behind_its_sidecar_passes_every_row(tmp_path: Path) -> None:
    results = played(tmp_path, EXPRESS / "app.js")
    assert [(result.number, result.came) for result in results if result.status == "failed"] == []
    assert [result.number for result in results if result.status == "skipped"] == NOT_PLAYED


def test_header_fields_that_a_framework_has_made_one_of_are_seen(tmp_path: Path) -> None:
    once = "headers: Object.fromEntries(Object.entries(req.headers).map(([name, value]) => [name, [value].flat()]))"
    app = changed(tmp_path, "headers: req.headersDistinct", once)
    right, twice = played(tmp_path, app, "1.0", "1.2")
    assert (right.status, twice.status) == ("passed", "failed")
    assert twice.came.startswith("201, executed: ")
