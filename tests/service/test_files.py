"""An agent's own act with a file: offered, approved and executed for exactly these octets, in each framework."""

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import fastapi
import flask
import httpx
import pytest
from django.core.files.uploadedfile import UploadedFile
from django.test import override_settings
from django.urls import path
from pydantic import BaseModel
from tests.ports import free_port
from tests.server.peers import serving
from tests.service.django_desk import Desk
from werkzeug.datastructures import FileStorage

from oneact.protocol import canonical, offer
from oneact.service import django as of_django
from oneact.service import fastapi as of_fastapi
from oneact.service import flask as of_flask
from oneact.testing import InProcessApprover, TestAgent

KIND = "multipart/form-data; boundary=b"
CV = ("cv.pdf", b"%PDF-1.7 the life of Ada\r\n\x00\xff", "application/pdf")
ABOUT = {"digest": canonical.sha256(CV[1]), "name": CV[0], "type": CV[2], "size": len(CV[1])}
LARGE = 3_000_000  # beyond what Django keeps of a body in memory
SAID: dict[str, Any] = {"intent": "Apply", "summary": "Apply as {role}", "max_file_octets": LARGE}
SETTINGS: dict[str, Any] = {
    "name": "Air", "account": lambda _: None, "issuers": ["http://localhost:8400"],
}  # fmt: skip


class Told(NamedTuple):
    """An answer, whichever client got it."""

    status: int
    json: Any


class Fee(BaseModel):
    fee: str


class Agency:
    """A service that takes a CV, with one person and one agent; `given` is what its handler got."""

    face: Any
    folder: Path

    def __init__(self, folder: Path) -> None:
        self.given: list[tuple[Any, ...]] = []
        self.person, self.agent = InProcessApprover(), TestAgent()
        self.folder = folder
        self.port = free_port()
        settings = {**SETTINGS, "resource": f"http://localhost:{self.port}"}
        self.guard = self.face.Guard(key=folder / "k.jwk", store=folder / "s.db", **settings)
        self.make()
        self.person.link(self.guard, "ada")

    def make(self) -> None: ...

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Told: ...

    def stop(self) -> None:
        self.guard.stop_sync()

    def post(self, body: bytes, headers: dict[str, str], path: str = "/apply", kind: str = KIND) -> Told:
        return self.send("POST", path, body, {"Content-Type": kind, **headers})

    def approved(self, body: bytes) -> dict[str, str]:
        """Ask for an act and have it approved; give the headers that show it."""
        asked = self.post(body, self.person.accept)
        assert asked.json["reason"] == "approval_required", asked
        actions = self.send("GET", "/oneact/actions", b"", {}).json
        token = self.person.approve(asked.json["transaction_challenge"], actions, self.agent, int(time.time()))
        return self.agent.headers("POST", self.guard.resource + "/apply", token, int(time.time()))

    def fee(self, cv: Any) -> Fee:
        return Fee(fee=f"1.00 USD for {cv.size} octets")


class OfFastApi(Agency):
    face = of_fastapi

    def make(self) -> None:
        app = fastapi.FastAPI()
        app.include_router(self.guard.router)

        @app.post("/apply")
        @self.guard.action("apply", terms=self.fee, **SAID)
        async def apply(
            role: Annotated[str, fastapi.Form()],
            cv: fastapi.UploadFile,
            act: of_fastapi.Act,
            photo: Annotated[bytes | None, fastapi.File(alias="photo-file")] = None,
        ) -> None:
            self.given.append((act.account, role, (cv.filename, await cv.read(), cv.content_type), cv.size, photo))

        self.running = contextlib.ExitStack()
        self.running.enter_context(serving(app, self.port))
        self.client = self.running.enter_context(httpx.Client(base_url=self.guard.resource))

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Told:
        answer = self.client.request(method, path, content=body, headers=headers)
        return Told(answer.status_code, answer.json() if answer.content else None)

    def stop(self) -> None:
        self.running.close()


