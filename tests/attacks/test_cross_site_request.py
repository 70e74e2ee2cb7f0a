"""Another site posts to the approval server with the person's cookies."""

import pytest

from tests.attacks.stage import reason
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {},
    ],
)
def test_a_decision_that_another_site_sends_is_refused(
    approval: RunningServer, shop: Service, visitor: Visitor, paired: Agent, headers: dict[str, str]
) -> None:
    visitor.link(shop)
    identifier = paired.ask(shop.offer(approval.url, approval.clock())).json()["transaction_authorization_id"]
    visitor.get(f"/requests/{identifier}")
    sent = {**headers, "OneAct-Page": "1"}
    assert reason(visitor.post("/requests/deny", headers=sent, requests=[identifier])) == "csrf"
    assert visitor.submit("/signout", headers=headers).status_code == 403
    assert approval.execute("SELECT state FROM requests") == [("pending",)]
