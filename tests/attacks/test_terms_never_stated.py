"""The customer's own approval server writes the price: the passkey is real, the terms are not."""

import time

from oneact.protocol import act, action, offer
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_terms_that_the_service_never_stated_are_refused(caller: Caller, airline: Airline) -> None:
    offered, _ = offer.parse(await caller.ask("POST", "/bookings", json=FLIGHT))
    real = offered.act
    terms = {**(real.terms or {}), "price": {"amount": "1.00", "currency": "USD"}}
    cheaper = act.build(real.location, real.action, real.action_digest, real.parameters or {}, terms)
    described = action.parse(await caller.document("book_flight"))
    now = int(time.time())
    token = caller.server.person.approve_act(cheaper, described, caller.agent, now, txn=offered.txn)
    assert told(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "txn_foreign", 7)
    dropped = cheaper._replace(terms=None, terms_digest=None)
    token = caller.server.person.approve_act(dropped, described, caller.agent, now, txn=offered.txn)
    assert told(await caller.show(token, "POST", "/bookings", json=FLIGHT)) == (401, "terms_missing", 7)
    assert airline.books.all() == []
