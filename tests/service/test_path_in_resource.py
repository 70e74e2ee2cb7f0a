"""A service whose identifier has a path: its metadata stands where RFC 9728 puts it, and leads to what is there."""

from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from tests.ports import free_port
from tests.service.airline import WSGI, Airline
from tests.service.conftest import link
from tests.service.serving import by_waitress, by_werkzeug
from tests.service.world import ApprovalServer, calling
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oneact.protocol import metadata
from oneact.service import wsgi

RESOURCE = "http://localhost:8000/air"
FLIGHT = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
ASKED = {"Accept-Txn-Challenge": '?1;as="http://localhost:8400"'}


@pytest.mark.parametrize("face", ["fastapi", "asgi"])
async def test_its_metadata_and_all_that_they_name_are_found(tmp_path: Path, face: str) -> None:
    airline = Airline(face, 8000, "http://localhost:8400", tmp_path, resource=RESOURCE)
    transport = httpx.ASGITransport(app=airline.app, root_path="/air")
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        refused = await client.post("/air/bookings", headers=ASKED, json=FLIGHT)
        address = refused.headers["www-authenticate"].partition('resource_metadata="')[2].partition('"')[0]
        assert address == "http://localhost:8000/.well-known/oauth-protected-resource/air"
        published = (await client.get(urlsplit(address).path)).json()
        assert published["resource"] == RESOURCE
        for name in ("jwks_uri", "txn_challenge_jwks_uri", "authorization_details_types_metadata_endpoint"):
            assert published[name].startswith(RESOURCE + "/")
            assert (await client.get(urlsplit(published[name]).path)).status_code == 200
        assert (await client.get(urlsplit(published["oneact_link_uri"]).path)).status_code == 401  # nobody signed in
        assert (await client.post(urlsplit(published["oneact_act_uri"]).path, json={})).status_code == 400
    await airline.guard.stop()


@pytest.mark.parametrize("face", WSGI)
@pytest.mark.parametrize("run", [by_waitress, by_werkzeug])
async def test_an_application_mounted_in_a_wsgi_server_books_there(
    server: ApprovalServer, tmp_path: Path, face: str, run: Any
) -> None:
    port = free_port()
    resource = f"http://localhost:{port}/air"
    airline = Airline(face, port, server.issuer, tmp_path, resource=resource)
    await link(tmp_path, resource, server)
    with run(DispatcherMiddleware(airline.app, {"/air": airline.app}), port):
        async with calling(server, resource) as caller:
            booked = await caller.act("POST", "/bookings", json=FLIGHT)
            assert booked.status_code == 201
            assert (await caller.act("DELETE", "/bookings/A%20B")).json()["cancelled"] == "A B"
            published = metadata.well_known(resource, metadata.SERVICE_PATH)
            assert (await caller.client.get(published)).json()["resource"] == resource
    assert isinstance(airline.guard, wsgi.Guard)
    airline.guard.stop_sync()
    assert len(airline.books.all()) == 2
