"""A server beside its service: a ticket brings the browser over, and the service pins what its account signed."""

from __future__ import annotations

import asyncio
import contextlib
import json
import sqlite3
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from fastapi import FastAPI

from oneact import keyfile
from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, metadata, ticket
from oneact.protocol.roster import Roster
from oneact.server import Settings, world
from oneact.service import Beside
from oneact.service.fastapi import Act, Guard
from oneact.testing import SoftwarePasskey
from tests.embedded.notes import ACCOUNT, SIGNED_IN, current_user, enrol
from tests.embedded.test_enrolling import refused
from tests.ports import free_port
from tests.server.peers import RunningServer, running_server, serving
from tests.server.visitor import OWN_PAGE, Visitor

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


def real_time() -> int:
    return int(time.time())


@dataclass
class Both:
    """The service, its server beside it, and a browser for both."""

    resource: str
    server: RunningServer
    folder: Path
    notices: list[tuple[str, str]]

    def browser(self, account: str | None, ago: int = 0) -> Visitor:
        found = Visitor(self.server)
        if account is not None:
            found.http.cookies.set(ACCOUNT, account, domain="localhost.local")
            found.http.cookies.set(SIGNED_IN, str(real_time() - ago), domain="localhost.local")
        return found

    def enter(self, account: str, ago: int = 0) -> Visitor:
        """A browser that has come over with a ticket."""
        found = self.browser(account, ago)
        assert follow(found, "/inbox").status_code == 200
        return found

    def pinned(self) -> list[str]:
        with contextlib.closing(sqlite3.connect(self.folder / "notes.db")) as connection:
            return [account for (account,) in connection.execute("SELECT account FROM links")]

    def ticket(self, secret: str = "s", **changes: Any) -> str:
        """A ticket as the service would sign it, with claims changed."""
        now = real_time()
        claims: dict[str, Any] = {
            "iss": self.resource, "aud": self.server.url, "sub": "ada", "label": "Ada", "auth_time": now,
            "pinned": None, "nonce": canonical.sha256(secret.encode()), "iat": now, "exp": now + 60,
            "jti": f"jti-{time.monotonic_ns()}",
        }  # fmt: skip
        [key] = keyfile.load_or_create(self.folder / "notes.jwk")
        return ticket.sign(ticket.Ticket(**{**claims, **changes}), key)


def follow(person: Visitor, path: str) -> httpx.Response:
    return person.http.get(path, follow_redirects=True)


@pytest.fixture
def both(tmp_path: Path) -> Iterator[Both]:
    resource = f"http://localhost:{free_port()}"
    with running_server(tmp_path, real_time, for_service=resource) as server:
        notices: list[tuple[str, str]] = []
        guard = Guard(
            resource=resource, name="Notes", key=tmp_path / "notes.jwk", store=tmp_path / "notes.db",
            account=current_user, issuers=Beside(server.url), login_uri="/login?next={next}",
            notify=lambda account, event: notices.append((account, event)),
        )  # fmt: skip
        app = FastAPI()
        app.include_router(guard.router)

        @app.delete("/notes/{name}")
        @guard.action("delete_note", intent="Delete a note", summary="Delete {name}")
        async def delete(name: str, act: Act) -> dict[str, str]:
            return {"deleted": name, "account": act.account}

        with serving(app, int(resource.rpartition(":")[2])):
            yield Both(resource, server, tmp_path, notices)


def test_a_browser_comes_over_with_a_ticket_and_enrols(both: Both) -> None:
    person = both.enter("ada")
    assert "Make your passkey" in follow(person, "/inbox").text
    enrol(person)
    assert both.pinned() == ["ada"]
    assert both.notices == [("ada", "linked")]
    inbox = person.get("/inbox")
    assert inbox.status_code == 200
    assert "Back to Notes" in inbox.text


def test_one_comes_back_to_where_one_wanted_to_go(both: Both) -> None:
    enrol(both.enter("ada"))
    again = both.browser("ada")
    assert follow(again, "/passkeys").url.path == "/passkeys"


def test_who_is_not_signed_in_at_the_service_gets_no_ticket(both: Both) -> None:
    stranger = both.browser(None)
    found = follow(stranger, "/inbox")
    assert found.url.path == "/login"
    assert found.url.params["next"].startswith("/oneact/ticket?nonce=")


