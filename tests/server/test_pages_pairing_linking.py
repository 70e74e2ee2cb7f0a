"""Pairing and linking from the person's side: what they sign, and who cannot sign it for them."""

from __future__ import annotations

import json
import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oneact.protocol import approval, base64url, canonical, id_token, jwk, roster
from oneact.testing import SoftwarePasskey
from tests.ports import free_port
from tests.server.peers import Agent, Clock, RunningServer, Service, serving
from tests.server.visitor import Visitor, push

if TYPE_CHECKING:
    from collections.abc import Iterator


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


@pytest.fixture
def stranger(server: RunningServer) -> Agent:
    found = Agent(server)
    found.register()
    return found


def device_of(page: str) -> str:
    return re.findall(r'data-device="([^"]+)"', page)[0]


def signed_value(visitor: Visitor, begun: dict[str, Any]) -> dict[str, Any]:
    [[kept]] = visitor.server.execute("SELECT value FROM gestures WHERE id = ?", begun["gesture"])
    return dict(json.loads(kept)["value"])


def keys(server: RunningServer) -> dict[str, jwk.PublicKey]:
    return jwk.parse_set(httpx.get(server.url + "/oauth/jwks.json").json())


def test_the_person_sees_the_agents_fingerprint_and_signs_its_key_and_name(visitor: Visitor, stranger: Agent) -> None:
    started = stranger.post("/oauth/device").json()
    page = visitor.submit("/pair", user_code=started["user_code"]).text
    jkt = stranger.key.public.thumbprint
    assert " ".join(jkt[index : index + 4] for index in range(0, 20, 4)) in page
    begun = visitor.post("/pair/begin", device=device_of(page), name="My planner").json()
    value = signed_value(visitor, begun)
    assert value.keys() == {"iss", "client_id", "jkt", "name", "nonce"}
    assert (value["client_id"], value["jkt"], value["name"]) == (stranger.client_id, jkt, "My planner")
    assert begun["options"]["challenge"] == base64url.encode(approval.challenge(approval.PAIR, value))
    assert visitor.post("/pair/finish", **visitor.sign(begun)).status_code == 200
    assert "My planner" in visitor.get("/agents").text


def test_a_code_typed_as_people_type_is_understood(visitor: Visitor, stranger: Agent) -> None:
    code = stranger.post("/oauth/device").json()["user_code"]
    assert "data-device" in visitor.submit("/pair", user_code=f" {code.lower().replace('-', ' ')} ").text


def test_guessed_codes_are_refused_and_counted(visitor: Visitor) -> None:
    answers = [visitor.submit("/pair", user_code="BBBB-BBBB") for _ in range(6)]
    assert [answer.status_code for answer in answers] == [400] * 5 + [429]


def test_a_login_gesture_pairs_nothing(visitor: Visitor, stranger: Agent) -> None:
    page = visitor.submit("/pair", user_code=stranger.post("/oauth/device").json()["user_code"]).text
    begun = visitor.post("/pair/begin", device=device_of(page), name="x").json()
    login = visitor.sign(visitor.post("/signin/begin").json())
    assert reason(visitor.post("/pair/finish", **login)) == "gesture_unknown"
    mixed = {"gesture": begun["gesture"], "credential": login["credential"]}
    assert reason(visitor.post("/pair/finish", **mixed)) == "assertion_challenge"
    assert visitor.server.execute("SELECT count(*) FROM pairings") == [(0,)]


def test_an_agent_that_comes_with_my_code_waits_for_my_gesture(visitor: Visitor, stranger: Agent) -> None:
    page = visitor.submit("/pair/code").text
    [code] = re.findall(r'class="bigcode">([A-Z-]+)<', page)
    started = stranger.post("/oauth/device", pairing_code=code).json()
    assert "1 agent to pair" in visitor.get("/inbox").text
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
    assert reason(stranger.post("/oauth/token", **form)) == "authorization_pending"
    begun = visitor.post("/pair/begin", device=device_of(visitor.get("/pair").text), name="Mine").json()
    assert visitor.post("/pair/finish", **visitor.sign(begun)).status_code == 200
    assert stranger.post("/oauth/token", **form).json()["login_hint"]


