"""What a service's own account page says of an account's links."""

from html.parser import HTMLParser

import pytest
from tests.service.airline import Airline
from tests.service.world import Caller

from oneact.protocol.roster import Roster
from oneact.service import account_page, approvers
from oneact.service.store.contract import Link
from oneact.service.wsgi import Guard as WsgiGuard
from oneact.testing import InProcessApprover

DAY = 24 * 3600


class _Names(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: set[str] = set()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes |= {name for name, _ in attrs}


async def test_the_owner_is_told_server_time_and_passkeys_of_a_link(caller: Caller, airline: Airline) -> None:
    found = await airline.guard.links_of("alice")
    assert found.links == (account_page.StandingLink(caller.server.issuer, 1, 1, found.links[0].approver),)
    assert found.links[0].approver == approvers.code(caller.server.person.roster(airline.resource))
    assert found.page == airline.resource + "/oneact/link"
    assert (await airline.guard.links_of("bob")).links == ()
    assert "no agent can ask" in await airline.guard.links_html("bob")


async def test_the_owners_page_leads_to_the_unlinking_without_a_passkey_and_tells_of_one(airline: Airline) -> None:
    way = f'href="{airline.resource}/oneact/unlink"'
    assert f"{way}>All passkeys are lost" in await airline.guard.links_html("alice")
    airline.guard.now = lambda: DAY  # whether this test or a round of the guard's tells, it is told at this second
    assert await airline.guard.store.start_unlinking("alice", DAY, 0, 0)
    await airline.guard.store.told_unlinking("alice", DAY, 2 * DAY)
    found = await airline.guard.links_of("alice")
    assert (found.unlink_page, found.unlinking) == (airline.resource + "/oneact/unlink", 4 * DAY)
    assert f"{way}>See or cancel that" in await airline.guard.links_html("alice")
    airline.guard.notify = None
    assert way not in await airline.guard.links_html("alice")


@pytest.mark.parametrize("airline", ["flask", "wsgi"], indirect=True)
def test_a_service_without_a_loop_of_its_own_asks_the_same(airline: Airline) -> None:
    assert isinstance(airline.guard, WsgiGuard)
    assert airline.guard.links_of_sync("alice").links[0].passkeys == 1
    assert "1 passkey<" in airline.guard.links_html_sync("alice")


def test_of_several_persons_each_is_named_by_their_code() -> None:
    persons = [InProcessApprover(), InProcessApprover("http://localhost:8401", "second")]
    links = [Link("alice", person.roster("http://localhost:1"), 1) for person in persons]
    html = account_page.fragment(account_page.read(links, "/link", None, None))
    assert [approvers.code(found.roster) in html for found in links] == [True, True]
    assert "person " not in account_page.fragment(account_page.read(links[:1], "/link", None, None))


async def test_the_fragment_names_what_is_linked_and_has_no_script_style_or_form(airline: Airline) -> None:
    html = await airline.guard.links_html("alice")
    assert "since <time" in html
    assert ">1970-01-01<" in html
    assert "1 passkey<" in html
    parsed = _Names()
    parsed.feed(html)
    assert set(parsed.tags) <= {"div", "p", "ul", "li", "strong", "time", "a"}
    assert parsed.attributes == {"class", "href", "datetime"}


def test_what_a_person_linked_cannot_write_into_the_owners_page() -> None:
    person = InProcessApprover()
    old = person.roster("http://localhost:1")
    bad = Roster('http://localhost:8400/"><script>', old.aud, old.sub, old.rp_id, old.origins, 1, old.credentials * 2)
    html = account_page.fragment(account_page.read([Link("alice", bad, DAY)], 'http://localhost:1/"x', '/"x', DAY))
    assert "<script" not in html
    assert '/"x' not in html
    assert "2 passkeys" in html
