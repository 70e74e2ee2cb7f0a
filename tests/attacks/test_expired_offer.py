"""An offer of yesterday is approved today, at the price of yesterday."""

import time

from oneact.protocol import action, offer, terms
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_an_offer_that_had_expired_when_it_was_approved_is_refused(caller: Caller, airline: Airline) -> None:
    offered, _ = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT))
    now = int(time.time())
    key = airline.guard.keys.txn_keys[0]
    old = terms.mint(key, bytes(16), now, caller.server.issuer, offered.act.digest)
    described = action.parse(await caller.document("book_flight"))
    token = caller.server.person.approve_act(offered.act, described, caller.agent, now, txn=old)
    assert told(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "txn_expired", 7)
    assert airline.books.all() == []
