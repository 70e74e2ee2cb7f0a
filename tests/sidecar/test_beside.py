"""An approval server beside a service in Express: tickets go through the relay, the sidecar pins what is signed."""

import time
from pathlib import Path

import httpx
import pytest

from tests.embedded.notes import enrol
from tests.ports import free_port
from tests.server.peers import running_server
from tests.server.visitor import Visitor
from tests.sidecar.running import express, settle_in, sidecar


def follow(person: Visitor, address: str) -> httpx.Response:
    return person.http.get(address, follow_redirects=True)


async def test_who_is_signed_in_at_the_service_enrols_at_the_server_beside_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    port = free_port()
    with running_server(tmp_path, lambda: int(time.time()), for_service=f"http://localhost:{port}") as server:
        place = await settle_in(tmp_path, issuers=f'{{ beside = "{server.url}" }}', port=port)
        with sidecar(place), express(place):
            person = Visitor(server)
            follow(person, place.resource + "/login?name=ada")
            assert "Make your passkey" in follow(person, "/inbox").text
            enrol(person)
            assert person.get("/inbox").status_code == 200
    assert "tell ada: linked" in capfd.readouterr().out.splitlines()
