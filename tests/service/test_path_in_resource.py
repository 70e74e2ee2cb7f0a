"""A service whose identifier has a path: its metadata stands where RFC 9728 puts it, and leads to what is there."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from tests.service.airline import Airline

RESOURCE = "http://localhost:8000/air"
ASKED = {"Accept-Txn-Challenge": '?1;as="http://localhost:8400"'}


@pytest.mark.parametrize("face", ["fastapi", "asgi"])
async def test_its_metadata_and_all_that_they_name_are_found(tmp_path: Path, face: str) -> None:
    airline = Airline(face, 8000, "http://localhost:8400", tmp_path, resource=RESOURCE)
    transport = httpx.ASGITransport(app=airline.app, root_path="/air")
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost:8000") as client:
        refused = await client.post(
            "/air/bookings", headers=ASKED, json={"from": "SFO", "to": "NYC", "date": "2024-03-01"}
        )
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
