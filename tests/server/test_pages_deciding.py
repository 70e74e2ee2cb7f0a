"""What is shown of a request, and every way in which a yes that is not one is refused."""

from __future__ import annotations

import json
import re
import threading
from typing import Any

import httpx
import pytest

from oneact.protocol import approval, base64url, display, ended, jwk, jws, token
from tests.server.peers import DOCUMENT, Agent, RunningServer, Service
from tests.server.visitor import ELSEWHERE, Visitor


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


@pytest.fixture
def visitor(server: RunningServer, service: Service) -> Visitor:
    found = Visitor(server).sign_up()
    found.link(service)
    return found


@pytest.fixture
def paired(server: RunningServer, visitor: Visitor) -> Agent:
    agent = Agent(server)
    agent.register()
    visitor.pair(agent)
    return agent


def ask(agent: Agent, service: Service, **fields: str) -> str:
    answer = agent.ask(service.offer(agent.server.url, agent.server.clock()), **fields)
    assert answer.status_code == 200, answer.text
    return str(answer.json()["transaction_authorization_id"])


@pytest.fixture
def request_id(paired: Agent, service: Service) -> str:
    return ask(paired, service)


def ask_batch(agent: Agent, service: Service, count: int) -> list[str]:
    offers = [
        service.offer(agent.server.url, agent.server.clock(), service.act(to=f"A{index}")) for index in range(count)
    ]
    form = {"batch": json.dumps(offers), "login_hint": agent.hint}
    return list(agent.post("/oauth/transaction", **form).json()["items"])


def state(server: RunningServer, request_id: str) -> str:
    [[found]] = server.execute("SELECT state FROM requests WHERE id = ?", request_id)
    return str(found)


def kinds(server: RunningServer, request_id: str) -> list[str]:
    rows = server.execute("SELECT kind FROM entries WHERE request_id = ? ORDER BY seq", request_id)
    return [kind for (kind,) in rows]


def test_an_approval_gives_the_agent_its_token_and_every_step_is_logged(
    visitor: Visitor, paired: Agent, request_id: str
) -> None:
    assert visitor.approve(request_id).status_code == 200
    answer = paired.poll(request_id)
    claims = token.parse(answer.json()["access_token"])
    assert claims is not None
    assert kinds(visitor.server, request_id) == ["asked", "shown", "approved", "token_issued"]
    assert "Handed over" in visitor.get(f"/requests/{request_id}").text


def test_the_statement_names_what_was_shown_and_lives_sixty_seconds_from_the_press(
    visitor: Visitor, paired: Agent, request_id: str
) -> None:
    visitor.get(f"/requests/{request_id}")
    visitor.server.clock.now += 7
    begun = visitor.begin_approval(request_id)
    [[kept]] = visitor.server.execute("SELECT value FROM gestures WHERE id = ?", begun["gesture"])
    signed = json.loads(kept)["value"]
    now = visitor.server.clock()
    assert signed["iat"] == now
    assert signed["exp"] == now + 60
    assert (signed["client_id"], signed["jkt"]) == (paired.client_id, paired.key.public.thumbprint)
    assert begun["options"]["challenge"] == base64url.encode(approval.challenge(approval.APPROVAL, signed))
    row = visitor.server.execute("SELECT resource, sub, txn, act_digest, lines FROM requests WHERE id = ?", request_id)[
        0
    ]
    shown = display.digest(tuple(tuple(line) for line in json.loads(row[4])))  # type: ignore[misc]
    assert signed["acts"] == [approval.item_hash(*row[:4], shown)]
    assert [item["id"] for item in begun["options"]["allowCredentials"]] == [visitor.passkey.id]
    assert begun["options"]["userVerification"] == "required"


