"""Another site lays the approval page under its own buttons."""

from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def test_every_page_forbids_to_be_framed(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent
) -> None:
    visitor.link(shop)
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    for path in ("/signin", "/inbox", f"/requests/{identifier}"):
        headers = visitor.get(path).headers
        assert "frame-ancestors 'none'" in headers["content-security-policy"]
        assert headers["x-frame-options"] == "DENY"
