"""A service publishes ever more and ever larger documents, to fill memory and to drive out those of others."""

import json
from collections.abc import Iterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from oneact import documents
from oneact.protocol import act, canonical
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, serving
from tests.server.visitor import Visitor

LARGE = b"[" + b",".join([b"{}"] * 87_000) + b"]"


@pytest.fixture
def crowd() -> Iterator[Service]:
    """A service that has a large document at every address that it does not need itself."""
    found = Service(f"http://localhost:{free_port()}")

    async def publish(request: Request) -> Response:
        own = found.published().get(request.url.path)
        return Response(LARGE if own is None else json.dumps(own), media_type="application/json")

    with serving(Starlette(routes=[Route("/{path:path}", publish)]), int(found.url.rpartition(":")[2])):
        yield found


def test_it_drives_out_its_own_documents_and_nobody_elses(
    approval: RunningServer, shop: Service, crowd: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    visitor.link(crowd)
    assert paired.ask(shop.offer(approval.url, approval.clock())).status_code == 200
    shop.fetched.clear()
    for number in range(8):
        digest = canonical.sha256(str(number).encode())
        empty = canonical.digest({})
        wanted = act.Act(crowd.url, "book_flight", digest, {}, empty, None, None)
        answer = paired.ask(crowd.offer(approval.url, approval.clock(), wanted))
        assert answer.json()["reason"] == "action_invalid"
    kept = approval.app.state.world.fetch
    assert kept._weights[crowd.url] <= documents.MAX_ORIGIN_OCTETS
    assert paired.ask(shop.offer(approval.url, approval.clock(), shop.act(to="LAX"))).status_code == 200
    assert shop.fetched == []