def test_the_page_shows_every_line_and_who_asks(visitor: Visitor, paired: Agent, service: Service) -> None:
    page = visitor.get(f"/requests/{ask(paired, service, reason='<b>You said so</b>')}").text
    for text in (
        "Book a flight",
        "Fly <b>SFO</b> to <b>NYC</b>",
        "312.00 USD",
        "/parameters/from",
        "The service promises",
    ):
        assert text in page
    for text in (service.url, "ada@example", "Planner", "unverified", "&lt;b&gt;You said so&lt;/b&gt;"):
        assert text in page


def test_what_would_deceive_the_eye_is_shown_as_an_escape(visitor: Visitor, paired: Agent, service: Service) -> None:
    offered = service.act(to="NYC\u202e\n<script>\u200b")
    identifier = paired.ask(service.offer(paired.server.url, paired.server.clock(), offered)).json()
    page = visitor.get(f"/requests/{identifier['transaction_authorization_id']}").text
    assert "<script>\u200b" not in page
    assert not set(page) & {"\u202e", "\u200b"}
    assert '<span class="escape">\\u{202E}</span><span class="escape">\\u{A}</span>&lt;script&gt;' in page


def test_a_secret_is_masked_and_can_be_revealed(visitor: Visitor, paired: Agent, service: Service) -> None:
    document = {**DOCUMENT, "display": [{"pointer": "/parameters/to", "label": "Code", "format": "secret"}]}
    service.documents.append(document)
    offered = service.act(document, to="hunter2")
    identifier = paired.ask(service.offer(paired.server.url, paired.server.clock(), offered)).json()
    page = visitor.get(f"/requests/{identifier['transaction_authorization_id']}").text
    assert "sha-256 " in page
    assert "A secret, chosen by the agent" in page
    assert "<code>hunter2</code>" in page


def test_a_request_is_logged_as_shown_once(visitor: Visitor, request_id: str) -> None:
    for _ in range(3):
        visitor.get(f"/requests/{request_id}")
    assert kinds(visitor.server, request_id) == ["asked", "shown"]
    [[content]] = visitor.server.execute("SELECT content FROM entries WHERE kind = 'shown'")
    [[expected]] = visitor.server.execute("SELECT display_digest FROM requests")
    assert json.loads(content) == {"display": expected}


def test_what_was_not_shown_cannot_be_approved(visitor: Visitor, request_id: str) -> None:
    assert reason(visitor.post("/requests/begin", requests=[request_id])) == "not_pending"


def test_another_persons_request_does_not_exist(visitor: Visitor, request_id: str) -> None:
    eve = Visitor(visitor.server).sign_up("Eve")
    page = eve.get(f"/requests/{request_id}")
    assert page.status_code == 404
    assert ">not_yours<" in page.text
    assert eve.get(f"/requests/{request_id}/wait").status_code == 404
    assert reason(eve.post("/requests/begin", requests=[request_id])) == "not_yours"
    assert reason(eve.post("/requests/deny", requests=[request_id])) == "not_yours"
    assert "Book a flight" not in eve.get("/inbox").text + eve.get("/history").text


def test_another_signed_in_person_cannot_use_the_owners_gesture(visitor: Visitor, request_id: str) -> None:
    signed = visitor.sign(visitor.begin_approval(request_id))
    eve = Visitor(visitor.server).sign_up("Eve")
    answer = eve.post("/requests/approve", requests=[request_id], **signed)
    assert reason(answer) == "gesture_unknown"
    assert state(visitor.server, request_id) == "pending"


def test_a_login_gesture_is_no_approval(visitor: Visitor, request_id: str) -> None:
    begun = visitor.begin_approval(request_id)
    login = visitor.sign(visitor.post("/signin/begin").json())
    answer = visitor.post("/requests/approve", requests=[request_id], **login)
    assert reason(answer) == "gesture_unknown"
    mixed = {"gesture": begun["gesture"], "credential": login["credential"]}
    answer = visitor.post("/requests/approve", requests=[request_id], **mixed)
    assert reason(answer) == "assertion_challenge"
    assert state(visitor.server, request_id) == "pending"