def test_an_agent_that_came_with_my_code_is_nobody_elses(visitor: Visitor, stranger: Agent) -> None:
    [code] = re.findall(r'class="bigcode">([A-Z-]+)<', visitor.submit("/pair/code").text)
    stranger.post("/oauth/device", pairing_code=code)
    device = device_of(visitor.get("/pair").text)
    eve = Visitor(visitor.server).sign_up("Eve")
    assert "data-device" not in eve.get("/pair").text
    assert reason(eve.post("/pair/begin", device=device, name="x")) == "user_code_unknown"


def test_an_agent_that_is_not_mine_is_refused_and_told_so(visitor: Visitor, stranger: Agent) -> None:
    started = stranger.post("/oauth/device").json()
    device = device_of(visitor.submit("/pair", user_code=started["user_code"]).text)
    assert visitor.submit("/pair/deny", device=device).status_code == 303
    form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
    assert reason(stranger.post("/oauth/token", **form)) == "denied"


def test_linking_gives_the_service_an_id_token_with_the_signed_roster(visitor: Visitor, service: Service) -> None:
    answer = visitor.link(service)
    server = visitor.server
    found = id_token.check(
        answer["id_token"], keys(server), server.url, service.client_id, service.url, "nonce-1", server.clock()
    )
    assert [item.id for item in found.signed_roster.roster.credentials] == [visitor.passkey.id]
    assert (found.signed_roster.roster.rp_id, found.signed_roster.roster.origins) == ("localhost", (server.url,))
    page = visitor.get("/services").text
    assert "Example Air" in page
    assert "ada@example" in page


def test_the_person_has_another_name_at_each_service_and_for_each_link(visitor: Visitor, service: Service) -> None:
    other = Service(f"http://localhost:{free_port()}")
    with serving(other.app(), int(other.url.rpartition(":")[2])):
        visitor.link(service)
        visitor.link(other)
        visitor.unlink(service)
        visitor.link(service)
    rows = visitor.server.execute("SELECT resource, sub, state FROM links ORDER BY created_at, seq")
    assert len({sub for _, sub, _ in rows}) == 3
    linked = sorted(resource for resource, _, state in rows if state == "linked")
    assert (linked, len(rows)) == (sorted([service.url, other.url]), 3)


def test_nothing_is_fetched_before_a_signed_in_person_opens_the_request(
    server: RunningServer, service: Service
) -> None:
    uri = push(server, service)
    answer = Visitor(server).get("/oauth/authorize", client_id=service.client_id, request_uri=uri)
    assert answer.status_code == 303
    assert answer.headers["location"].startswith("/signin?next=%2Foauth%2Fauthorize%3F")
    assert service.fetched == []


def test_the_link_page_names_the_service_and_its_origin(visitor: Visitor, service: Service) -> None:
    uri = push(visitor.server, service)
    page = visitor.get("/oauth/authorize", client_id=service.client_id, request_uri=uri).text
    assert "Example Air" in page
    assert service.url in page
    assert "First passkey" in page


def test_declining_goes_back_with_a_denial_and_ends_the_request(visitor: Visitor, service: Service) -> None:
    uri = push(visitor.server, service)
    answer = visitor.post("/link/deny", client_id=service.client_id, request_uri=uri).json()
    back = httpx.URL(answer["location"])
    assert str(back.copy_with(query=None)) == service.redirect_uri
    assert dict(back.params) == {"error": "access_denied", "state": "state-1", "iss": visitor.server.url}
    again = visitor.post("/link/begin", client_id=service.client_id, request_uri=uri)
    assert reason(again) == "grant_unknown"


def test_a_login_or_approval_gesture_signs_no_roster(visitor: Visitor, service: Service) -> None:
    uri = push(visitor.server, service)
    begun = visitor.post("/link/begin", client_id=service.client_id, request_uri=uri).json()
    login = visitor.sign(visitor.post("/signin/begin").json())
    assert reason(visitor.post("/link/finish", **login)) == "gesture_unknown"
    mixed = {"gesture": begun["gesture"], "credential": login["credential"]}
    assert reason(visitor.post("/link/finish", **mixed)) == "assertion_challenge"
    assert visitor.server.execute("SELECT count(*) FROM links") == [(0,)]


