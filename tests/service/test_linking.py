"""Linking an account, and what an agent inside the person's session or another site cannot do with it."""

import base64
import hashlib
import re
import time
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from tests.ports import free_port
from tests.service.airline import FACES, Airline
from tests.service.serving import serving
from tests.service.world import ApprovalServer, Caller, calling, page_reason, served

from oneact.protocol import roster
from oneact.protocol.roster import Roster
from oneact.service import LocalAccount, SqliteStore, journal, link_page
from oneact.service.browser import csrf as form_csrf
from oneact.testing import SoftwarePasskey, new_key

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


@pytest.fixture(params=FACES)
def airline(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Airline]:
    """An airline that takes whichever approval server its people link; nobody has yet."""
    port = free_port()
    found = Airline(request.param, port, "linked", tmp_path, deadline=2)
    found.account = LocalAccount("alice", "alice@example.org", int(time.time()))
    with serving(found, port):
        yield found


@pytest.fixture
async def caller(server: ApprovalServer, airline: Airline) -> AsyncIterator[Caller]:
    async with calling(server, airline.resource) as found:
        yield found


def csrf(page: httpx.Response) -> str:
    return page.text.partition('name="csrf" value="')[2].partition('"')[0]


async def begin(caller: Caller, **changes: str) -> httpx.Response:
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert page.status_code == 200, page.text
    fields = {"issuer": caller.server.issuer, "csrf": csrf(page)} | changes
    headers = {"Origin": caller.resource}
    return await caller.client.post(caller.resource + "/oneact/link", data=fields, headers=headers)


async def link(caller: Caller, **changes: str) -> httpx.Response:
    started = await begin(caller)
    assert started.status_code == 303, started.text
    back = caller.server.authorize(started.headers["location"])
    for name, value in changes.items():
        found = parse_qs(urlsplit(back).query)[name][0]
        back = back.replace(httpx.QueryParams({name: found}).__str__(), httpx.QueryParams({name: value}).__str__())
    return await caller.client.get(back)


def said(answer: httpx.Response) -> int:
    assert answer.headers["content-type"].startswith("text/html")
    return answer.status_code


async def test_a_linked_account_can_be_acted_on(caller: Caller, airline: Airline) -> None:
    refused = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT)
    assert refused.json()["reason"] == "issuer_not_accepted"
    page = await link(caller)
    assert said(page) == 200
    assert page.text.count("linked") == page.text.count("Your account is linked") == 2  # the title and the heading
    assert airline.notices == [("alice", "linked")]
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert airline.books.all()[0][1] == "alice"


async def test_the_pushed_request_is_authenticated_and_names_the_service(caller: Caller) -> None:
    await begin(caller)
    (pushed,) = caller.server.pushed.values()
    assert pushed["client_id"] == caller.resource + "/oneact/client.json"
    assert (pushed["resource"], pushed["scope"]) == (caller.resource, "openid")
    assert (pushed["response_type"], pushed["code_challenge_method"]) == ("code", "S256")


async def test_the_page_has_no_script_and_is_not_framed(caller: Caller) -> None:
    page = await caller.client.get(caller.resource + "/oneact/link")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "<script" not in page.text
    assert "HttpOnly" in page.headers["set-cookie"]


async def test_the_policy_allows_the_pages_one_style_and_nothing_else(caller: Caller) -> None:
    page = await caller.client.get(caller.resource + "/oneact/link")
    [style] = re.findall(r"<style>(.*?)</style>", page.text, re.DOTALL)
    digest = base64.b64encode(hashlib.sha256(style.encode()).digest()).decode()
    assert f"style-src 'sha256-{digest}'" in page.headers["content-security-policy"]
    assert "style=" not in page.text


async def test_every_page_leads_back_to_the_service(caller: Caller) -> None:
    back = f'<a href="{caller.resource}/">Back to Example Air</a>'
    address = caller.resource + "/oneact/link"
    before = await caller.client.get(address)
    refused = await caller.client.get(address + "/callback?state=foreign")
    done = await link(caller)
    after = await caller.client.get(address)
    for page in (before, refused, done, after):
        assert back in page.text
    assert (refused.status_code, done.status_code) == (403, 200)


async def test_nobody_signed_in_links_nothing(caller: Caller, airline: Airline) -> None:
    airline.account = None
    assert page_reason(await caller.client.get(caller.resource + "/oneact/link")) == "session_required"
    assert page_reason(await caller.client.post(caller.resource + "/oneact/link", data={})) == "session_required"