def test_a_first_passkey_needs_a_fresh_sign_in(both: Both) -> None:
    person = both.enter("ada", ago=301)
    assert "Sign in again" in follow(person, "/inbox").text
    assert refused(person.post("/enrol/begin")) is Reason.LINK_LOGIN_STALE
    assert follow(person, "/signin?fresh=1").url.path == "/login"  # the service has them sign in anew


def test_the_service_itself_pins_nothing_by_a_ticket_of_an_old_sign_in(both: Both) -> None:
    person = both.enter("ada")
    begun = person.finish_registration("/enrol/created", person.post("/enrol/begin").json()).json()
    old = both.ticket(auth_time=real_time() - 301)
    both.server.execute("UPDATE guest_sessions SET ticket = ?", old)
    assert refused(person.post("/enrol/finish", **person.sign(begun))) is Reason.LINK_LOGIN_STALE
    assert both.pinned() == []


def entered(both: Both, text: str, secret: str = "s") -> httpx.Response:
    """Come over with a ticket, in a browser that holds `secret`."""
    cookies = {Settings(public_url=both.server.url).session_cookie + "-enter": secret + "~/inbox"}
    return httpx.get(both.server.url + "/enter", params={"ticket": text}, cookies=cookies)


def test_a_ticket_that_holds_is_taken_once(both: Both) -> None:
    text = both.ticket()
    assert entered(both, text).status_code == 303
    assert entered(both, text).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        {"iss": "http://localhost:1"}, {"aud": "http://localhost:1"}, {"nonce": canonical.sha256(b"another browser")},
        {"iat": -60, "exp": 0}, {"iat": 3600, "exp": 3660}, {"exp": 3600}, {"sub": ""}, {"label": "x" * 81},
        {"auth_time": 3600}, {"pinned": ""}, {"jti": "j" * 129}, {"nonce": "short"},
    ],
    ids=str,
)  # fmt: skip
def test_a_ticket_for_anything_else_is_refused(both: Both, change: dict[str, Any]) -> None:
    now = real_time()  # times are told as seconds from now
    times = {name: now + value for name, value in change.items() if name in {"iat", "exp", "auth_time"}}
    answer = entered(both, both.ticket(**{"auth_time": now - 90, **change, **times}))
    assert answer.status_code == 403
    assert Reason.TICKET_INVALID.value in answer.text


@pytest.mark.parametrize("text", ["", "x", "a.b.c", "x" * 5000])
def test_what_is_no_ticket_is_refused(both: Both, text: str) -> None:
    assert Reason.TICKET_INVALID.value in entered(both, text).text


def test_a_ticket_that_another_key_signed_is_refused(both: Both, tmp_path: Path) -> None:
    (tmp_path / "thief").mkdir()
    thief = Both(both.resource, both.server, tmp_path / "thief", [])
    assert Reason.TICKET_INVALID.value in entered(both, thief.ticket()).text


def test_the_ticket_is_for_the_server_that_the_service_has_configured(both: Both) -> None:
    nonce = canonical.sha256(b"s")
    cookies = {ACCOUNT: "ada", SIGNED_IN: str(real_time())}
    asked = {"nonce": nonce, "issuer": "http://localhost:1", "aud": "http://localhost:1"}
    answer = httpx.get(both.resource + "/oneact/ticket", params=asked, cookies=cookies)
    assert answer.headers["location"].startswith(both.server.url + "/enter?ticket=")
    assert answer.headers["referrer-policy"] == "no-referrer"


def roster_post(both: Both, person: Visitor, text: str) -> httpx.Response:
    """Bring a first roster to the service with a ticket of one's own choice, as a thief of the server would."""
    begun = person.finish_registration("/enrol/created", person.post("/enrol/begin").json()).json()
    signed = person.sign(begun)
    [[value]] = both.server.execute("SELECT value FROM gestures WHERE kind LIKE '%roster%'")
    response = signed["credential"]["response"]
    webauthn = {
        "credential_id": signed["credential"]["id"], "authenticator_data": response["authenticatorData"],
        "client_data_json": response["clientDataJSON"], "signature": response["signature"],
    }  # fmt: skip
    body = {"roster": json.loads(value)["value"], "webauthn": webauthn, "ticket": text}
    return httpx.post(both.resource + "/oneact/roster", json=body)


