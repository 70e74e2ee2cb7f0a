"""Where an embedded server stands, what it leaves out, and what cannot be one."""

from __future__ import annotations

import subprocess
import sys
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from oneact.embedded import Embedded
from oneact.errors import Reason
from oneact.protocol import metadata
from oneact.service import Guard, LocalAccount
from tests.embedded.conftest import visitor
from tests.embedded.notes import Notes, enrol, sign_in
from tests.ports import free_port
from tests.server.peers import serving
from tests.server.visitor import OWN_SCRIPT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.server.visitor import Visitor


def settings(folder: Path, **more: Any) -> dict[str, Any]:
    return {
        "resource": f"http://localhost:{free_port()}", "name": "Notes", "key": folder / "notes.jwk",
        "store": folder / "notes.db", "account": lambda _: LocalAccount("ada", "Ada", 0), **more,
    }  # fmt: skip


def test_the_server_publishes_no_flow_by_which_services_are_linked(notes: Notes) -> None:
    found = httpx.get(metadata.well_known(notes.url, metadata.SERVER_PATH)).json()
    assert found["issuer"] == notes.url
    assert "authorization_endpoint" not in found
    assert httpx.post(notes.url + "/oauth/par").status_code == 404
    assert httpx.get(notes.url + "/oauth/authorize").status_code == 404
    form = {"grant_type": "authorization_code", "code": "x"}
    assert httpx.post(notes.url + "/oauth/token", data=form).json()["reason"] == "client_assertion"
    for address in ("/signup", "/signin"):
        assert httpx.get(notes.url + address).status_code == 404


def test_the_service_names_its_own_server_and_leads_there(notes: Notes) -> None:
    found = httpx.get(metadata.well_known(notes.resource, metadata.SERVICE_PATH)).json()
    assert found["authorization_servers"] == [notes.url]
    assert httpx.get(found["oneact_link_uri"]).headers["location"] == notes.url + "/"
    assert httpx.get(notes.url).headers["location"] == notes.url + "/"


def test_a_post_from_elsewhere_is_refused(person: Visitor) -> None:
    for headers in ({**OWN_SCRIPT, "Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-origin"}):
        answer = person.post("/enrol/begin", headers=headers)
        assert answer.json()["reason"] == Reason.CSRF.value


def test_the_pages_keep_their_policy_below_the_service(notes: Notes, person: Visitor) -> None:
    enrol(person)
    page = person.get("/inbox")
    assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
    assert page.headers["cache-control"] == "no-store"
    assert f'href="{notes.resource}/"' in page.text
    assert "Sign out" not in page.text
    script = httpx.get(notes.url + "/static/enrol.js")
    assert script.headers["content-type"] == "text/javascript; charset=utf-8"


def test_it_stands_below_a_service_that_has_a_path_itself(tmp_path: Path) -> None:
    port = free_port()
    notes = Notes(tmp_path, port, "/app")
    whole = Starlette(
        routes=[Mount("/app", notes.app), Mount("/", notes.guard.app)], lifespan=lambda _: notes.guard.lifespan()
    )
    with serving(whole, port):
        person = visitor(notes)
        sign_in(person, "ada")
        enrol(person)
        assert person.get("/inbox").status_code == 200
        found = httpx.get(f"http://localhost:{port}/.well-known/oauth-authorization-server/app/approve").json()
        assert found["jwks_uri"] == f"http://localhost:{port}/app/approve/oauth/jwks.json"


def test_plain_asgi_serves_it_too(tmp_path: Path) -> None:
    port = free_port()
    embedded = Embedded(tmp_path)
    guard = Guard(**settings(tmp_path, resource=f"http://localhost:{port}", issuers=embedded))
    with serving(guard.app, port):
        assert httpx.get(embedded.issuer + "/enrol").status_code == 200


def test_what_should_not_happen_is_answered_by_the_server_itself(
    person: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(*_: object) -> None:
        raise RuntimeError("broken")

    monkeypatch.setattr("oneact.server.hosting.begin_passkey", broken)
    answer = person.post("/enrol/begin")
    assert (answer.status_code, answer.json()["reason"]) == (500, Reason.INTERNAL.value)
    assert "frame-ancestors 'none'" in answer.headers["content-security-policy"]


HOLDER = """
import asyncio, sys
from pathlib import Path
from oneact.embedded import Embedded
from oneact.service import Guard
folder = Path(sys.argv[1])
embedded = Embedded(folder)
Guard(resource=sys.argv[2], name="Notes", key=folder / "n.jwk", store=folder / "n.db",
      account=lambda _: None, issuers=embedded)
async def hold():
    await embedded.start()
    print("held", flush=True)
    sys.stdin.read()
asyncio.run(hold())
"""


def test_a_second_process_does_not_run_the_same_server(tmp_path: Path) -> None:
    port = free_port()
    guard = Guard(**settings(tmp_path, resource=f"http://localhost:{port}", issuers=Embedded(tmp_path)))
    holder = subprocess.Popen([sys.executable, "-c", HOLDER, str(tmp_path), guard.resource], stdin=-1, stdout=-1)
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == b"held\n"
        with serving(Starlette(routes=[Mount("/", guard.app)]), port):
            answer = httpx.get(f"http://localhost:{port}/oneact/actions")
            assert (answer.status_code, answer.json()["reason"]) == (503, "store_unavailable")
            holder.communicate(timeout=10)
            assert httpx.get(f"http://localhost:{port}/oneact/actions").status_code == 200
    finally:
        holder.kill()
        holder.wait()


@pytest.mark.parametrize("path", ["approve", "/approve/", "/a?b", "//approve", "/a#b", "/{a}", "/"])
def test_a_path_that_could_not_work_is_refused(tmp_path: Path, path: str) -> None:
    with pytest.raises(ValueError, match="is one like /approve"):
        Embedded(tmp_path, path=path)


def test_settings_that_follow_from_the_guard_are_not_taken(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="public_url"):
        Embedded(tmp_path, public_url="https://other.example")


def test_a_name_without_passkeys_is_refused_when_the_guard_is_made(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="ONEACT_PUBLIC_URL"):
        Guard(**settings(tmp_path, resource="http://127.0.0.1:9", issuers=Embedded(tmp_path)))


def test_an_embedded_server_belongs_to_one_guard(tmp_path: Path) -> None:
    embedded = Embedded(tmp_path)
    with pytest.raises(ValueError, match="give the Embedded to a guard first"):
        _ = embedded.issuer
    Guard(**settings(tmp_path, issuers=embedded))
    with pytest.raises(ValueError, match="belongs to one guard"):
        Guard(**settings(tmp_path, issuers=embedded))
