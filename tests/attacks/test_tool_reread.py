"""A text that a server's library reads once more, as the JSON it holds, after the person was shown the text."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.service.mcp.shelf import FACES, Shelf, approve, person, refusal


@pytest.mark.parametrize("declared", [True, False])
@pytest.mark.parametrize("kind", FACES)
async def test_what_runs_is_the_text_that_was_shown_or_nothing(tmp_path: Path, kind: str, *, declared: bool) -> None:
    shelf, ran = Shelf(tmp_path, kind, policy={}, longest=5.0), []

    def sweep(folder: str | None = None, names: list[str] | str = "") -> str:
        ran.append((folder, names))
        return "swept"

    shelf.server.tool()(shelf.guard.tool(intent="Sweep")(sweep) if declared else sweep)
    with shelf.running():
        ada = person(shelf)
        async with shelf.client() as client:
            given: dict[str, Any] = {"folder": "null", "names": '["a", "b"]'}
            call = asyncio.ensure_future(client.call_tool("sweep", given))
            if kind == "sdk":
                assert refusal(await call) == "parameters_invalid"
            else:
                await approve(shelf, ada)
                assert not (await call).is_error
    assert ran == ([] if kind == "sdk" else [("null", '["a", "b"]')])