def test_a_pairing_gesture_is_no_approval(visitor: Visitor, request_id: str) -> None:
    agent = Agent(visitor.server)
    agent.register()
    shown = visitor.submit("/pair", user_code=agent.post("/oauth/device").json()["user_code"]).text
    device = shown.partition('data-device="')[2].partition('"')[0]
    pair = visitor.sign(visitor.post("/pair/begin", device=device, name="Other").json())
    begun = visitor.begin_approval(request_id)
    assert reason(visitor.post("/requests/approve", requests=[request_id], **pair)) == "gesture_unknown"
    mixed = {"gesture": begun["gesture"], "credential": pair["credential"]}
    assert reason(visitor.post("/requests/approve", requests=[request_id], **mixed)) == "assertion_challenge"
    assert state(visitor.server, request_id) == "pending"


def test_a_gesture_counts_once(visitor: Visitor, paired: Agent, service: Service) -> None:
    first = ask(paired, service)
    signed = visitor.sign(visitor.begin_approval(first))
    assert visitor.post("/requests/approve", requests=[first], **signed).status_code == 200
    assert reason(visitor.post("/requests/approve", requests=[first], **signed)) == "gesture_unknown"


def test_of_racing_answers_to_one_gesture_one_counts(visitor: Visitor, request_id: str) -> None:
    signed = visitor.sign(visitor.begin_approval(request_id))
    codes: list[int] = []

    def answer() -> None:
        body = {"requests": [request_id], **signed}
        headers = {"Sec-Fetch-Site": "same-origin", "OneAct-Page": "1"}
        cookies = dict(visitor.http.cookies)
        url = visitor.server.url + "/requests/approve"
        codes.append(httpx.post(url, json=body, headers=headers, cookies=cookies).status_code)

    threads = [threading.Thread(target=answer) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(codes) == [200] + [409] * 7
    assert kinds(visitor.server, request_id).count("approved") == 1


def test_a_gesture_that_comes_after_the_statement_has_run_out_is_refused(visitor: Visitor, request_id: str) -> None:
    signed = visitor.sign(visitor.begin_approval(request_id))
    visitor.server.clock.now += 60
    answer = visitor.post("/requests/approve", requests=[request_id], **signed)
    assert reason(answer) == "statement_time"
    assert state(visitor.server, request_id) == "pending"


def test_the_statement_holds_until_its_last_second(visitor: Visitor, request_id: str) -> None:
    signed = visitor.sign(visitor.begin_approval(request_id))
    visitor.server.clock.now += 59
    assert visitor.post("/requests/approve", requests=[request_id], **signed).status_code == 200


def test_a_gesture_over_one_request_approves_no_other(visitor: Visitor, paired: Agent, service: Service) -> None:
    first, second = (
        ask(paired, service),
        paired.ask(service.offer(paired.server.url, paired.server.clock(), service.act(to="LAX"))).json()[
            "transaction_authorization_id"
        ],
    )
    visitor.get(f"/requests/{second}")
    signed = visitor.sign(visitor.begin_approval(first))
    answer = visitor.post("/requests/approve", requests=[second], **signed)
    assert reason(answer) == "statement_item"
    assert (state(visitor.server, first), state(visitor.server, second)) == ("pending", "pending")


def test_a_passkey_that_the_service_has_not_pinned_cannot_approve(visitor: Visitor, request_id: str) -> None:
    second = visitor.add_passkey()
    signed = visitor.sign(visitor.begin_approval(request_id), second)
    assert reason(visitor.post("/requests/approve", requests=[request_id], **signed)) == "passkey_not_pinned"


@pytest.mark.parametrize(("member", "value"), [("rp_id", "evil.example"), ("origins", ["http://evil.example"])])
def test_what_a_service_has_pinned_for_another_origin_or_rp_id_cannot_be_approved(
    visitor: Visitor, request_id: str, member: str, value: Any
) -> None:
    [[pinned]] = visitor.server.execute("SELECT roster FROM links")
    visitor.server.execute("UPDATE links SET roster = ?", json.dumps({**json.loads(pinned), member: value}))
    assert reason(visitor.approve(request_id)) == "roster_rp_id"
    assert state(visitor.server, request_id) == "pending"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_verified": False}, "assertion_uv"),
        ({"origin": "http://evil.example"}, "assertion_origin"),
        (ELSEWHERE, "assertion_rp_id"),
    ],
)
def test_an_approval_is_refused_when_the_gesture_is_not_whole(
    visitor: Visitor, request_id: str, changes: dict[str, Any], expected: str
) -> None:
    begun = visitor.begin_approval(request_id)
    for name, value in changes.items():
        setattr(visitor.passkey, name, value)
    answer = visitor.post("/requests/approve", requests=[request_id], **visitor.sign(begun))
    assert reason(answer) == expected
    assert state(visitor.server, request_id) == "pending"


