"""What the Flask face makes of a read: a view like any other, behind the check of the read token."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import flask
import pytest
from pydantic import BaseModel
from werkzeug.test import TestResponse

from oneact.service.flask import Guard, Reading
from oneact.testing import InProcessApprover, TestAgent


class Room(BaseModel):
    name: str


class Hotel:
    """An application with a person whose account `ada` is linked, and an agent for which all its reads are open."""

    def __init__(self, folder: Path) -> None:
        self.guard = Guard(
            resource="http://localhost:1", name="Inn", key=folder / "k.jwk", store=folder / "s.db",
            account=lambda _: None, issuers=["http://localhost:8400"],
        )  # fmt: skip
        self.app = flask.Flask(__name__)
        self.app.register_blueprint(self.guard.blueprint)
        self.person, self.agent = InProcessApprover(), TestAgent()

    def read(self, path: str, method: str = "GET") -> TestResponse:
        client, now = self.app.test_client(), int(time.time())
        reads = client.get("/oneact/actions").get_json()["reads"]
        token = self.person.read_token(self.guard.resource, reads, self.agent, now)
        return client.open(
            path, method=method, headers=self.agent.headers(method, self.guard.resource + path, token, now)
        )


@pytest.fixture
def hotel(tmp_path: Path) -> Iterator[Hotel]:
    found = Hotel(tmp_path)
    found.person.link(found.guard, "ada")
    yield found
    found.guard.stop_sync()


def reads(hotel: Hotel, function: Any) -> Any:
    return hotel.guard.read("rooms", intent="See the rooms")(function)


def test_a_view_gives_models_and_whatever_flask_takes(hotel: Hotel) -> None:
    def rooms(reading: Reading) -> Any:
        return {"rooms": [Room(name="Blue")], "for": reading.account}, 206

    def many() -> Any:
        return flask.Response(iter(["one ", "by one"]))

    hotel.app.get("/rooms")(reads(hotel, rooms))
    hotel.app.get("/many")(hotel.guard.read("many", intent="See many")(many))
    answer = hotel.read("/rooms")
    assert (answer.status_code, answer.json) == (206, {"rooms": [{"name": "Blue"}], "for": "ada"})
    assert hotel.read("/many").text == "one by one"


def test_what_a_view_aborts_with_is_the_applications_own_answer(hotel: Hotel) -> None:
    hotel.app.get("/rooms/<name>")(reads(hotel, lambda name: flask.abort(404, f"no {name}")))
    hotel.app.register_error_handler(404, lambda error: ({"wrong": error.description}, 404))
    answer = hotel.read("/rooms/Red")
    assert (answer.status_code, answer.json) == (404, {"wrong": "no Red"})


def test_a_head_needs_a_token_as_a_get_does(hotel: Hotel) -> None:
    hotel.app.get("/rooms")(reads(hotel, lambda: ("", {"X-Rooms": "3"})))
    assert hotel.read("/rooms", "HEAD").headers["X-Rooms"] == "3"
    shut = hotel.app.test_client().head("/rooms")
    assert (shut.status_code, "X-Rooms" in shut.headers) == (401, False)


def test_a_token_for_one_read_opens_no_act_and_no_view_runs_without_one(hotel: Hotel) -> None:
    ran: list[str] = []

    def book() -> None:
        ran.append("act")

    hotel.app.get("/rooms")(reads(hotel, lambda: ran.append("read")))
    hotel.app.post("/rooms")(hotel.guard.action("book", intent="Book", summary="Book")(book))
    assert hotel.read("/rooms", "POST").get_json()["reason"] == "token_malformed"
    assert hotel.app.test_client().get("/rooms").get_json()["reason"] == "read_token_required"
    assert ran == []


def test_a_stopped_guard_reads_again_with_the_next_request(hotel: Hotel) -> None:
    hotel.app.get("/rooms")(reads(hotel, lambda: "3"))
    assert hotel.read("/rooms").text == "3"
    hotel.guard.stop_sync()
    assert hotel.read("/rooms").text == "3"


def test_a_guard_above_the_route_is_told_before_there_is_a_request(hotel: Hotel) -> None:
    @hotel.guard.read("rooms", intent="See the rooms")
    @hotel.app.get("/rooms")
    def rooms() -> str:
        return "3"

    with pytest.raises(ValueError, match="without the guard"):
        hotel.guard.bind(hotel.app)


@pytest.mark.parametrize("methods", [["POST"], ["GET", "POST"], ["GET", "DELETE"]])
def test_a_rule_that_takes_more_than_a_get_is_told(hotel: Hotel, methods: list[str]) -> None:
    hotel.app.route("/rooms", methods=methods)(reads(hotel, lambda: "3"))
    with pytest.raises(ValueError, match="read rooms: a read is a GET"):
        hotel.guard.bind(hotel.app)


@pytest.mark.parametrize(
    ("rule", "view"), [("/rooms/<name>", lambda: "3"), ("/rooms", lambda name: name), ("/rooms/<int:a>", lambda b: b)]
)
def test_a_rule_that_its_view_cannot_take_is_told(hotel: Hotel, rule: str, view: Any) -> None:
    hotel.app.get(rule)(reads(hotel, view))
    with pytest.raises(ValueError, match="read rooms: its route gives its handler"):
        hotel.guard.bind(hotel.app)


def test_a_name_that_is_taken_and_a_view_that_no_thread_could_run_are_told(hotel: Hotel) -> None:
    async def rooms() -> None: ...

    with pytest.raises(ValueError, match="read rooms: the handler: write def, not async def"):
        reads(hotel, rooms)
    reads(hotel, lambda: None)
    with pytest.raises(ValueError, match="two reads are named rooms"):
        reads(hotel, lambda: None)
    hotel.guard.wsgi_read("beds", intent="See the beds", path="/beds")
    with pytest.raises(ValueError, match="two reads are named beds"):
        hotel.guard.read("beds", intent="See the beds")(lambda: None)