@pytest.mark.parametrize("age", [-60, 301])
async def test_a_sign_in_that_is_not_of_the_last_five_minutes_sees_no_form_and_the_way_to_sign_in(
    caller: Caller, airline: Airline, age: int
) -> None:
    airline.account = LocalAccount("alice", "alice", int(time.time()) - age)
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert page_reason(page) == "link_login_stale"
    assert "<form" not in page.text
    assert "Sign in</a>" not in page.text
    airline.guard.login_uri = "/login?next=/oneact/link&x"
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert '<a href="/login?next=/oneact/link&amp;x">Sign in</a>' in page.text


@pytest.mark.parametrize("account", [LocalAccount("alice", "alice", 1), "alice"])
async def test_a_form_sent_after_the_sign_in_grew_old_links_nothing(
    caller: Caller, airline: Airline, account: LocalAccount | str
) -> None:
    airline.guard.login_uri = "/login"
    page = await caller.client.get(caller.resource + "/oneact/link")
    airline.account = account  # a plain id says nothing of when it signed in
    fields = {"issuer": caller.server.issuer, "csrf": csrf(page)}
    answer = await caller.client.post(caller.resource + "/oneact/link", data=fields)
    assert page_reason(answer) == "link_login_stale"
    assert 'href="/login"' in answer.text
    assert caller.server.pushed == {}


async def test_a_linked_account_is_told_so_however_old_its_sign_in(caller: Caller, airline: Airline) -> None:
    await link(caller)
    airline.account = LocalAccount("alice", "alice", 1)
    assert said(await caller.client.get(caller.resource + "/oneact/link")) == 200


async def test_a_sign_in_that_grew_old_on_the_way_links_nothing(caller: Caller, airline: Airline) -> None:
    started = await begin(caller)
    airline.account = LocalAccount("alice", "alice", int(time.time()) - 301)
    back = caller.server.authorize(started.headers["location"])
    assert page_reason(await caller.client.get(back)) == "link_login_stale"
    assert airline.notices == []


async def test_a_form_of_another_site_links_nothing(caller: Caller) -> None:
    assert page_reason(await begin(caller, csrf="A" * 43)) == "csrf"
    page = await caller.client.get(caller.resource + "/oneact/link")
    fields = {"issuer": caller.server.issuer, "csrf": csrf(page)}
    url = caller.resource + "/oneact/link"
    foreign = {"Origin": "https://evil.example"}
    assert page_reason(await caller.client.post(url, data=fields, headers=foreign)) == "csrf"
    caller.client.cookies.clear()
    assert page_reason(await caller.client.post(url, data=fields)) == "link_state"
    assert caller.server.pushed == {}


async def test_an_answer_in_another_browser_links_nothing(caller: Caller, airline: Airline) -> None:
    started = await begin(caller)
    back = caller.server.authorize(started.headers["location"])
    async with calling(caller.server, caller.resource) as other:
        await other.client.get(caller.resource + "/oneact/link")  # another browser, with a session of its own
        assert page_reason(await other.client.get(back)) == "link_state"
    assert page_reason(await caller.client.get(back)) == "link_state"  # it is used up
    assert airline.notices == []


async def test_an_answer_for_another_account_links_nothing(caller: Caller, airline: Airline) -> None:
    started = await begin(caller)
    airline.account = LocalAccount("mallory", "mallory", int(time.time()))
    back = caller.server.authorize(started.headers["location"])
    assert page_reason(await caller.client.get(back)) == "link_state"
    assert airline.notices == []


@pytest.mark.parametrize(
    ("change", "reason"), [({"state": "x" * 43}, "link_state"), ({"iss": "http://localhost:1"}, "link_issuer")]
)
async def test_an_answer_that_is_not_for_this_start_links_nothing(
    caller: Caller, change: dict[str, str], reason: str
) -> None:
    assert page_reason(await link(caller, **change)) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"nonce": "another"}, "link_nonce"),
        ({"aud": "another"}, "id_token_invalid"),
        ({"exp": 1}, "id_token_invalid"),
        ({"iss": "http://localhost:1"}, "id_token_invalid"),
    ],
)
async def test_an_id_token_that_is_not_for_this_start_links_nothing(
    caller: Caller, airline: Airline, changes: dict[str, Any], reason: str
) -> None:
    caller.server.id_token_changes = changes
    assert page_reason(await link(caller)) == reason
    assert airline.notices == []


async def test_a_no_at_the_approval_server_is_told(caller: Caller, airline: Airline) -> None:
    started = await begin(caller)
    back = caller.server.authorize(started.headers["location"]).replace("code=", "error=access_denied&x=")
    assert said(await caller.client.get(back)) == 403
    assert airline.notices == []


