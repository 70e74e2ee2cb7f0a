"""A service whose address holds letters beyond ASCII, percent-encoded: all that is below it is found."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import httpx
import pytest
from fastmcp import FastMCP
from starlette.applications import Starlette
from starlette.routing import Mount, Route
from werkzeug.middleware.dispatcher import DispatcherMiddleware

from oneact.embedded import Embedded
from oneact.protocol import metadata
from oneact.service import Guard, LocalAccount, exchange, mcp, wsgi
from oneact.service.act import Act
from tests.embedded.conftest import visitor
from tests.embedded.notes import ACCOUNT, SIGNED_IN, Notes, enrol, sign_in
from tests.embedded.test_django import DjangoNotes
from tests.embedded.test_flask import FlaskNotes
from tests.embedded.test_whole import delete, paired
from tests.ports import free_port
from tests.server.peers import serving
from tests.service.serving import by_waitress, by_werkzeug

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

PATH, AT = "/caf%C3%A9-%E6%9D%B1", "/pr%C3%BCfen"
SCHEMA: dict[str, Any] = {"type": "object", "properties": {"name": {"type": "string"}}, "required": ["name"]}


class PlainNotes(Notes):
    """The same service without a framework; `kind` is the guard's class."""

    kind: Any = Guard

    def __post_init__(self) -> None:
        self.resource = f"http://localhost:{self.port}{self.path}"
        self.embedded = Embedded(self.folder / "approve", path=self.at)
        guard = self.kind(
            resource=self.resource, name="Notes", key=self.folder / "notes.jwk", store=self.folder / "notes.db",
            account=self.whose, issuers=self.embedded,
        )  # fmt: skip
        self.guard, self.url = guard, self.embedded.issuer
        said: dict[str, Any] = {"intent": "Delete a note", "summary": "Delete {name}", "schema": SCHEMA}
        declare = guard.wsgi if self.kind is wsgi.Guard else guard.asgi
        self.remove = declare("delete_note", **said)(self.deleted)

    def whose(self, request: Any) -> LocalAccount | None:
        account, since = request.cookie(ACCOUNT), request.cookie(SIGNED_IN)
        return None if account is None else LocalAccount(account, account.title(), int(since))

    def deleted(self, parameters: dict[str, Any], act: Act) -> dict[str, str]:
        self.done.append((act.account, parameters["name"]))
        return {"deleted": parameters["name"]}


class WsgiNotes(PlainNotes):
    kind = wsgi.Guard


@contextlib.contextmanager
def asgi(notes: Notes, app: Any) -> Iterator[None]:
    """Serve an application where its address says, and what stands at the root of the host beside it."""
    routes = [Mount(unquote(notes.path), app), Mount("/", notes.guard.app)]
    with serving(Starlette(routes=routes, lifespan=lambda _: notes.guard.lifespan()), notes.port):
        yield


@contextlib.contextmanager
def of_wsgi(notes: Any, app: Any, run: Any) -> Iterator[None]:
    mount = unquote(notes.path).encode().decode("latin-1")
    with run(DispatcherMiddleware(app, {mount: app}), notes.port):
        yield
    getattr(notes, "sync", notes.guard).stop_sync()


@pytest.fixture(params=["asgi", "django", "fastapi", "flask", "wsgi"])
def notes(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Notes]:
    kinds: dict[str, Any] = {
        "asgi": PlainNotes, "django": DjangoNotes, "fastapi": Notes, "flask": FlaskNotes, "wsgi": WsgiNotes,
    }  # fmt: skip
    found = kinds[request.param](tmp_path, free_port(), PATH, AT)
    served = {
        "asgi": lambda: asgi(found, Starlette(routes=[Route("/notes", found.remove), Mount("/", found.guard.app)])),
        "django": lambda: of_wsgi(found, found.django, by_waitress),
        "fastapi": lambda: asgi(found, found.app),
        "flask": lambda: of_wsgi(found, found.flask, by_waitress),
        "wsgi": lambda: of_wsgi(found, found.guard.app, by_werkzeug),
    }
    with served[request.param]():
        yield found


async def test_a_person_enrols_there_and_an_act_is_approved_and_done(notes: Notes, tmp_path: Path) -> None:
    person = visitor(notes)
    sign_in(person, "ada")
    enrol(person)
    assert person.get("/inbox").status_code == 200
    assert await delete(notes, person, paired(notes, person, tmp_path), "ü") == {"deleted": "ü"}
    assert notes.done == [("ada", "ü")]


def test_both_metadata_documents_stand_at_their_well_known_addresses(notes: Notes) -> None:
    service = httpx.get(metadata.well_known(notes.resource, metadata.SERVICE_PATH)).json()
    assert service["resource"] == notes.resource
    assert service["authorization_servers"] == [notes.url]
    assert httpx.get(service["jwks_uri"]).status_code == 200
    server = httpx.get(metadata.well_known(notes.url, metadata.SERVER_PATH)).json()
    assert server["issuer"] == notes.url
    assert httpx.get(server["jwks_uri"]).status_code == 200


def test_the_same_octets_in_the_other_spelling_are_the_same_address(notes: Notes) -> None:
    # RFC 3986, section 6.2.2.1; identifiers and what is signed are still compared as text.
    for address in (notes.url + "/oauth/jwks.json", metadata.well_known(notes.url, metadata.SERVER_PATH)):
        path = urlsplit(address).path
        lower = address.replace(path, path.replace("%C3", "%c3").replace("%E6%9D%B1", "%e6%9d%b1"))
        assert lower != address
        assert httpx.get(lower).status_code == 200, lower


def test_the_guards_addresses_beside_an_mcp_endpoint_are_found(tmp_path: Path) -> None:
    port = free_port()
    resource = f"http://localhost:{port}{PATH}"
    guard = mcp.Guard(
        resource=resource, name="Notes", key=tmp_path / "notes.jwk", store=tmp_path / "notes.db",
        account=lambda _: None, issuers=Embedded(tmp_path / "approve", path=AT),
    )  # fmt: skip
    server = FastMCP("notes")
    guard.protect(server)
    with serving(guard.around(server.http_app()), port):
        found = httpx.get(metadata.well_known(resource, metadata.SERVICE_PATH)).json()
        assert found["resource"] == resource
        assert httpx.get(found["jwks_uri"]).status_code == 200
        assert httpx.get(resource + AT + "/oauth/jwks.json").status_code == 200


@pytest.mark.parametrize(
    ("sent", "mount", "left"),
    [
        (b"/air/a%2Fb", b"/air", b"/a%2Fb"),
        (b"/%C3%BC/a", "/ü".encode(), b"/a"),
        (b"/%c3%BC", "/ü".encode(), b""),
        (b"/a", b"/air", b"/a"),
        (b"/airport/a", b"/air", b"/airport/a"),
        (b"/a.r/a", b"/a.r", b"/a"),
        (b"/air/a", b"/a.r", b"/air/a"),
        (b"/a", b"", b"/a"),
    ],
)
def test_a_prefix_is_taken_off_a_path_as_it_was_sent(sent: bytes, mount: bytes, left: bytes) -> None:
    assert exchange.below(sent, mount) == left
