"""An agent inside the person's session links the account to an approval server of its own."""

import time

from oneact.service import LocalAccount
from oneact.service.browser import csrf as form_csrf
from tests.attacks.stage import told
from tests.ports import free_port
from tests.service.airline import Airline
from tests.service.world import ApprovalServer, Caller, page_reason, served


async def test_a_linked_account_is_not_linked_again_from_within_its_session(caller: Caller, airline: Airline) -> None:
    airline.account = LocalAccount("alice", "alice", int(time.time()))
    airline.guard.issuers = type(airline.guard.issuers)(
        [caller.server.issuer, "https://evil.example"], airline.guard.store, airline.guard.documents
    )
    page = await caller.client.get(caller.resource + "/oneact/link")
    assert "csrf" not in page.text
    caller.client.cookies.set("oneact-link", "chosen-by-the-agent")
    form = {"issuer": "https://evil.example", "csrf": form_csrf("chosen-by-the-agent")}
    answer = await caller.client.post(caller.resource + "/oneact/link", data=form)
    assert page_reason(answer) == "link_exists"
    links = await airline.guard.store.links("alice")
    assert [link.roster.iss for link in links] == [caller.server.issuer]


async def test_unlinking_needs_the_pinned_passkey(caller: Caller, airline: Airline) -> None:
    port = free_port()
    evil = ApprovalServer(f"http://localhost:{port}")
    with served(evil, port):
        evil.person.key = caller.server.person.key
        evil.person.issuer, evil.person.sub = caller.server.issuer, caller.server.person.sub
        challenge = await caller.ask(
            "POST", "/oneact/act", json={"action": "oneact.unlink", "parameters": {"issuer": caller.server.issuer}}
        )
        real, caller.server.person = caller.server.person, evil.person
        token = await caller.approved(challenge)
        caller.server.person = real
        asked = {"action": "oneact.unlink", "parameters": {"issuer": caller.server.issuer}}
        answer = await caller.show(token, "POST", "/oneact/act", json=asked)
    assert told(answer) == (401, "passkey_not_pinned", 10)
    assert len(await airline.guard.store.links("alice")) == 1