def test_an_expired_request_cannot_be_approved(visitor: Visitor, request_id: str) -> None:
    visitor.get(f"/requests/{request_id}")
    visitor.server.clock.now += 600
    assert reason(visitor.post("/requests/begin", requests=[request_id])) == "not_pending"
    assert "Nobody decided in time" in visitor.get(f"/requests/{request_id}").text


def test_a_denial_reaches_the_agent_with_the_persons_words_signed(
    visitor: Visitor, paired: Agent, request_id: str
) -> None:
    visitor.get(f"/requests/{request_id}")
    answer = visitor.post("/requests/deny", requests=[request_id], message="Too dear")
    assert answer.status_code == 200
    told = paired.poll(request_id).json()
    assert (told["error"], told["reason"], told["message"]) == ("access_denied", "denied", "Too dear")
    signed = jws.parse(told["statement"], ended.TYP, jws.PLAIN)
    keys = jwk.parse_set(httpx.get(visitor.server.url + "/oauth/jwks.json").json())
    jws.verify_with(signed, keys, jws.PLAIN)
    assert (signed.claims["status"], signed.claims["message"]) == ("denied", "Too dear")
    assert paired.poll(request_id).json()["statement"] == told["statement"]


def test_what_was_denied_cannot_be_approved_nor_the_other_way_round(
    visitor: Visitor, paired: Agent, service: Service
) -> None:
    first = ask(paired, service)
    signed = visitor.sign(visitor.begin_approval(first))
    visitor.post("/requests/deny", requests=[first])
    assert reason(visitor.post("/requests/approve", requests=[first], **signed)) == "not_pending"
    second = ask(paired, service)
    assert visitor.approve(second).status_code == 200
    assert reason(visitor.post("/requests/deny", requests=[second])) == "not_pending"


def test_i_did_not_ask_for_this_denies_and_blocks_the_agent(visitor: Visitor, paired: Agent, service: Service) -> None:
    first = ask(paired, service)
    second = paired.ask(service.offer(paired.server.url, paired.server.clock(), service.act(to="LAX")))
    other = second.json()["transaction_authorization_id"]
    visitor.get(f"/requests/{first}")
    assert visitor.post("/requests/deny", requests=[first], block=True).status_code == 200
    assert (state(visitor.server, first), state(visitor.server, other)) == ("denied", "denied")
    refused = paired.ask(service.offer(paired.server.url, paired.server.clock()))
    assert reason(refused) == "hint_unknown"
    assert "Blocked" in visitor.get("/agents").text


def test_a_request_of_an_agent_blocked_meanwhile_cannot_be_approved(visitor: Visitor, request_id: str) -> None:
    signed = visitor.sign(visitor.begin_approval(request_id))
    visitor.server.execute("UPDATE pairings SET blocked_at = 1")
    answer = visitor.post("/requests/approve", requests=[request_id], **signed)
    assert reason(answer) == "not_pending"