class OfFlask(Agency):
    face = of_flask

    def make(self) -> None:
        self.app = flask.Flask("agency")
        self.app.register_blueprint(self.guard.blueprint)

        @self.app.post("/apply")
        @self.guard.action("apply", terms=self.fee, **SAID)
        def apply(
            role: Annotated[str, of_flask.Form()],
            cv: FileStorage,
            act: of_flask.Act,
            photo: Annotated[bytes | None, of_flask.File(alias="photo-file")] = None,
        ) -> None:
            whole = (cv.filename, cv.read(), cv.content_type)
            self.given.append((act.account, role, whole, cv.content_length, photo))

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Told:
        answer = self.app.test_client().open(path, method=method, data=body, headers=headers)
        return Told(answer.status_code, answer.json if answer.data else None)


class OfDjango(Agency):
    face = of_django

    def make(self) -> None:
        self.desk = Desk(self.folder / "unused")
        self.desk.guard = self.guard

        @self.guard.action("apply", terms=self.fee, **SAID)
        def apply(
            role: Annotated[str, of_django.Form()],
            cv: UploadedFile,
            act: of_django.Act,
            photo: Annotated[bytes | None, of_django.File(alias="photo-file")] = None,
        ) -> None:
            self.given.append((act.account, role, (cv.name, cv.read(), cv.content_type), cv.size, photo))

        self.desk.put(path("apply", apply))
        self.guard.bind(self.desk.urls)

    def send(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Told:
        kind = headers.get("Content-Type", "")
        answer = self.desk.client().generic(method, path, body, kind, headers=headers)
        return Told(answer.status_code, answer.json() if answer.content else None)


@pytest.fixture(params=[OfFastApi, OfFlask, OfDjango])
def agency(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Agency]:
    (tmp_path / "unused").mkdir()
    found = request.param(tmp_path)
    yield found
    found.stop()


def part(name: str, content: bytes, file: str | None = None, kind: str | None = None) -> bytes:
    named = "" if file is None else f'; filename="{file}"'
    typed = "" if kind is None else f"Content-Type: {kind}\r\n"
    return f'--b\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{typed}\r\n'.encode() + content + b"\r\n"


def form(name: str = CV[0], content: bytes = CV[1], kind: str = CV[2], *more: bytes) -> bytes:
    return b"".join([part("role", b"pilot"), part("cv", content, name, kind), *more, b"--b--\r\n"])


def test_the_handler_gets_the_very_file_that_was_approved(agency: Agency) -> None:
    photo = part("photo-file", b"\x89PNG", "me.png", "image/png")
    body = form(*CV, photo)
    asked = agency.post(body, agency.person.accept)
    act = offer.parse(asked.json["transaction_challenge"])[0].act
    about = {"digest": canonical.sha256(b"\x89PNG"), "name": "me.png", "type": "image/png", "size": 4}
    assert act.parameters == {"role": "pilot", "cv": ABOUT, "photo-file": about}
    assert act.terms == {"fee": f"1.00 USD for {len(CV[1])} octets"}
    shown = agency.approved(body)
    assert agency.given == []
    assert agency.post(body, shown).status == 204
    assert agency.given == [("ada", "pilot", CV, len(CV[1]), b"\x89PNG")]
    assert agency.post(body, shown).json["reason"] == "proof_replayed"
    assert len(agency.given) == 1


def test_a_file_that_may_be_left_out_is_none(agency: Agency) -> None:
    agency.post(form(), agency.approved(form()))
    assert [given[-1] for given in agency.given] == [None]


@pytest.mark.parametrize(
    "changed",
    [
        form(CV[0], CV[1].replace(b"Ada", b"Eve"), CV[2]),
        form("cv.exe", *CV[1:]),
        form(*CV[:2], "application/xml"),
        form(*CV, part("photo-file", b"\x89PNG", "me.png", "image/png")),
    ],
)
def test_another_file_than_the_approved_one_is_refused_by_check_6(agency: Agency, changed: bytes) -> None:
    answer = agency.post(changed, agency.approved(form()))
    assert (answer.status, answer.json["reason"]) == (401, "act_mismatch")
    assert agency.given == []


def test_a_file_of_some_megabytes_is_an_act_too_and_a_larger_one_is_none(agency: Agency) -> None:
    body = form(CV[0], b"x" * LARGE)
    agency.post(body, agency.approved(body))
    assert [len(given[2][1]) for given in agency.given] == [LARGE]
    for more in (1, 300_000, 2 * LARGE):
        asked = agency.post(form(CV[0], b"x" * (LARGE + more)), agency.person.accept)
        assert (asked.status, asked.json["reason"]) == (413, "request_too_large")


@pytest.mark.parametrize(
    ("path", "kind", "body"),
    [
        ("/apply", "application/x-www-form-urlencoded", b"role=pilot&cv=x"),
        ("/apply", "application/json", b'{"role": "pilot"}'),
        (
            "/oneact/act",
            "application/json",
            canonical.encode({"action": "apply", "parameters": {"role": "pilot", "cv": ABOUT}}),
        ),
    ],
)
def test_a_file_whose_content_did_not_come_with_it_is_refused(
    agency: Agency, path: str, kind: str, body: bytes
) -> None:
    asked = agency.post(body, agency.person.accept, path, kind)
    assert (asked.status, asked.json["reason"]) == (415, "media_type")


def test_a_form_that_is_cut_short_is_refused(agency: Agency) -> None:
    asked = agency.post(form()[:-8], agency.person.accept)
    assert (asked.status, asked.json["reason"]) == (400, "request_malformed")


@pytest.mark.parametrize("name", ["a/b.pdf", "..", "."])
def test_a_name_that_django_would_change_is_refused_before_it_is_offered(tmp_path: Path, name: str) -> None:
    (tmp_path / "unused").mkdir()
    agency = OfDjango(tmp_path)
    asked = agency.post(form(name), agency.person.accept)
    agency.stop()
    assert (asked.status, asked.json["reason"], asked.json["field"]) == (422, "parameters_invalid", "cv")


def test_what_a_site_says_of_bodies_in_memory_holds_for_what_is_no_file(tmp_path: Path) -> None:
    (tmp_path / "unused").mkdir()
    agency = OfDjango(tmp_path)
    with override_settings(DATA_UPLOAD_MAX_MEMORY_SIZE=10):
        asked = agency.post(form(), agency.person.accept)
    agency.stop()
    assert asked.json["reason"] == "approval_required"


@pytest.mark.parametrize("face", [of_flask, of_django, of_fastapi])
def test_what_could_not_be_shown_or_taken_is_told_when_it_is_declared(tmp_path: Path, face: Any) -> None:
    settings = {**SETTINGS, "resource": "http://localhost:1"}
    guard = face.Guard(key=tmp_path / "k.jwk", store=tmp_path / "s.db", **settings)
    upload = {of_flask: FileStorage, of_django: UploadedFile, of_fastapi: fastapi.UploadFile}[face]
    mark = fastapi.File if face is of_fastapi else face.File

    def default(cv: Any = b"") -> None: ...

    def text(cv: Any) -> None: ...

    def several(cv: Any) -> None: ...

    def fits(cv: Any) -> None: ...

    default.__annotations__ = {"cv": Annotated[bytes, mark()]}
    text.__annotations__ = {"cv": Annotated[str, mark()]}
    several.__annotations__ = {"cv": list[upload]}  # type: ignore[valid-type]  # of any framework
    fits.__annotations__ = {"cv": upload}
    for refused in (default, text, several):
        with pytest.raises(ValueError, match=r"action apply: (parameter )?cv"):
            guard.action("apply", intent="A", summary="")(refused)
    for octets in (0, 17 * 1024 * 1024):
        with pytest.raises(ValueError, match="octets"):
            guard.action("apply", max_file_octets=octets, intent="A", summary="")(fits)
