"""A service in any language, as its sidecar sees it: the calls, and the agent whose requests they tell of."""

import time
from typing import Any

import httpx

from oneact.protocol import action, jwk, offer, receipt
from oneact.protocol.offer import Offer
from oneact.testing import TestAgent
from tests.service.world import ApprovalServer
from tests.sidecar.running import FLIGHT, PRICE, Place

JSON = {"Content-Type": "application/json"}


def call(issuer: str, **changes: Any) -> dict[str, Any]:
    """Give the call of a request for a flight without a token."""
    headers = {"accept-txn-challenge": [f'?1;as="{issuer}"'], "content-type": ["application/json"]}
    made: dict[str, Any] = {
        "action": "book_flight", "parameters": FLIGHT, "terms": PRICE, "method": "POST", "url": "/bookings",
        "headers": headers, "client": "203.0.113.7",
    }  # fmt: skip
    made |= changes
    return {name: value for name, value in made.items() if value is not ...}


class Service:
    """A service that asks its sidecar, and the agent that asks the service."""

    def __init__(self, client: httpx.AsyncClient, server: ApprovalServer, place: Place) -> None:
        self.client, self.server, self.place, self.agent = client, server, place, TestAgent()

    async def ask(self, path: str, **changes: Any) -> Any:
        answer = await self.client.post(path, json=call(self.server.issuer, **changes))
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def offered(self, **changes: Any) -> Offer:
        found = await self.ask("/offer", **changes)
        return offer.parse(httpx.Response(200, text=found["answer"]["body"]).json()["transaction_challenge"])[0]

    async def approved(self, **changes: Any) -> str:
        offered = await self.offered(**changes)
        described = await self.action(offered.act.action)
        return self.server.person.approve_act(offered.act, described, self.agent, int(time.time()), txn=offered.txn)

    async def action(self, name: str) -> Any:
        listed = (await self.page("/oneact/actions"))["actions"]
        return action.parse(next(item for item in listed if item["action"] == name))

    async def page(self, url: str) -> Any:
        asked = {"method": "GET", "url": url, "headers": {}, "client": "203.0.113.7", "account": None}
        found = (await self.client.post("/page", json=asked)).json()
        return httpx.Response(200, text=found["answer"]["body"]).json()

    async def verify(self, token: str, **changes: Any) -> Any:
        url, method = changes.get("url", "/bookings"), changes.get("method", "POST")
        named = self.agent.headers(method, self.place.resource + url.partition("?")[0], token, int(time.time()))
        headers = {name: [value] for name, value in (JSON | named).items()}
        return await self.ask("/verify", **{"headers": headers, **changes})

    async def verified(self, text: str) -> str:
        return receipt.check(text, jwk.parse_set(await self.page("/oneact/jwks.json"))).status


def refused(found: Any) -> tuple[int, str]:
    """Give status and reason of an answer to relay."""
    return found["answer"]["status"], str(httpx.Response(200, text=found["answer"]["body"]).json()["reason"])