def test_another_persons_agent_cannot_be_blocked_or_removed(visitor: Visitor, paired: Agent) -> None:
    [[pairing]] = visitor.server.execute("SELECT id FROM pairings WHERE hint = ?", paired.hint)
    eve = Visitor(visitor.server).sign_up("Eve")
    for verb in ("block", "remove"):
        assert eve.submit(f"/agents/{pairing}/{verb}").status_code == 404
    assert visitor.submit(f"/agents/{pairing}/remove").status_code == 303
    assert "Planner" not in visitor.get("/agents").text


def test_a_batch_is_one_page_with_a_denial_for_each_and_one_gesture_for_the_rest(
    visitor: Visitor, paired: Agent, service: Service
) -> None:
    first, second, third = ask_batch(paired, service, 3)
    page = visitor.get(f"/requests/{second}").text
    assert [page.count(f'data-deny="{item}"') for item in (first, second, third)] == [1, 1, 1]
    assert visitor.post("/requests/deny", requests=[second]).status_code == 200
    begun = visitor.begin_approval(first, third)
    [[kept]] = visitor.server.execute("SELECT value FROM gestures WHERE id = ?", begun["gesture"])
    signed = json.loads(kept)["value"]
    assert (signed["exp"] - signed["iat"], len(signed["acts"])) == (120, 2)
    answer = visitor.post("/requests/approve", requests=[first, third], **visitor.sign(begun))
    assert answer.status_code == 200
    assert [paired.poll(item).status_code for item in (first, second, third)] == [200, 400, 200]


def test_requests_that_came_apart_are_not_approved_together(visitor: Visitor, paired: Agent, service: Service) -> None:
    first = ask(paired, service)
    second = paired.ask(service.offer(paired.server.url, paired.server.clock(), service.act(to="LAX"))).json()
    both = [first, second["transaction_authorization_id"]]
    for item in both:
        visitor.get(f"/requests/{item}")
    assert reason(visitor.post("/requests/begin", requests=both)) == "statement_item"


@pytest.mark.parametrize("requests", [[], None, "x", [1], ["a"] * 2, [str(n) for n in range(21)]])
def test_a_list_of_requests_is_one_to_twenty_distinct_texts(visitor: Visitor, requests: object) -> None:
    assert reason(visitor.post("/requests/begin", requests=requests)) == "request_malformed"


def test_lines_that_are_not_those_of_the_digest_are_not_shown(visitor: Visitor, request_id: str) -> None:
    visitor.server.execute("UPDATE requests SET lines = replace(lines, 'NYC', 'LAX')")
    page = visitor.get(f"/requests/{request_id}")
    assert page.status_code == 500
    assert "LAX" not in page.text


def test_the_inbox_tells_of_a_request_as_soon_as_it_comes(visitor: Visitor, paired: Agent, service: Service) -> None:
    page = visitor.get("/inbox").text
    version = page.partition('data-version="')[2].partition('"')[0]
    told: list[dict[str, Any]] = []
    waiting = threading.Thread(target=lambda: told.append(visitor.get("/inbox/wait", version=version).json()))
    waiting.start()
    identifier = ask(paired, service)
    waiting.join(20)
    assert told[0]["count"] == 1
    assert f'href="/requests/{identifier}"' in told[0]["html"]


def test_the_page_turns_into_the_outcome(visitor: Visitor, paired: Agent, service: Service) -> None:
    identifier = ask(paired, service)

    def outcome() -> dict[str, Any]:
        return dict(visitor.get(f"/requests/{identifier}/wait", version="").json())

    visitor.get(f"/requests/{identifier}")
    assert outcome()["open"] == [identifier]
    visitor.approve(identifier)
    assert "Handing over" in outcome()["html"]
    answer = paired.poll(identifier).json()
    visitor.server.clock.now += 29
    assert "Waiting for the service" in outcome()["html"]
    visitor.server.clock.now += 1
    silent = outcome()
    assert "No word from the service." in silent["html"]
    assert "before you let the agent ask again" in silent["html"]
    assert silent["last"] is False
    claims = json.loads(base64url.decode(answer["access_token"].split(".")[1]))
    [[digest]] = visitor.server.execute("SELECT act_digest FROM requests WHERE id = ?", identifier)
    receipt = service.receipt(visitor.server.url, claims, digest, visitor.server.clock())
    delivered = httpx.post(
        visitor.server.url + "/oauth/receipts", content=receipt, headers={"Content-Type": "application/jwt"}
    )
    assert delivered.status_code == 204, delivered.text
    last = outcome()
    assert "Done. Receipt verified." in last["html"]
    assert last["last"] is True
    history = visitor.get("/history").text
    assert ("Approved" in history, "Executed" in history) == (True, True)


