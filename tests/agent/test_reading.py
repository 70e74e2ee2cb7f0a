"""A read as its agent goes it: one question to the person, then tokens that are renewed while the session is open."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from oneact.agent import Denied, Expired, Refused, Unreachable, flow
from oneact.agent.flow import Answer, Asker, Call, Event, Lost, Session, Wait
from oneact.errors import Reason, Refusal
from oneact.protocol import metadata, reading

NOW = 1_800_000_000
AIR, ISSUER = "https://air.example", "http://localhost:8400"
READS: list[dict[str, Any]] = [
    {"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"},
    {"read": "bookings", "intent": "See your bookings", "path": "/of/{year}/{reference}"},
]
ENDPOINTS = ("backchannel_authentication_endpoint", "token_endpoint", "cancellation_endpoint")


class World:
    """A service and an approval server that answer as they should, unless a test bends an answer."""

    def __init__(self) -> None:
        self.bent: dict[str, list[Any]] = {}
        self.calls: list[tuple[str, Call]] = []
        self.now, self.tokens = NOW, 0
        self.server = metadata.ServerMetadata(ISSUER, {name: f"{ISSUER}/{name}" for name in ENDPOINTS})

    def asker(self, reason: str = "") -> Asker:
        return Asker(self.server, "hint", "c-1", "jkt", "key", reason, 600)

    def described(self) -> metadata.ServiceMetadata:
        return metadata.ServiceMetadata(
            AIR, "Air", AIR + "/jwks.json", AIR + "/actions", AIR + "/link", AIR + "/oneact/act", None
        )

    def json(self, status: int, value: Any) -> Answer:
        return Answer(status, {}, json.dumps(value).encode(), self.now)

    def answer(self, call: Call) -> Event:
        kind = "read" if call.method == "GET" and call.token else call.url.rpartition("/")[2]
        self.calls.append((kind, call))
        queue = self.bent.get(kind, [])
        if queue:
            bent = queue.pop(0)
            return Lost(self.now) if bent is None else bent()
        if kind == "token_endpoint":
            self.tokens += 1
        normal = {
            "actions": lambda: self.json(200, {"actions": [], "reads": READS}),
            "backchannel_authentication_endpoint": lambda: self.json(200, {"auth_req_id": "s-1"}),
            "token_endpoint": lambda: self.json(200, {"access_token": f"token-{self.tokens}", "expires_in": 300}),
            "cancellation_endpoint": lambda: self.json(200, {}),
            "read": lambda: Answer(200, {"content-type": "text/plain"}, b"found", self.now),
        }
        return normal[kind]()

    def go(self, going: Any) -> Any:
        event: Event = None
        while True:
            try:
                step = going.send(event)
            except StopIteration as stop:
                return stop.value
            if isinstance(step, Wait):
                self.now += step.seconds
                event = None
            else:
                event = self.answer(step)

    def open(self, *names: str, reason: str = "") -> Session:
        session = self.go(flow.open_session(self.asker(reason), self.described(), names or ("itineraries",), 3600))
        assert isinstance(session, Session)
        return session

    def read(self, session: Session, name: str = "itineraries", **parameters: Any) -> tuple[Session, Answer]:
        found: tuple[Session, Answer] = self.go(flow.fetch(session, name, parameters, self.asker(), self.now))
        return found

    def refusal(self, reason: str, status: int = 400, **more: Any) -> Any:
        return lambda: self.json(status, {"error": more.pop("error", "x"), "reason": reason, **more})


@pytest.fixture
def world() -> World:
    return World()


def test_a_session_is_asked_for_with_what_the_service_publishes(world: World) -> None:
    session = world.open("itineraries", "bookings", reason="to plan")
    calls = dict(world.calls)
    asked = calls["backchannel_authentication_endpoint"]
    wanted = reading.want(AIR, [reading.parse_read(item) for item in READS], 3600)
    assert asked.authenticated
    assert asked.form is not None
    assert json.loads(asked.form["authorization_details"]) == wanted.details()
    assert {name: asked.form[name] for name in ("scope", "login_hint", "binding_message")} == {
        "scope": "openid", "login_hint": "hint", "binding_message": "to plan",
    }  # fmt: skip
    polled = calls["token_endpoint"]
    assert polled.form == {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": "s-1"}
    assert polled.headers == {"Prefer": "wait=50"}
    assert (session.token, session.until, set(session.reads)) == ("token-1", NOW + 300, {"itineraries", "bookings"})


def test_parameters_go_into_the_path_that_names_them_and_else_into_the_query(world: World) -> None:
    session = world.open("itineraries", "bookings")
    world.read(session, "bookings", reference="B/1 ?", year=2024, full=True)
    call = world.calls[-1][1]
    assert (call.method, call.url) == ("GET", AIR + "/of/2024/B%2F1%20%3F?full=true")
    assert call.token == "token-1"
    world.read(session, to="NYC & on")
    assert world.calls[-1][1].url == AIR + "/itineraries?to=NYC+%26+on"
    world.read(session)
    assert world.calls[-1][1].url == AIR + "/itineraries"


def test_a_path_without_its_parameter_is_not_called(world: World) -> None:
    session = world.open("bookings")
    with pytest.raises(Refused) as refused:
        world.read(session, "bookings", year=2024)
    assert refused.value.reason == "parameters_invalid"
    assert [kind for kind, _ in world.calls].count("read") == 0


def test_a_token_is_used_until_shortly_before_its_end_and_then_renewed(world: World) -> None:
    session = world.open()
    world.now = NOW + 289
    session, answer = world.read(session)
    assert (session.token, answer.body) == ("token-1", b"found")
    world.now = NOW + 290
    session, _ = world.read(session)
    assert (session.token, session.until) == ("token-2", NOW + 590)


def test_a_token_that_has_ended_for_the_service_is_renewed_once(world: World) -> None:
    session = world.open()
    world.bent["read"] = [world.refusal("token_expired", 401)]
    session, answer = world.read(session)
    assert (session.token, answer.body) == ("token-2", b"found")
    world.bent["read"] = [world.refusal("token_expired", 401), world.refusal("token_expired", 401)]
    with pytest.raises(Refused) as refused:
        world.read(session)
    assert refused.value.reason == "token_expired"


def test_a_lost_answer_is_asked_for_once_more(world: World) -> None:
    session = world.open()
    world.bent["read"] = [None]
    assert world.read(session)[1].body == b"found"
    world.bent["read"] = [None, None]
    with pytest.raises(Unreachable):
        world.read(session)


def test_a_session_that_is_over_is_told(world: World) -> None:
    session = replace(world.open(), until=NOW)
    world.bent["token_endpoint"] = [world.refusal("read_ended")]
    with pytest.raises(Refused) as refused:
        world.read(session)
    assert refused.value.reason == "read_ended"
    world.bent["token_endpoint"] = [None]
    with pytest.raises(Unreachable):
        world.read(session)


def test_a_person_who_says_no_or_nothing_is_told(world: World) -> None:
    world.bent["token_endpoint"] = [world.refusal("denied", message="Not now")]
    with pytest.raises(Denied) as denied:
        world.open()
    assert denied.value.message == "Not now"
    world.bent["token_endpoint"] = [world.refusal("expired", error="expired_token")]
    with pytest.raises(Expired):
        world.open()


def test_what_the_service_does_not_publish_is_not_asked_for(world: World) -> None:
    with pytest.raises(Refused) as refused:
        world.open("fares")
    assert refused.value.reason == "read_unknown"
    assert [kind for kind, _ in world.calls] == ["actions"]


def test_the_reads_of_a_service_are_listed(world: World) -> None:
    world.bent["oauth-protected-resource"] = [lambda: world.json(200, world.described().document())]
    assert [read.name for read in world.go(flow.reads(AIR))] == ["itineraries", "bookings"]
    world.bent["oauth-protected-resource"] = [lambda: world.json(200, world.described().document())]
    world.bent["actions"] = [lambda: world.json(200, {"actions": [], "reads": {}})]
    with pytest.raises(Refusal) as refused:
        world.go(flow.reads(AIR))
    assert refused.value.reason is Reason.READ_UNKNOWN


@pytest.mark.parametrize("published", [{"actions": []}, []])
def test_a_service_without_reads_has_none(world: World, published: Any) -> None:
    world.bent["actions"] = [lambda: world.json(200, published)]
    with pytest.raises(Refused):
        world.open()


def test_a_refusal_to_ask_is_told(world: World) -> None:
    world.bent["backchannel_authentication_endpoint"] = [world.refusal("unlinked_service", 403)]
    with pytest.raises(Refused) as refused:
        world.open()
    assert refused.value.reason == "unlinked_service"
    world.server = metadata.ServerMetadata(ISSUER, {})
    with pytest.raises(Refused) as refused:
        world.open()
    assert refused.value.reason == "metadata_invalid"