@pytest.mark.parametrize("issuer", ["", "javascript:alert(1)", "https://", "https://a.example/?q", "ftp://a.example"])
async def test_what_is_no_issuer_is_refused(caller: Caller, issuer: str) -> None:
    assert page_reason(await begin(caller, issuer=issuer)) == "link_issuer"


async def test_an_issuer_at_a_private_address_is_not_fetched(caller: Caller) -> None:
    assert page_reason(await begin(caller, issuer="https://127.0.0.2")) == "address_forbidden"


async def test_a_linked_account_is_not_linked_again(caller: Caller, airline: Airline) -> None:
    await link(caller)
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert "oneact.unlink" in page.text
    fields = {"issuer": "http://localhost:1", "csrf": "A" * 43}
    assert page_reason(await caller.client.post(caller.resource + "/oneact/link", data=fields)) == "csrf"
    port = free_port()
    evil = ApprovalServer(f"http://localhost:{port}")
    with served(evil, port):
        session = caller.client.cookies["oneact-link"]
        fields = {"issuer": evil.issuer, "csrf": form_csrf(session)}
        answer = await caller.client.post(caller.resource + "/oneact/link", data=fields)
        assert page_reason(answer) == "link_exists"
    assert evil.pushed == {}
    assert airline.notices == [("alice", "linked")]


async def test_a_person_is_linked_to_one_account(caller: Caller, airline: Airline) -> None:
    await link(caller)
    airline.account = LocalAccount("bob", "bob", int(time.time()))
    assert page_reason(await link(caller)) == "link_exists"
    assert airline.notices == [("alice", "linked")]


async def test_of_two_links_started_side_by_side_one_stands(caller: Caller) -> None:
    first, second = await begin(caller), await begin(caller)
    assert said(await caller.client.get(caller.server.authorize(first.headers["location"]))) == 200
    late = await caller.client.get(caller.server.authorize(second.headers["location"]))
    assert page_reason(late) == "link_exists"


async def test_unlinking_is_an_act_and_relinking_is_possible_after_it(caller: Caller, airline: Airline) -> None:
    await link(caller)
    body = {"action": "oneact.unlink", "parameters": {"issuer": caller.server.issuer}}
    answer = await caller.act("POST", "/oneact/act", json=body)
    assert answer.json() == {"unlinked": caller.server.issuer}
    refused = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT)
    assert refused.json()["reason"] == "issuer_not_accepted"
    assert said(await link(caller)) == 200
    assert [event for _, event in airline.notices] == ["linked", "unlinked", "linked"]


async def test_a_roster_chain_pins_new_passkeys(caller: Caller, airline: Airline) -> None:
    await link(caller)
    person = caller.server.person
    fresh = SoftwarePasskey(person.passkey.rp_id, person.passkey.origin)
    old = person.roster(caller.resource)
    later = Roster(old.iss, old.aud, old.sub, old.rp_id, old.origins, 2, (*old.credentials, fresh.credential))
    signed = roster.SignedRoster(later, person.passkey.get(later.challenge()))
    url = caller.resource + "/oneact/roster"
    for _ in range(2):  # the same once more is no mistake
        assert (await caller.client.post(url, json=signed.members())).status_code == 204
    person.passkey = fresh
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert [event for _, event in airline.notices] == ["linked", "passkeys_changed"]


async def test_a_roster_by_an_unpinned_passkey_or_with_an_old_seq_is_refused(caller: Caller) -> None:
    await link(caller)
    person = caller.server.person
    old = person.roster(caller.resource)
    stranger = SoftwarePasskey(person.passkey.rp_id, person.passkey.origin)
    url = caller.resource + "/oneact/roster"

    async def post(seq: int, signer: SoftwarePasskey, sub: str = person.sub) -> str:
        later = Roster(old.iss, old.aud, sub, old.rp_id, old.origins, seq, (stranger.credential,))
        signed = roster.SignedRoster(later, signer.get(later.challenge()))
        found: str = (await caller.client.post(url, json=signed.members())).json()["reason"]
        return found

    assert await post(2, stranger) == "roster_unpinned"
    assert await post(1, person.passkey) == "roster_seq"
    assert await post(2, person.passkey, "nobody") == "roster_subject"


