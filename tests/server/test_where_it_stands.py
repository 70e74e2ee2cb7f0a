"""The server behind a proxy, under a path, and in another application."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlencode

import httpx
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route

from oneact.errors import Refusal
from oneact.protocol import dpop, metadata
from oneact.server import Settings, create_app
from oneact.testing import new_key
from tests.ports import free_port
from tests.server.peers import running_server, serving


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


def pushes(url: str, *forwarded: str) -> list[int]:
    """Call a limited address 31 times, each time with these header lines, `{}` in them counted up."""
    lines = [[("X-Forwarded-For", text.replace("{}", str(index))) for text in forwarded] for index in range(31)]
    return [httpx.post(url + "/oauth/par", headers=headers).status_code for headers in lines]


@pytest.mark.parametrize(
    ("forwarded", "refused"),
    [
        (("10.0.0.{}", "9.9.9.9"), 1),
        (("10.0.0.{}, 10.0.1.{}", "10.0.2.{},9.9.9.9"), 1),
        (("9.9.9.9", "10.0.0.{}"), 0),
    ],
)
def test_a_proxy_that_adds_a_line_of_its_own_is_believed_and_the_callers_line_is_not(
    tmp_path: Path, forwarded: tuple[str, ...], refused: int
) -> None:
    with running_server(tmp_path, trusted_proxies=("127.0.0.1",)) as server:
        assert pushes(server.url, *forwarded).count(429) == refused


AT_THE_ROOT = ("/",)
AT_ITS_PATH = ("/approve", metadata.SERVER_PATH)


@pytest.mark.parametrize("mounts", [AT_THE_ROOT, AT_ITS_PATH])
def test_the_server_stands_in_another_application(tmp_path: Path, mounts: tuple[str, ...]) -> None:
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

    outer = Starlette(routes=[Route("/", own), *(Mount(at, inner) for at in mounts)], lifespan=lifespan)
    with serving(outer, port):
        base = f"http://localhost:{port}"
        assert httpx.get(base + "/").text == "own"
        found = httpx.get(metadata.well_known(url, metadata.SERVER_PATH)).json()
        assert found["issuer"] == url
        assert httpx.get(found["jwks_uri"]).json()["keys"]
        assert registered(url) == 201
        assert httpx.get(url + "/signin").status_code == 200
        assert httpx.get(url + "/inbox").headers["location"] == "/approve/signin?next=%2Fapprove%2Finbox"
        assert httpx.get(url, follow_redirects=True).url.copy_with(query=None) == url + "/signin"
        assert httpx.get(url + "/log/key").status_code == 200
        for elsewhere in ("/approve/signin", "/static/none.css", "x/signin"):
            assert httpx.get(url + elsewhere).status_code == 404
        assert httpx.get(base + "/signin").status_code == 404


@pytest.mark.parametrize("prefix", ["/approve", "/pr%C3%BCfen"])
@pytest.mark.parametrize("stripped", [True, False])
async def test_a_prefix_is_understood_whether_or_not_paths_still_have_it(
    tmp_path: Path, prefix: str, *, stripped: bool
) -> None:
    settings = Settings(f"http://localhost:8400{prefix}", tmp_path / "a.db", tmp_path / "a.jwk")
    app = create_app(settings)

    async def framed(scope: Any, receive: Any, send: Any) -> None:
        path = scope["path"].removeprefix(unquote(prefix)) if stripped else scope["path"]
        await app({**scope, "root_path": unquote(prefix), "path": path}, receive, send)

    async with app.router.lifespan_context(app), httpx.AsyncClient(transport=httpx.ASGITransport(framed)) as client:
        assert (await client.get(f"http://localhost:8400{prefix}/signin")).status_code == 200
        assert (await client.get(f"http://localhost:8400{prefix}/nothing")).status_code == 404
        to_sign_in = (await client.get(f"http://localhost:8400{prefix}/inbox")).headers["location"]
        assert to_sign_in == f"{prefix}/signin?" + urlencode({"next": f"{prefix}/inbox"})


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/requests/none/else", 404),
        ("GET", "/static/none.css", 404),
        ("DELETE", "/signin", 405),
        ("GET", "/oauth/token", 405),
        ("POST", "/oauth/receipts", 415),
        ("GET", "/log/tile/x", 400),
        ("GET", "/oauth/jwks.json", 200),
        ("GET", "/static/page.css", 200),
        ("GET", "/log/key", 200),
        ("GET", "/signin/", 307),
        ("POST", "/oauth/par", 500),
    ],
)
def test_every_answer_forbids_framing_and_sniffing(tmp_path: Path, method: str, path: str, status: int) -> None:
    with running_server(tmp_path) as server:
        server.app.state.world.limits = None
        answer = httpx.request(method, server.url + path)
        assert answer.status_code == status
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]
        assert answer.headers.get_list("content-security-policy") == [answer.headers["content-security-policy"]]
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["referrer-policy"] == "no-referrer"
        kept = {"/static/page.css": "no-cache", "/log/key": "no-cache"}.get(path, "no-store")
        assert answer.headers["cache-control"] == kept


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