def test_a_roster_gesture_of_linking_does_not_update_and_the_other_way_round(
    visitor: Visitor, service: Service
) -> None:
    uri = push(visitor.server, service)
    linking = visitor.sign(visitor.post("/link/begin", client_id=service.client_id, request_uri=uri).json())
    assert reason(visitor.post("/services/finish", **linking)) == "not_yours"
    visitor.link(service)
    [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
    updating = visitor.sign(visitor.post("/services/begin", link=link).json())
    assert reason(visitor.post("/link/finish", **updating)) == "grant_unknown"


def test_a_request_is_good_for_one_link(visitor: Visitor, service: Service) -> None:
    uri = push(visitor.server, service)
    both = [
        visitor.sign(visitor.post("/link/begin", client_id=service.client_id, request_uri=uri).json()) for _ in range(2)
    ]
    assert visitor.post("/link/finish", **both[0]).status_code == 200
    assert reason(visitor.post("/link/finish", **both[1])) == "grant_unknown"


def test_after_unlinking_here_the_agent_may_not_ask(visitor: Visitor, stranger: Agent, service: Service) -> None:
    visitor.link(service)
    visitor.pair(stranger)
    [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
    eve = Visitor(visitor.server).sign_up("Eve")
    assert eve.submit(f"/services/{link}/unlink").status_code == 404
    assert visitor.submit(f"/services/{link}/unlink").status_code == 303
    answer = stranger.ask(service.offer(visitor.server.url, visitor.server.clock()))
    assert reason(answer) == "unlinked_service"


class RosterService(Service):
    """A service that also takes rosters, as the real one does."""

    def app(self) -> Starlette:
        self.pinned: roster.Roster | None = None
        self.server_keys: dict[str, jwk.PublicKey] = {}
        self.down, self.clock = False, Clock()

        async def take(request: Request) -> Response:
            body = await request.body()
            assert self.pinned is not None
            if self.down:
                return Response(status_code=503)
            if request.headers["content-type"] == "application/jwt":
                self.pinned = roster.check_removal(body.decode(), self.server_keys, self.pinned, self.clock())
            else:
                signed = roster.parse_signed(canonical.parse(body))
                roster.check_next(signed, self.pinned)
                self.pinned = signed.roster
            return Response(status_code=204)

        published = super().app()
        published.router.routes.insert(0, Route("/oneact/roster", take, methods=["POST"]))
        return published


@contextmanager
def roster_service(visitor: Visitor) -> Iterator[RosterService]:
    found = RosterService(f"http://localhost:{free_port()}")
    with serving(found.app(), int(found.url.rpartition(":")[2])):
        answer = visitor.link(found)
        server = visitor.server
        found.server_keys, found.clock = keys(server), server.clock
        checked = id_token.check(
            answer["id_token"], found.server_keys, server.url, found.client_id, found.url, "nonce-1", server.clock()
        )
        found.pinned = checked.signed_roster.roster
        yield found


def pinned_ids(service: RosterService) -> set[str]:
    assert service.pinned is not None
    return {item.id for item in service.pinned.credentials}


def test_a_new_passkey_reaches_the_service_by_a_roster_that_a_pinned_one_signed(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        second = visitor.add_passkey()
        assert "does not know Second yet" in visitor.get("/services").text
        assert "does not know it yet" in visitor.get("/passkeys").text
        [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
        begun = visitor.post("/services/begin", link=link).json()
        assert [item["id"] for item in begun["options"]["allowCredentials"]] == [visitor.passkey.id]
        assert reason(visitor.post("/services/finish", **visitor.sign(begun, second))) == "passkey_not_pinned"
        begun = visitor.post("/services/begin", link=link).json()
        assert visitor.post("/services/finish", **visitor.sign(begun)).status_code == 200
        assert pinned_ids(service) == {visitor.passkey.id, second.id}
        assert "does not know" not in visitor.get("/services").text


def test_a_roster_that_the_service_did_not_take_is_not_kept(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        visitor.add_passkey()
        [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
        service.down = True
        begun = visitor.post("/services/begin", link=link).json()
        assert reason(visitor.post("/services/finish", **visitor.sign(begun))) == "metadata_unreachable"
        assert "does not know Second yet" in visitor.get("/services").text


def test_a_removed_passkey_is_removed_at_the_service_by_the_server_alone(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        second = visitor.add_passkey()
        [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
        visitor.post("/services/finish", **visitor.sign(visitor.post("/services/begin", link=link).json()))
        assert visitor.remove_passkey(visitor.passkey.id).json() == {"not_reached": 0}
        assert pinned_ids(service) == {second.id}


def told_of(visitor: Visitor, *signers: SoftwarePasskey) -> None:
    """Tell the one linked service of all passkeys."""
    [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
    signed = visitor.sign(visitor.post("/services/begin", link=link).json(), *signers)
    assert visitor.post("/services/finish", **signed).status_code == 200


def test_a_removal_that_did_not_arrive_is_shown_and_sent_again(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        second = visitor.add_passkey()
        told_of(visitor)
        service.down = True
        assert visitor.remove_passkey(visitor.passkey.id).json() == {"not_reached": 1}
        assert pinned_ids(service) == {visitor.passkey.id, second.id}
        service.down = False
        visitor.server.clock.now += 1
        assert visitor.submit("/services/removals").headers["location"] == "/services?not_reached=0"
        assert pinned_ids(service) == {second.id}


def test_a_service_is_never_left_without_a_passkey_and_the_page_says_what_to_do(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        visitor.add_passkey()
        assert "without" not in visitor.get("/services").text
        assert "support has unlinked your account" in visitor.get("/passkeys").text
        assert visitor.remove_passkey(visitor.passkey.id).json() == {"not_reached": 0}
        assert pinned_ids(service) == {visitor.passkey.id}
        assert "Ask its support to unlink your account" in visitor.get("/services").text


def test_a_roster_signed_before_a_removal_is_not_brought_after_it(visitor: Visitor) -> None:
    with roster_service(visitor) as service:
        second = visitor.add_passkey()
        [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
        signed = visitor.sign(visitor.post("/services/begin", link=link).json())
        assert visitor.remove_passkey(second.id).status_code == 200
        assert reason(visitor.post("/services/finish", **signed)) == "gesture_unknown"
        assert pinned_ids(service) == {visitor.passkey.id}


def test_passkeys_added_since_the_last_roster_stand_apart_as_new(visitor: Visitor, service: Service) -> None:
    uri = push(visitor.server, service)
    assert "New since" not in visitor.get("/oauth/authorize", client_id=service.client_id, request_uri=uri).text
    visitor.link(service)
    visitor.add_passkey("Planted")
    assert "New since it was told last" in visitor.get("/services").text
    visitor.unlink(service)
    other = Service(f"http://localhost:{free_port()}")
    with serving(other.app(), int(other.url.rpartition(":")[2])):
        for each in (service, other):
            uri = push(visitor.server, each)
            page = visitor.get("/oauth/authorize", client_id=each.client_id, request_uri=uri).text
            known, _, new = page.partition("New since you linked Example Air")
            assert ("First passkey" in known, "Planted" in known) == (True, False)
            assert "Planted" in new
    visitor.server.clock.now += 1
    visitor.link(service)
    visitor.unlink(service)
    uri = push(visitor.server, service)
    assert "New since" not in visitor.get("/oauth/authorize", client_id=service.client_id, request_uri=uri).text


def test_another_persons_link_cannot_be_updated(visitor: Visitor, service: Service) -> None:
    visitor.link(service)
    [[link]] = visitor.server.execute("SELECT id FROM links WHERE state = 'linked'")
    eve = Visitor(visitor.server).sign_up("Eve")
    assert reason(eve.post("/services/begin", link=link)) == "not_yours"
