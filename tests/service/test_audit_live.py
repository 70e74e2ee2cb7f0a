"""The audit of a service that runs, that was killed, and that came back."""

import asyncio
import json
import signal
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.ports import free_port
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.processes import process, ready
from tests.service.world import ApprovalServer, Caller, calling, eventually
from typer.testing import CliRunner

from oneact.cli.commands import app

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


def audit(folder: Path, *more: str) -> dict[str, Any]:
    """Audit the airline's database as it stands; all has to agree."""
    files = ["--store", str(folder / "air.db"), "--key", str(folder / "air.jwk")]
    answer = CliRunner().invoke(app, ["service", "audit", *files, "--json", *more])
    found: dict[str, Any] = json.loads(answer.output)
    assert (answer.exit_code, found["findings"]) == (0, [])
    return found


async def test_a_running_service_agrees_with_what_the_agent_and_the_approval_server_have(
    caller: Caller, airline: Airline, server: ApprovalServer, tmp_path: Path
) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    token = await caller.approved(challenge)
    await caller.show(token, "POST", "/bookings", json=FLIGHT)
    await eventually(lambda: server.receipts)
    bundle = {"token": token, "receipt": server.receipts[0], "offer": challenge}
    (tmp_path / "evidence.json").write_text(json.dumps(bundle))
    published = ["--jwks", f"{airline.resource}/oneact/jwks.json"]
    more = await asyncio.to_thread(audit, tmp_path, "--evidence", str(tmp_path / "evidence.json"), *published)
    assert (more["entries"], more["receipts"], more["bundles"], more["signatures_checked"]) == (3, 1, 1, True)


@pytest.mark.parametrize("note", ["kill before", "kill after"])
async def test_kill_9_between_spend_and_outcome_leaves_the_chain_whole(
    server: ApprovalServer, tmp_path: Path, note: str
) -> None:
    port, body = free_port(), FLIGHT | {"note": note}
    resource = f"http://localhost:{port}"
    await link(tmp_path, resource, server)
    async with calling(server, resource) as caller:
        with process("asgi", port, server, tmp_path, 1) as killed:
            await ready(caller)
            token = await caller.approved(await caller.ask("POST", "/bookings", json=body))
            with pytest.raises(httpx.TransportError):
                await caller.show(token, "POST", "/bookings", json=body)
            assert await asyncio.to_thread(killed.wait, 10) == -signal.SIGKILL
        cut = audit(tmp_path)
        assert (cut["entries"], cut["acts"], cut["receipts"]) == (2, 1, 0)
        with process("asgi", port, server, tmp_path, 1):
            await ready(caller)
            await eventually(lambda: server.receipts)
            whole = audit(tmp_path, "--head", cut["head"])
    assert (whole["entries"], whole["acts"], whole["receipts"]) == (3, 1, 1)