def test_the_history_says_no_word_once_the_token_has_expired(visitor: Visitor, paired: Agent, request_id: str) -> None:
    visitor.approve(request_id)
    paired.poll(request_id)
    visitor.server.clock.now += 30
    history = visitor.get("/history").text
    assert ("No word" in history, "Handed over" in history) == (True, False)


def test_the_history_tells_requests_of_one_minute_apart(visitor: Visitor, paired: Agent, service: Service) -> None:
    for number in range(2):
        visitor.server.clock.now += 1
        paired.ask(service.offer(paired.server.url, paired.server.clock()), {"Idempotency-Key": str(number)})
    for identifier in [row[0] for row in visitor.server.execute("SELECT id FROM requests")]:
        visitor.post("/requests/deny", requests=[identifier])
    times = re.findall(r"<time data-seconds[^>]*>([^<]+)</time>", visitor.get("/history").text)
    assert len(set(times)) == len(times) == 2


def test_the_log_on_the_page_goes_on_with_the_outcome(visitor: Visitor, request_id: str) -> None:
    visitor.get(f"/requests/{request_id}")
    visitor.approve(request_id)
    assert "You approved with a passkey" in visitor.get(f"/requests/{request_id}/wait", version="").json()["log"]


def test_an_open_page_says_when_its_agent_was_blocked_elsewhere(visitor: Visitor, request_id: str) -> None:
    visitor.get(f"/requests/{request_id}")
    visitor.server.execute("UPDATE pairings SET blocked_at = 1")
    for path in ("", "/wait?version="):
        assert "can no longer be approved" in visitor.get(f"/requests/{request_id}{path}").text


def test_an_approval_that_nobody_collects_is_said_to_be_unused(visitor: Visitor, request_id: str) -> None:
    visitor.approve(request_id)
    visitor.server.clock.now += 60
    assert "did not collect" in visitor.get(f"/requests/{request_id}").text


def test_the_page_tells_whether_the_agent_listens(visitor: Visitor, paired: Agent, request_id: str) -> None:
    visitor.server.clock.now += 60
    assert visitor.get(f"/requests/{request_id}/wait", version="").json()["listening"] is False
    paired.poll(request_id)
    assert visitor.get(f"/requests/{request_id}/wait", version="").json()["listening"] is True


def test_looking_at_a_request_does_not_pass_for_its_agent_listening(visitor: Visitor, request_id: str) -> None:
    version = visitor.get(f"/requests/{request_id}/wait", version="").json()["version"]
    again = visitor.get(f"/requests/{request_id}/wait", version=version).json()
    assert again["listening"] is False


def test_older_requests_are_a_page_further(visitor: Visitor, paired: Agent, service: Service) -> None:
    for index in range(3):
        ask_batch_items = ask_batch(paired, service, 20)
        assert len(ask_batch_items) == 20, index
        visitor.server.clock.now += 61
        for item in ask_batch_items:
            visitor.server.execute("UPDATE requests SET state = 'cancelled' WHERE id = ?", item)
    page = visitor.get("/history").text
    older = page.partition("/history?before=")[2].partition('"')[0]
    second = visitor.get("/history", before=older).text
    count = '<a class="card past"'
    assert (page.count(count), second.count(count)) == (50, 10)