async def test_the_server_alone_may_only_remove(caller: Caller) -> None:
    await link(caller)
    person = caller.server.person
    old, other = person.roster(caller.resource), SoftwarePasskey(person.passkey.rp_id, person.passkey.origin)
    url, kind = caller.resource + "/oneact/roster", {"Content-Type": "application/jwt"}
    both = Roster(old.iss, old.aud, old.sub, old.rp_id, old.origins, 2, (*old.credentials, other.credential))
    signed = roster.SignedRoster(both, person.passkey.get(both.challenge()))
    assert (await caller.client.post(url, json=signed.members())).status_code == 204

    async def post(key: Any = person.key, **changes: Any) -> httpx.Response:
        later = replace(both, **{"seq": 3, "credentials": (other.credential,), **changes})
        return await caller.client.post(url, headers=kind, content=roster.sign_removal(later, key))

    third = SoftwarePasskey(person.passkey.rp_id, person.passkey.origin)
    assert (await post(credentials=(third.credential,))).json()["reason"] == "roster_not_subset"
    assert (await post(new_key())).json()["reason"] == "roster_signature"
    assert (await post(seq=2)).json()["reason"] == "roster_seq"
    assert (await post(seq=int(time.time()))).status_code == 204
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    assert (await caller.show(token, "POST", "/bookings", json=FLIGHT)).json()["reason"] == "passkey_not_pinned"
    assert (await caller.client.post(url, content=b"x")).json()["reason"] == "media_type"
    assert (await caller.client.post(url, headers=kind, content=b"\xff")).json()["reason"] == "roster_malformed"


async def test_the_owner_unlinks_an_account_whose_passkeys_are_lost(caller: Caller, airline: Airline) -> None:
    await link(caller)
    caller.server.person.passkey = SoftwarePasskey("localhost", caller.server.issuer)
    assert "/oneact/unlink" in (await caller.client.get(caller.resource + "/oneact/link")).text
    airline.guard.notify, notify = None, airline.guard.notify
    assert "our own support" in (await caller.client.get(caller.resource + "/oneact/link")).text
    airline.guard.notify = notify
    assert not await airline.guard.unlink("bob")
    assert await airline.guard.unlink("alice")
    assert not await airline.guard.unlink("alice")
    refused = await caller.client.post(caller.resource + "/bookings", headers=caller.accept, json=FLIGHT)
    assert refused.json()["reason"] == "issuer_not_accepted"
    assert said(await link(caller)) == 200
    assert (await caller.act("POST", "/bookings", json=FLIGHT)).status_code == 201
    assert [event for _, event in airline.notices] == ["linked", "unlinked", "linked"]


async def test_the_journal_holds_what_vouches_for_each_roster_and_each_act(caller: Caller, tmp_path: Path) -> None:
    await link(caller)
    person, url = caller.server.person, caller.resource + "/oneact/roster"
    later = person.signed_roster(caller.resource, 2)
    assert (await caller.client.post(url, json=later.members())).status_code == 204
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    booked = await caller.show(token, "POST", "/bookings", json=FLIGHT)
    body = {"action": "oneact.unlink", "parameters": {"issuer": caller.server.issuer}}
    assert (await caller.act("POST", "/oneact/act", json=body)).status_code == 200
    store = SqliteStore(tmp_path / "air.db")
    await store.open()
    entries = await store.journal(0, 100)
    await store.close()
    journal.check(entries)
    kinds = ["linked", "roster_pinned", "spent", "finished", "spent", "unlinked", "finished"]
    assert [entry.kind.value for entry in entries] == kinds
    linked, pinned, spent, finished, _, unlinked, _ = [entry.content or {} for entry in entries]
    first = roster.parse_signed({"roster": linked["roster"], "webauthn": linked["proof"]})
    roster.check_first(first, person.issuer, caller.resource, person.sub)
    roster.check_next(roster.parse_signed({"roster": pinned["roster"], "webauthn": pinned["proof"]}), first.roster)
    assert (spent["token"], finished["receipt"]) == (token, booked.headers["oneact-receipt"])
    assert (unlinked["account"], unlinked["roster"]) == ("alice", later.roster.members())


def test_where_one_approval_server_is_listed_there_is_nothing_to_choose() -> None:
    site = link_page.Site("Air", "http://localhost/")
    one = link_page.form(site, "ada", ["https://approve.example"], "/oneact/link", "x")
    two = link_page.form(site, "ada", ["https://approve.example", "https://b.example"], "/oneact/link", "x")
    assert '<input type="hidden" name="issuer" value="https://approve.example">' in one
    assert "<strong>https://approve.example</strong>" in one
    assert "<select" not in one
    assert two.count("<option") == 2
