"""The thief of a passkey, and of a session it opened, after the person has removed it; its service was not reached."""

import pytest

from oneact.errors import Reason, Refusal
from oneact.server import sessions
from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


@pytest.fixture
def identifier(approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent) -> str:
    """A request at a service that has pinned what will be stolen, and that takes no rosters."""
    visitor.link(shop)
    asked = paired.ask(shop.offer(approval.url, approval.clock())).json()
    return str(asked["transaction_authorization_id"])


@pytest.fixture
def thief(visitor: Visitor) -> Visitor:
    """Whoever has the person's passkey, signed in elsewhere before its removal."""
    found = Visitor(visitor.server)
    found.passkey = visitor.passkey
    assert found.sign_in().status_code == 200
    return found


def remove_it(visitor: Visitor) -> None:
    visitor.add_passkey()
    assert visitor.remove_passkey(visitor.passkey.id).status_code == 200


def states(server: RunningServer) -> list[str]:
    return [state for (state,) in server.execute("SELECT state FROM requests")]


def test_its_sessions_are_over_and_the_persons_own_goes_on(visitor: Visitor, thief: Visitor) -> None:
    remove_it(visitor)
    assert thief.get("/inbox").status_code == 303
    assert visitor.get("/inbox").status_code == 200


def test_it_begins_no_session_where_sign_in_and_removal_race(visitor: Visitor) -> None:
    account = visitor.account
    remove_it(visitor)
    with pytest.raises(Refusal) as refused:
        visitor.server.call(sessions.start, account, visitor.passkey.id)
    assert refused.value.reason is Reason.PASSKEY_NOT_PINNED


def test_it_is_not_asked_for_and_approves_nothing(
    approval: RunningServer, visitor: Visitor, paired: Agent, identifier: str
) -> None:
    begun = visitor.begin_approval(identifier)
    remove_it(visitor)
    answer = visitor.post("/requests/approve", requests=[identifier], **visitor.sign(begun))
    assert reason(answer) == "passkey_not_pinned"
    assert reason(visitor.post("/requests/begin", requests=[identifier])) == "passkey_not_pinned"
    assert reason(paired.poll(identifier)) in {"authorization_pending", "slow_down"}
    assert states(approval) == ["pending"]


def test_what_it_has_approved_and_nobody_has_collected_is_taken_back(
    approval: RunningServer, thief: Visitor, visitor: Visitor, paired: Agent, identifier: str
) -> None:
    assert thief.approve(identifier).status_code == 200
    remove_it(visitor)
    assert states(approval) == ["denied"]
    assert reason(paired.poll(identifier)) == "denied"


def test_what_another_passkey_has_approved_stands(visitor: Visitor, paired: Agent, identifier: str) -> None:
    second = visitor.add_passkey()
    assert visitor.approve(identifier).status_code == 200
    assert visitor.remove_passkey(second.id).status_code == 200
    assert paired.poll(identifier).status_code == 200


def test_it_vouches_for_no_roster(approval: RunningServer, shop: Service, visitor: Visitor) -> None:
    visitor.link(shop)
    visitor.add_passkey()
    [[link]] = approval.execute("SELECT id FROM links WHERE state = 'linked'")
    begun = visitor.post("/services/begin", link=link).json()
    assert visitor.remove_passkey(visitor.passkey.id).status_code == 200
    assert reason(visitor.post("/services/finish", **visitor.sign(begun))) == "gesture_unknown"
    assert reason(visitor.post("/services/begin", link=link)) == "roster_unpinned"