@pytest.mark.parametrize(
    "change", [{"aud": "http://localhost:1"}, {"iss": "http://localhost:1"}, {"iat": 1, "exp": 61, "auth_time": 1}]
)
def test_the_service_pins_nothing_by_a_ticket_that_is_not_its_own_and_lately(
    both: Both, change: dict[str, Any]
) -> None:
    assert refused(roster_post(both, both.enter("ada"), both.ticket(**change))) is Reason.TICKET_INVALID
    assert both.pinned() == []


def test_the_service_pins_nothing_over_what_it_has_pinned(both: Both) -> None:
    enrol(both.enter("ada"))
    thief = both.enter("eve")
    assert refused(roster_post(both, thief, both.ticket(sub="ada"))) is Reason.LINK_EXISTS
    assert both.pinned() == ["ada"]


def test_the_service_pins_no_roster_that_no_passkey_of_its_own_vouches_for(both: Both) -> None:
    person = both.enter("ada")
    person.finish_registration("/enrol/created", person.post("/enrol/begin").json())
    passkey, settings = person.passkey, Settings(public_url=both.server.url)
    others = SoftwarePasskey("localhost", settings.origin)
    listed = Roster(both.server.url, both.resource, "p", "localhost", (settings.origin,), 1, (passkey.credential,))
    body = {"roster": listed.members(), "webauthn": others.get(listed.challenge()).members(), "ticket": both.ticket()}
    answer = httpx.post(both.resource + "/oneact/roster", json=body)
    assert refused(answer) is Reason.ROSTER_UNPINNED
    body["webauthn"] = passkey.get(listed.challenge()).members()
    assert httpx.post(both.resource + "/oneact/roster", json=body).status_code == 204


def test_a_service_that_gives_no_tickets_takes_none(tmp_path: Path) -> None:
    port = free_port()
    guard = Guard(
        resource=f"http://localhost:{port}", name="Notes", key=tmp_path / "n.jwk", store=tmp_path / "n.db",
        account=lambda _: None, issuers=["https://approve.example"],
    )  # fmt: skip
    with serving(guard.app, port):
        answer = httpx.get(guard.resource + "/oneact/ticket", params={"nonce": canonical.sha256(b"s")})
        assert answer.status_code == 404
        found = httpx.get(metadata.well_known(guard.resource, metadata.SERVICE_PATH)).json()
        assert "oneact_ticket_uri" not in found


def test_an_account_that_the_service_has_unlinked_begins_anew(both: Both) -> None:
    enrol(both.enter("ada"))
    with contextlib.closing(sqlite3.connect(both.folder / "notes.db")) as connection, connection:
        connection.execute("DELETE FROM links")  # as its own support does with guard.unlink
    person = both.enter("ada")
    assert "I do not have it any more" in follow(person, "/inbox").text
    enrol(person)
    assert both.pinned() == ["ada"]


def test_a_server_that_does_not_know_what_the_service_has_pinned_lets_no_other_passkey_in(both: Both) -> None:
    enrol(both.enter("ada"))
    both.server.execute("UPDATE accounts SET guest = NULL")
    person = both.enter("ada")
    assert refused(person.post("/enrol/begin")) is Reason.LINK_EXISTS


def test_to_leave_ends_the_session_and_leads_back_to_the_service(both: Both) -> None:
    person = both.enter("ada")
    enrol(person)
    assert "Sign out" in person.get("/inbox").text
    left = person.submit("/signout", headers=OWN_PAGE)
    assert left.headers["location"] == both.resource + "/"
    assert both.server.execute("SELECT count(*) FROM guest_sessions") == [(0,)]
    assert person.get("/inbox").status_code == 303


def test_a_session_ends_by_itself_after_an_hour(both: Both) -> None:
    person = both.enter("ada")
    enrol(person)
    both.server.execute("UPDATE guest_sessions SET expires_at = expires_at - 3600")
    assert person.get("/inbox").status_code == 303


@pytest.mark.parametrize("text", ["notes", "ftp://notes.example", "https://notes.example/?a", "https://", "http://a b"])
def test_a_service_that_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(Refusal) as caught:
        Settings(for_service=text)
    assert caught.value.reason is Reason.REQUEST_MALFORMED


def test_a_database_begun_for_one_service_is_not_opened_for_another(tmp_path: Path) -> None:
    with running_server(tmp_path, real_time, for_service="http://localhost:1") as server:
        url = server.url
    settings = Settings(public_url=url, database=server.database, key_file=tmp_path / "server.jwk")
    with pytest.raises(Refusal, match="ONEACT_FOR_SERVICE is now empty"):
        asyncio.run(world.try_out(settings))
