"""The service's key changes under a guard that runs: nothing under way is lost, and what is over counts no more."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from tests.service.airline import Airline
from tests.service.world import Caller
from typer.testing import CliRunner

from oneact import keyfile
from oneact.cli.commands import app
from oneact.protocol import base64url
from oneact.service import keys
from oneact.service.keys import SETTLE
from oneact.service.rotation import OVERLAP

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


def rotate(folder: Path, ago: float = SETTLE) -> str:
    """Have the operator rotate the key, `ago` seconds ago as the file tells; give the new `kid`."""
    file = folder / "air.jwk"
    os.utime(file, (time.time() - OVERLAP,) * 2)
    assert CliRunner().invoke(app, ["service", "rotate-key", "--key", str(file)]).exit_code == 0
    os.utime(file, (time.time() - ago,) * 2)
    return keyfile.load(file)[0].public.thumbprint


def kid(text: str) -> str:
    """Give the `kid` of a JWS, whatever its type."""
    head = json.loads(base64url.decode(text.partition(".")[0]))
    return str(head["kid"])


async def published(caller: Caller) -> list[str]:
    found = await caller.client.get(caller.resource + "/oneact/jwks.json")
    return [key["kid"] for key in found.json()["keys"]]


async def test_an_offer_of_the_old_key_is_executed_and_its_receipt_is_by_the_new_one(
    caller: Caller, airline: Airline, tmp_path: Path
) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    new = rotate(tmp_path)
    answer = await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    assert answer.status_code == 201, answer.text
    text = answer.headers["oneact-receipt"]
    assert kid(challenge) != new
    assert kid(text) == new
    assert (await caller.verified(text)).status == "executed"
    assert len(airline.books.all()) == 1


async def test_an_offer_two_keys_old_is_refused(caller: Caller, airline: Airline, tmp_path: Path) -> None:
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    rotate(tmp_path)
    rotate(tmp_path)
    answer = await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    assert (answer.json()["reason"], answer.json()["check"]) == ("txn_foreign", 7)
    assert airline.books.all() == []
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert len(await published(caller)) == 3


async def test_a_new_key_is_published_at_once_and_signs_when_others_can_know_it(caller: Caller, tmp_path: Path) -> None:
    [old] = await published(caller)
    new = rotate(tmp_path, ago=0)
    assert await published(caller) == [new, old]
    challenge = await caller.ask("POST", "/bookings", json=FLIGHT)
    assert kid(challenge) == old
    os.utime(tmp_path / "air.jwk", (time.time() - SETTLE,) * 2)
    assert kid(await caller.ask("POST", "/bookings", json=FLIGHT)) == new
    answer = await caller.show(await caller.approved(challenge), "POST", "/bookings", json=FLIGHT)
    assert answer.status_code == 201


async def test_receipts_by_the_old_key_verify_until_it_is_retired(caller: Caller, tmp_path: Path) -> None:
    [old] = await published(caller)
    answer = await caller.act("POST", "/bookings", json=FLIGHT)
    text = answer.headers["oneact-receipt"]
    rotate(tmp_path)
    assert (await caller.verified(text)).status == "executed"
    os.utime(tmp_path / "air.jwk", (time.time() - OVERLAP,) * 2)
    command = ["service", "rotate-key", "--key", str(tmp_path / "air.jwk"), "--retire", old]
    assert CliRunner().invoke(app, command).exit_code == 0
    assert old not in await published(caller)


@pytest.mark.parametrize("spoilt", ["garbage", "readable by others", "gone"])
async def test_a_key_file_that_cannot_be_used_changes_nothing_for_who_has_read_it(
    caller: Caller, airline: Airline, tmp_path: Path, spoilt: str
) -> None:
    before = await published(caller)
    file = tmp_path / "air.jwk"
    if spoilt == "garbage":
        file.write_text("{}")
    elif spoilt == "gone":
        file.unlink()
    else:
        file.chmod(0o644)
    assert await published(caller) == before
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert file.exists() is (spoilt != "gone")
    if spoilt == "readable by others":
        file.chmod(0o600)
        assert await published(caller) == before
        assert airline.guard.keys._changed.stamp[1] == file.stat().st_ctime_ns


READ = """
import sys
from oneact.service import keys
held = keys.load(sys.argv[1])
for line in sys.stdin:
    print(held.signing.public.thumbprint, len(held.txn_keys), flush=True)
"""


def test_another_process_signs_with_the_new_key_from_its_next_use_on(tmp_path: Path) -> None:
    held = keys.load(tmp_path / "air.jwk")
    with subprocess.Popen(
        [sys.executable, "-c", READ, str(tmp_path / "air.jwk")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None

        def seen() -> list[str]:
            assert other.stdin is not None
            assert other.stdout is not None
            print(file=other.stdin, flush=True)
            return other.stdout.readline().split()

        assert seen() == [held.signing.public.thumbprint, "1"]
        new = rotate(tmp_path)
        assert seen() == [new, "2"]
        assert held.signing.public.thumbprint == new
        other.stdin.close()
        assert other.wait(10) == 0
