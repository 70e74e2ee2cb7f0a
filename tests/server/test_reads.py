"""Read sessions at the approval server: asked for, shown, opened by a passkey, renewed, ended, each in the log."""

from __future__ import annotations

import json
import threading
from typing import Any

import httpx
import pytest

from oneact.errors import Refusal
from oneact.log.entry import Entry, Kind
from oneact.log.states import Told, differences
from oneact.protocol import canonical, display, jwk, read_token, reading, roster
from oneact.server import erasing, readsessions
from oneact.service import checks, reads
from oneact.store import statements
from oneact.testing import TestAgent
from tests.server.peers import BOOKINGS, ITINERARIES, Agent, RunningServer, Service
from tests.server.visitor import Visitor

CIBA = "urn:openid:params:grant-type:ciba"


@pytest.fixture
def visitor(server: RunningServer, service: Service, agent: Agent) -> Visitor:
    found = Visitor(server).sign_up()
    found.link(service)
    found.pair(agent)
    return found


def details(service: Service, *documents: dict[str, Any], duration: int = 3600, **changes: Any) -> str:
    listed = [reading.parse_read(item) for item in documents or (ITINERARIES, BOOKINGS)]
    [made] = reading.want(service.url, listed, duration).details()
    assert isinstance(made, dict)
    return json.dumps([{**made, **changes}])


def ask(agent: Agent, text: str, **fields: str) -> httpx.Response:
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": text, **fields}
    return agent.post("/oauth/bc-authorize", **form)


def asked(agent: Agent, service: Service, **changes: Any) -> str:
    return str(ask(agent, details(service, **changes), binding_message="To plan").json()["auth_req_id"])


def poll(agent: Agent, identifier: str, **headers: str) -> httpx.Response:
    return agent.post("/oauth/token", headers, grant_type=CIBA, auth_req_id=identifier)


def opened(visitor: Visitor, identifier: str) -> httpx.Response:
    """Open the page, and approve."""
    assert visitor.get(f"/reads/{identifier}").status_code == 200
    begun = visitor.post("/reads/begin", session=identifier).json()
    return visitor.post("/reads/approve", **visitor.sign(begun))


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


def kinds(server: RunningServer, identifier: str) -> list[str]:
    rows = server.execute("SELECT kind FROM entries WHERE request_id = ? ORDER BY seq", identifier)
    return [kind for (kind,) in rows if kind != "notified"]


