"""The server towards a service that links: who pushed a request, who may exchange a code, and what must be equal."""

from __future__ import annotations

import threading
from typing import Any

import httpx
import pytest

from oneact.protocol import canonical, client_assertion
from oneact.testing import new_key
from tests.ports import free_port
from tests.server.peers import RunningServer, Service, serving
from tests.server.visitor import Visitor, authentication, exchange, push

PLAIN: dict[str, str] = {
    "response_type": "code", "redirect_uri": "x", "state": "s", "nonce": "n", "code_challenge": canonical.sha256(b"v"),
    "code_challenge_method": "S256", "scope": "openid",
}  # fmt: skip


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


def opened(visitor: Visitor, service: Service, uri: str) -> str:
    """Open a pushed request as its person; give the reason for which it is refused, or nothing."""
    answer = visitor.post("/link/begin", client_id=service.client_id, request_uri=uri)
    return "" if answer.status_code == 200 else reason(answer)


def linked(server: RunningServer) -> int:
    [[count]] = server.execute("SELECT count(*) FROM links WHERE state = 'linked'")
    return int(count)


def by(service: Service, server: RunningServer, **changes: Any) -> dict[str, str]:
    """Give a service's authentication with something else in its assertion."""
    claims = {"key": service.key, "client_id": service.client_id, "audience": server.url, "now": server.clock()}
    made = client_assertion.build(**{**claims, **changes}, jti="once")
    return {"client_assertion_type": client_assertion.ASSERTION_TYPE, "client_assertion": made}


def test_all_as_it_should_be_links_the_account(server: RunningServer, service: Service, visitor: Visitor) -> None:
    answer = exchange(server, service, visitor.signed_link(service))
    assert set(answer.json()) == {"token_type", "expires_in", "id_token"}
    assert answer.headers["Cache-Control"] == "no-store"
    assert linked(server) == 1


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"response_type": "token"}, "request_malformed"),
        ({"code_challenge_method": "plain"}, "request_malformed"),
        ({"code_challenge": ""}, "request_malformed"),
        ({"scope": "profile"}, "scope_invalid"),
        ({"client_assertion_type": "x"}, "client_assertion"),
        ({"client_id": "http://localhost:1/else"}, "client_assertion"),
        ({"client_assertion": "a.b.c"}, "client_assertion"),
    ],
)
def test_a_pushed_request_is_refused_when_it_is_not_whole(
    server: RunningServer, service: Service, changes: dict[str, str], expected: str
) -> None:
    form = {**PLAIN, "client_id": service.client_id, **authentication(server, service), **changes}
    assert reason(httpx.post(server.url + "/oauth/par", data=form)) == expected


