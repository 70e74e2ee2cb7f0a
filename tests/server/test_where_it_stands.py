"""The server behind a proxy, under a path, and in another application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from oneact.errors import Refusal
from oneact.protocol import dpop, metadata
from oneact.server import Settings, create_app
from oneact.testing import new_key
from tests.server.peers import free_port, running_server, serving


def registered(url: str, **headers: str) -> int:
    key, address = new_key(), url + "/oauth/register"
    body = {"client_name": "x", "jwks": {"keys": [key.public.public_jwk()]}}
    nonce = httpx.post(address, json=body, headers={"DPoP": dpop.build(key, "POST", address, 1, "a")}).headers
    proof = dpop.build(key, "POST", address, 1, "b", nonce=nonce["DPoP-Nonce"])
    return httpx.post(address, json=body, headers={**headers, "DPoP": proof}).status_code


def test_a_trusted_proxy_says_who_calls_and_nobody_else_does(tmp_path: Path) -> None:
    with running_server(tmp_path, trusted_proxies=("127.0.0.1",)) as server:
        found = [registered(server.url, **{"X-Forwarded-For": f"9.9.9.9, 10.0.0.{n}"}) for n in range(25)]
        assert set(found) == {201}
    (tmp_path / "b").mkdir()
    with running_server(tmp_path / "b") as server:
        found = [registered(server.url, **{"X-Forwarded-For": f"10.0.0.{n}"}) for n in range(25)]
        assert found.count(429) == 5


def test_the_server_stands_in_another_application(tmp_path: Path) -> None:
    port = free_port()
    url = f"http://localhost:{port}/approve"
    settings = Settings(public_url=url, database=tmp_path / "a.db", key_file=tmp_path / "a.jwk")
    inner = create_app(settings)

    @contextlib.asynccontextmanager
    async def lifespan(_: Any) -> AsyncIterator[None]:
        async with inner.router.lifespan_context(inner):
            yield

    async def own(_: Any) -> PlainTextResponse:
        return PlainTextResponse("own")

    outer = Starlette(routes=[Route("/", own), Mount("/", inner)], lifespan=lifespan)
    with serving(outer, port):
        base = f"http://localhost:{port}"
        assert httpx.get(base + "/").text == "own"
        found = httpx.get(metadata.well_known(url, metadata.SERVER_PATH)).json()
        assert found["issuer"] == url
        assert httpx.get(found["jwks_uri"]).json()["keys"]
        assert registered(url) == 201
        assert httpx.get(url + "/signin").status_code == 200


@pytest.mark.parametrize(
    "environment",
    [
        {"ONEACT_PUBLIC_URL": "http://approve.example"},
        {"ONEACT_PUBLIC_URL": "https://approve.example?x"},
        {"ONEACT_PUBLIC_URL": "approve.example"},
        {"ONEACT_PUBLIC_URL": "https://a.example", "ONEACT_RP_ID": "b.example"},
        {"ONEACT_PORT": "0"},
        {"ONEACT_PORT": "x"},
        {"ONEACT_TRUSTED_PROXIES": "10.0.0.0/8"},
        {"ONEACT_TRUSTED_PROXIES": "127.0.0.1, proxy.internal"},
        {"ONEACT_PRIVATE_HOSTS": "https://air.internal"},
        {"ONEACT_PRIVATE_HOSTS": "air.internal:8443"},
        {"ONEACT_PRIVATE_HOSTS": "*.internal"},
    ],
)
def test_settings_that_cannot_work_are_refused(environment: dict[str, str]) -> None:
    with pytest.raises(Refusal):
        Settings.from_environment(environment)


def test_settings_come_from_the_environment() -> None:
    found = Settings.from_environment(
        {
            "ONEACT_PUBLIC_URL": "https://a.example/approve/",
            "ONEACT_RP_ID": "a.example",
            "ONEACT_PRIVATE_HOSTS": "x.internal, Y.internal",
            "ONEACT_TRUSTED_PROXIES": "10.0.0.1, 0:0:0:0:0:0:0:1",
            "ONEACT_PORT": "9000",
            "ONEACT_DATABASE": "/data/a.db",
        }
    )
    assert (found.issuer, found.path, found.origin) == ("https://a.example/approve", "/approve", "https://a.example")
    assert (found.private_hosts, found.port, found.database) == (("x.internal", "y.internal"), 9000, Path("/data/a.db"))
    assert found.trusted_proxies == ("10.0.0.1", "::1")
    assert found.secure