def test_what_a_person_opens_is_what_the_service_checks(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    assert reason(poll(agent, identifier)) == "authorization_pending"
    assert opened(visitor, identifier).status_code == 200
    body = poll(agent, identifier).json()
    assert {name: body[name] for name in ("token_type", "expires_in", "scope")} == {
        "token_type": "DPoP", "expires_in": 300, "scope": "read",
    }  # fmt: skip
    now, url = server.clock(), service.url + "/itineraries"
    shown = TestAgent(agent.client_id, agent.key).headers("GET", url, body["access_token"], now)
    keys = jwk.parse_set(httpx.get(server.url + "/oauth/jwks.json").json())
    trust = checks.Trust(service.url, (), {server.url: keys})
    published = {item["read"]: reading.parse_read(item) for item in service.reads}
    presented = checks.Shown((shown["Authorization"],), (shown["DPoP"],), "GET", url)
    found, _, wanted = reads.check_read(presented, "itineraries", published, trust, now)
    [[text]] = server.execute("SELECT roster FROM links")
    account = checks.Account("ada", (checks.Approver("ada", roster.parse(json.loads(text))),))
    read = reads.check_opened(found, wanted, "itineraries", published, account)
    assert (read.account, read.until) == ("ada", now + 3600)


def test_the_page_shows_what_is_signed_and_who_asks(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    service.reads = [{**ITINERARIES, "intent": "Search <b> & more\u202e"}, BOOKINGS]
    asking = ask(agent, details(service, *service.reads), binding_message="To plan")
    identifier = asking.json()["auth_req_id"]
    page = visitor.get(f"/reads/{identifier}").text
    for text in ("Example Air", "See your bookings", "itineraries", "60 min", "Planner", "To plan", "ada@example"):
        assert text in page
    assert "Search &lt;b&gt; &amp; more" in page
    assert "\u202e" not in page
    [[lines, digest]] = server.execute("SELECT lines, display_digest FROM read_sessions")
    rendered = reading.render([reading.parse_read(item) for item in service.reads], 3600)
    assert json.loads(lines) == [list(line) for line in rendered]
    assert digest == display.digest(rendered)


def test_what_waits_is_in_the_inbox_and_wakes_it(service: Service, agent: Agent, visitor: Visitor) -> None:
    before = visitor.get("/inbox/wait", version="").json()
    assert before["count"] == 0
    identifier = asked(agent, service)
    found = visitor.get("/inbox/wait", version=before["version"]).json()
    assert (found["count"], found["says"]) == (1, "1 request waits for you.")
    assert f"/reads/{identifier}" in found["html"]
    assert "Search itineraries" in visitor.get("/inbox").text


def test_every_step_is_in_the_log(server: RunningServer, service: Service, agent: Agent, visitor: Visitor) -> None:
    identifier = asked(agent, service)
    opened(visitor, identifier)
    text = poll(agent, identifier).json()["access_token"]
    visitor.submit(f"/reads/{identifier}/end")
    steps = ["read_asked", "read_shown", "read_opened", "read_token", "read_ended"]
    assert kinds(server, identifier) == steps
    rows = server.execute("SELECT kind, content FROM entries WHERE request_id = ? ORDER BY seq", identifier)
    told = {kind: json.loads(content) for kind, content in rows}
    assert told["read_asked"]["service"] == service.url
    assert told["read_asked"]["details"]["datatypes"] == ["itineraries", "bookings"]
    assert told["read_asked"]["reason"] == "To plan"
    assert told["read_shown"]["display"] == told["read_asked"]["display"]
    assert told["read_opened"]["approvals"] == read_token.parse(text)[0].approvals
    assert told["read_token"]["token"] == canonical.sha256(text.encode())
    assert told["read_ended"] == {"by": "person"}


def test_the_states_of_sessions_are_those_that_the_log_tells(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifiers = [asked(agent, service, duration=60 + number) for number in range(5)]
    for identifier in identifiers[1:3]:
        opened(visitor, identifier)
    visitor.submit(f"/reads/{identifiers[2]}/end")
    visitor.get(f"/reads/{identifiers[3]}")
    visitor.post("/reads/deny", session=identifiers[3], message="No")
    agent.post("/oauth/cancel", transaction_authorization_id=identifiers[4])
    states = dict(server.execute("SELECT id, state FROM read_sessions"))
    assert [states[found] for found in identifiers] == ["pending", "opened", "ended", "denied", "ended"]
    assert _differences(server) == []
    server.execute("UPDATE read_sessions SET state = 'opened' WHERE id = ?", identifiers[2])
    [said] = _differences(server)
    assert identifiers[2] in said


def _differences(server: RunningServer) -> list[str]:
    told = Told()
    for kind, at, account, request, content in server.execute(
        "SELECT kind, at, account_id, request_id, content FROM entries ORDER BY seq"
    ):
        told.tell(Entry(Kind(kind), at, account, request, json.loads(content)))
    rows = server.execute(statements.load()["states"])
    return [said for said in differences(told, rows) if said.startswith("the read ")]


def test_a_token_is_renewed_while_the_session_is_open_and_never_past_its_end(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service, duration=400)
    opened(visitor, identifier)
    first = poll(agent, identifier).json()
    assert poll(agent, identifier).json()["access_token"] == first["access_token"]
    server.clock.now += 200
    second = poll(agent, identifier).json()
    assert second["access_token"] != first["access_token"]
    assert second["expires_in"] == 200
    server.clock.now += 199
    assert poll(agent, identifier).json()["expires_in"] == 1
    server.clock.now += 1
    assert reason(poll(agent, identifier)) == "read_ended"


def test_a_session_that_is_pending_or_open_is_joined(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    again = ask(agent, details(service)).json()
    assert (again["auth_req_id"], again["joined"]) == (identifier, True)
    opened(visitor, identifier)
    server.clock.now += 60
    again = ask(agent, details(service)).json()
    assert (again["auth_req_id"], again["joined"], again["expires_in"]) == (identifier, True, 3540)
    assert asked(agent, service, duration=60) != identifier
    visitor.submit(f"/reads/{identifier}/end")
    assert asked(agent, service) != identifier


@pytest.mark.parametrize("how", ["end", "cancel", "block", "remove", "unlink", "passkey"])
def test_what_ends_it_gives_no_token_from_then_on(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor, how: str
) -> None:
    other = visitor.add_passkey()
    identifier = asked(agent, service)
    opened(visitor, identifier)
    assert poll(agent, identifier).status_code == 200
    [[pairing]] = server.execute("SELECT id FROM pairings WHERE hint = ?", agent.hint)
    {
        "end": lambda: visitor.submit(f"/reads/{identifier}/end"),
        "cancel": lambda: agent.post("/oauth/cancel", transaction_authorization_id=identifier),
        "block": lambda: visitor.submit(f"/agents/{pairing}/block"),
        "remove": lambda: visitor.submit(f"/agents/{pairing}/remove"),
        "unlink": lambda: visitor.unlink(service),
        "passkey": lambda: visitor.remove_passkey(visitor.passkey.id, other),
    }[how]()
    assert reason(poll(agent, identifier)) == "read_ended"
    assert f'action="/reads/{identifier}/end"' not in visitor.get("/reads").text
    assert 'href="/reads"' in visitor.get("/agents").text


def test_a_person_says_no_and_the_agent_is_told(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    visitor.get(f"/reads/{identifier}")
    assert visitor.post("/reads/deny", session=identifier, message=" Not now ").status_code == 200
    answer = poll(agent, identifier)
    assert (reason(answer), answer.json()["message"]) == ("denied", "Not now")
    assert kinds(server, identifier) == ["read_asked", "read_shown", "read_denied"]
    assert reason(visitor.post("/reads/deny", session=identifier)) == "not_pending"


def test_nobody_decides_in_time_and_it_expires(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    visitor.get(f"/reads/{identifier}")
    server.clock.now += 600
    assert reason(poll(agent, identifier)) == "expired"
    assert reason(visitor.post("/reads/begin", session=identifier)) == "not_pending"


def test_an_agent_that_waits_is_woken(service: Service, agent: Agent, visitor: Visitor) -> None:
    identifier, answers = asked(agent, service), []
    waiting = threading.Thread(target=lambda: answers.append(poll(agent, identifier, Prefer="wait=20")))
    waiting.start()
    opened(visitor, identifier)
    waiting.join(10)
    assert [answer.status_code for answer in answers] == [200]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"datatypes": ["fares"]}, "read_unknown"),
        ({"datatypes_digest": "A" * 43}, "read_unknown"),
        ({"duration": 3601}, "read_unknown"),
        ({"more": 1}, "read_unknown"),
        ({"locations": ["https://other.example"]}, "unlinked_service"),
    ],
)
def test_what_the_service_does_not_publish_is_not_asked_for(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor, changes: dict[str, Any], expected: str
) -> None:
    assert reason(ask(agent, details(service, **changes))) == expected
    assert server.execute("SELECT count(*) FROM read_sessions") == [(0,)]
    assert [kind for (kind,) in server.execute("SELECT kind FROM entries WHERE kind = 'refused'")] == ["refused"]
    assert visitor.account


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"scope": "read"}, "scope_invalid"),
        ({"login_hint": "another"}, "hint_unknown"),
        ({"binding_message": "x" * 501}, "request_malformed"),
    ],
)
@pytest.mark.usefixtures("visitor")
def test_who_asks_otherwise_is_refused(service: Service, agent: Agent, fields: dict[str, str], expected: str) -> None:
    assert reason(ask(agent, details(service), **fields)) == expected