def test_a_pushed_request_by_another_than_the_services_key_is_refused_when_it_is_opened(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    now = server.clock()
    for changes in ({"key": new_key()}, {"audience": "http://localhost:1"}, {"now": now + 6}, {"now": now - 60}):
        uri = push(server, service, **by(service, server, **changes))
        assert opened(visitor, service, uri) == "client_assertion"
    assert opened(visitor, service, push(server, service)) == ""


def test_a_pushed_request_leads_nowhere_but_to_an_address_of_the_service(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    for address in (service.url + "/oneact/link/callback/", service.url + "/elsewhere", "http://evil.example/"):
        uri = push(server, service, redirect_uri=address)
        assert opened(visitor, service, uri) == "redirect_uri"
        declined = visitor.post("/link/deny", client_id=service.client_id, request_uri=uri)
        assert reason(declined) == "redirect_uri"


def test_a_pushed_request_is_its_clients_alone_and_waits_eleven_minutes_for_its_person(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    uri = push(server, service)
    answer = visitor.post("/link/begin", client_id=service.client_id + "x", request_uri=uri)
    assert reason(answer) == "grant_unknown"
    server.clock.now += 660
    assert opened(visitor, service, uri) == ""
    server.clock.now += 1
    assert opened(visitor, service, uri) == "grant_unknown"


@pytest.mark.parametrize("verifier", ["w" * 43, "", "v" * 42])
def test_a_code_is_nothing_without_the_verifier_that_its_challenge_was_made_of(
    server: RunningServer, service: Service, visitor: Visitor, verifier: str
) -> None:
    code = visitor.signed_link(service)
    assert reason(exchange(server, service, code, code_verifier=verifier)) == "grant_unknown"
    assert reason(exchange(server, service, code)) == "grant_unknown"  # the failure has used it up
    assert linked(server) == 0


def test_a_code_is_exchanged_for_the_redirect_uri_it_was_sent_to(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    other, publish = service.url + "/oneact/link/other", service.published
    two = [service.redirect_uri, other]
    service.published = lambda: {  # type: ignore[method-assign]
        **publish(), "/oneact/client.json": {**publish()["/oneact/client.json"], "redirect_uris": two}
    }  # fmt: skip
    for address in (other, ""):
        code = visitor.signed_link(service)
        assert reason(exchange(server, service, code, redirect_uri=address)) == "redirect_uri"
    assert linked(server) == 0


def test_a_code_is_exchanged_by_the_service_that_asked_and_proves_its_key(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    code, now = visitor.signed_link(service), server.clock()
    for changes in ({"key": new_key()}, {"audience": "http://localhost:1"}, {"now": now + 6}, {"now": now - 60}):
        assert reason(exchange(server, service, code, **by(service, server, **changes))) == "client_assertion"
    assert reason(exchange(server, service, code, client_assertion_type="x")) == "client_assertion"
    other = Service(f"http://localhost:{free_port()}")
    with serving(other.app(), int(other.url.rpartition(":")[2])):
        stolen = exchange(server, service, code, **authentication(server, other))
    assert reason(stolen) == "client_assertion"
    misnamed = exchange(server, service, code, **by(service, server, client_id=other.client_id))
    assert reason(misnamed) == "client_assertion"
    assert linked(server) == 0
    assert exchange(server, service, code).status_code == 200  # what strangers tried has not used it up


def test_an_assertion_exchanges_once(server: RunningServer, service: Service, visitor: Visitor) -> None:
    once = authentication(server, service)
    assert exchange(server, service, visitor.signed_link(service), **once).status_code == 200
    visitor.unlink(service)
    again = exchange(server, service, visitor.signed_link(service), **once)
    assert reason(again) == "client_assertion_replayed"


def test_a_code_counts_once(server: RunningServer, service: Service, visitor: Visitor) -> None:
    code = visitor.signed_link(service)
    assert exchange(server, service, code).status_code == 200
    visitor.unlink(service)
    assert reason(exchange(server, service, code)) == "grant_unknown"
    assert linked(server) == 0


def test_of_racing_exchanges_of_one_code_one_gets_an_id_token(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    code, answers = visitor.signed_link(service), []
    threads = [threading.Thread(target=lambda: answers.append(exchange(server, service, code))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert sorted(answer.status_code for answer in answers) == [200] + [400] * 7
    assert {reason(answer) for answer in answers if answer.status_code != 200} == {"grant_unknown"}


def test_a_code_is_good_for_a_minute(server: RunningServer, service: Service, visitor: Visitor) -> None:
    code = visitor.signed_link(service)
    server.clock.now += 60
    assert reason(exchange(server, service, code)) == "grant_unknown"
    assert reason(exchange(server, service, "")) == "grant_unknown"
    assert linked(server) == 0


@pytest.mark.parametrize(
    "changes",
    [
        {"client_id": "http://localhost:1/oneact/client.json"},
        {"token_endpoint_auth_method": "none"},
        {"jwks_uri": "http://localhost:1/oneact/jwks.json"},
        {"oneact_roster_uri": "http://localhost:1/oneact/roster"},
        {"redirect_uris": ["http://localhost:1/oneact/link/callback"]},
        {"redirect_uris": []},
        {"oneact_resource": "http://localhost:1"},
    ],
)
def test_a_client_document_speaks_for_its_own_address_and_origin_alone(
    server: RunningServer, service: Service, visitor: Visitor, changes: dict[str, Any]
) -> None:
    publish = service.published
    service.published = lambda: {  # type: ignore[method-assign]
        **publish(), "/oneact/client.json": {**publish()["/oneact/client.json"], **changes}
    }  # fmt: skip
    assert opened(visitor, service, push(server, service)) == "client_metadata"


def test_a_roster_signed_for_one_service_links_no_other(
    server: RunningServer, service: Service, visitor: Visitor
) -> None:
    asked = {"client_id": service.client_id, "request_uri": push(server, service)}
    signed = visitor.sign(visitor.post("/link/begin", **asked).json())
    mine, others = f'"aud":"{service.url}"', '"aud":"http://localhost:1"'
    server.execute("UPDATE gestures SET value = replace(value, ?, ?)", mine, others)
    assert reason(visitor.post("/link/finish", **signed)) == "client_metadata"
    assert server.execute("SELECT count(*) FROM links") == [(0,)]