@pytest.mark.usefixtures("visitor")
def test_nothing_is_fetched_of_a_service_that_is_not_linked(service: Service, agent: Agent) -> None:
    service.fetched.clear()
    ask(agent, details(Service("http://localhost:9")))
    assert service.fetched == []


def test_a_new_release_of_the_service_is_fetched_before_it_is_refused(
    service: Service, agent: Agent, visitor: Visitor, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked(agent, service)
    monkeypatch.setattr("oneact.documents.REFRESH_EVERY", 0)
    service.reads = [{**ITINERARIES, "intent": "Search all"}]
    assert ask(agent, details(service, *service.reads)).status_code == 200
    assert visitor.account


@pytest.mark.usefixtures("visitor")
def test_an_agent_has_twenty_sessions_pending_at_the_most(service: Service, agent: Agent) -> None:
    answers = [ask(agent, details(service, duration=60 + number)) for number in range(21)]
    assert [answer.status_code for answer in answers] == [200] * 20 + [429]


def test_a_session_is_its_own_agents_alone(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    opened(visitor, identifier)
    thief = Agent(server)
    thief.register()
    assert reason(poll(thief, identifier)) == "grant_unknown"
    answer = thief.post("/oauth/cancel", transaction_authorization_id=identifier)
    assert reason(answer) == "grant_unknown"
    assert poll(agent, identifier).status_code == 200


def test_another_persons_session_does_not_exist(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    other = Visitor(server).sign_up("Bob")
    assert other.get(f"/reads/{identifier}").status_code == 404
    assert reason(other.post("/reads/begin", session=identifier)) == "not_yours"
    assert reason(other.post("/reads/deny", session=identifier)) == "not_yours"
    opened(visitor, identifier)
    assert other.submit(f"/reads/{identifier}/end").status_code == 404
    assert poll(agent, identifier).status_code == 200


def test_what_nobody_was_shown_is_not_opened(service: Service, agent: Agent, visitor: Visitor) -> None:
    identifier = asked(agent, service)
    assert reason(visitor.post("/reads/begin", session=identifier)) == "not_pending"


def test_a_passkey_that_the_service_does_not_know_opens_nothing(
    service: Service, agent: Agent, visitor: Visitor
) -> None:
    other = visitor.add_passkey()
    identifier = asked(agent, service)
    visitor.get(f"/reads/{identifier}")
    begun = visitor.post("/reads/begin", session=identifier).json()
    assert [item["id"] for item in begun["options"]["allowCredentials"]] == [visitor.passkey.id]
    assert reason(visitor.post("/reads/approve", **visitor.sign(begun, other))) == "passkey_not_pinned"


def test_a_gesture_opens_a_session_once(service: Service, agent: Agent, visitor: Visitor) -> None:
    identifier = asked(agent, service)
    visitor.get(f"/reads/{identifier}")
    signed = visitor.sign(visitor.post("/reads/begin", session=identifier).json())
    assert visitor.post("/reads/approve", **signed).status_code == 200
    assert reason(visitor.post("/reads/approve", **signed)) == "gesture_unknown"


def test_a_person_that_is_erased_leaves_no_session(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    opened(visitor, asked(agent, service))

    async def erase(world: Any, account: str) -> int:
        return await erasing.erase(world.store, account, world.now())

    assert server.call(erase, visitor.account) > 0
    assert server.execute("SELECT count(*) FROM read_sessions") == [(0,)]


def test_a_session_that_became_another_after_it_was_signed_is_not_opened(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    identifier = asked(agent, service)
    visitor.get(f"/reads/{identifier}")
    signed = visitor.sign(visitor.post("/reads/begin", session=identifier).json())
    [[text]] = server.execute("SELECT details FROM read_sessions")
    server.execute("UPDATE read_sessions SET details = ?", text.replace("3600", "3599"))
    assert reason(visitor.post("/reads/approve", **signed)) == "statement_item"
    assert server.execute("SELECT state FROM read_sessions") == [("pending",)]


@pytest.mark.parametrize("held", [False, True])
def test_a_session_that_is_ended_while_a_token_is_issued_gives_none(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor, *, held: bool
) -> None:
    identifier = asked(agent, service)
    opened(visitor, identifier)
    if held:
        poll(agent, identifier)

    async def issued_late(world: Any) -> str:
        row = await world.store.one("read_session", identifier)
        await readsessions.close(world, row, "person")
        try:
            await readsessions._answer(world, row)
        except Refusal as refusal:
            return refusal.reason.value
        return "issued"

    assert server.call(issued_late) == "read_ended"
