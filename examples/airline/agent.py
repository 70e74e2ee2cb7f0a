"""The demo's agent: it takes orders from the airline's demo desk and has each done as one act.

With the switch at anything but `none` it becomes its own attacker: it has the act approved, then changes one thing.
"""

from __future__ import annotations

import asyncio
import os
import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx

from oneact import keyfile
from oneact.agent import Agent, AgentError, Denied, Expired, OutcomeUnknown, Refused
from oneact.agent.flow import Answer
from oneact.errors import Reason
from oneact.protocol import act, approval, canonical, display, token
from oneact.protocol.action import parse
from oneact.testing import SoftwarePasskey

if TYPE_CHECKING:
    from oneact.agent.client import Shell
    from oneact.agent.flow import Call, Lost

AIRLINE = os.environ.get("AIRLINE_URL", "http://localhost:8500")
SERVER = os.environ.get("AIRLINE_APPROVAL_SERVER", "http://localhost:8400")
STOLEN_KEY = Path(os.environ.get("DEMO_STOLEN_KEY", "var/oneact.jwk"))


class Tamper:
    """Stands between the agent and the airline and changes one thing of the request that carries the token."""

    def __init__(self, shell: Shell) -> None:
        """Take the place of the shell's own sending."""
        self._send, self.kind = shell.call, "none"
        self.used: Call | None = None
        shell.call = self.call  # type: ignore[method-assign]  # to stand between

    async def call(self, call: Call) -> Answer | Lost:
        """Make the request, tampered with where it carries a token."""
        if call.token is None:
            return await self._send(call)
        if self.kind == "none":
            self.used = call
            return await self._send(call)
        return await self._send(await self._changed(call))

    async def again(self) -> dict[str, str]:
        """Make the last booking's request a second time, with its token and a fresh proof, and ask nobody."""
        if self.used is None:
            return {"kind": "error", "says": "There is no booking yet whose token could be used again."}
        answer = await self._send(self.used)
        said = answer.members() if isinstance(answer, Answer) else {}
        if said.get("error") is None:
            return {"kind": "error", "says": "It was not refused."}
        says = f"Refused by check {said.get('check')}: {said.get('reason')}. {said.get('error_description')}"
        return {"kind": "refused", "says": says}

    async def _changed(self, call: Call) -> Call:
        if self.kind == "destination":
            body = canonical.parse(call.body or b"{}")
            assert isinstance(body, dict)
            assert isinstance(body["parameters"], dict)
            body["parameters"]["to"] = "LAX"
            return replace(call, body=canonical.encode(body))
        return replace(call, token=await _forged(call.token or "", self.kind))


async def _forged(text: str, kind: str) -> str:
    """Sign, with the approval server's own key, what its person never approved."""
    found, _ = token.parse(text)
    real = token.parse_act(found)
    [key] = keyfile.load_or_create(STOLEN_KEY)
    if kind == "price":
        cheaper = {**(real.terms or {}), "price": {"amount": "1.00", "currency": "USD"}}
        forged = act.build(real.location, real.action, real.action_digest, real.parameters or {}, cheaper)
        return token.sign(found._replace(details=forged.details()), key)
    async with httpx.AsyncClient() as client:
        document = (await client.get(f"{AIRLINE}/oneact/actions/{real.action_digest}")).json()
    lines = display.render(parse(document), real.parameters or {}, real.terms)
    item = approval.item_hash(found.aud, found.sub, found.txn, real.digest, display.digest(lines))
    [given] = token.parse_approvals(found)
    statement = given.statement._replace(acts=(item,))
    thief = SoftwarePasskey("localhost", SERVER)
    signed = token.Approval(statement, thief.get(approval.challenge(approval.APPROVAL, statement.members())))
    return token.sign(found._replace(approvals=token.approvals_members([signed])), key)


async def perform(agent: Agent, tamper: Tamper, order: dict[str, Any]) -> dict[str, str]:
    """Have one order done and say what became of it."""
    tamper.kind = order["tamper"]
    said = await (tamper.again() if tamper.kind == "second" else _ask(agent, order))
    return {"tamper": tamper.kind, **said}


async def _ask(agent: Agent, order: dict[str, Any]) -> dict[str, str]:
    parameters = {name: order[name] for name in ("from", "to", "date")}
    try:
        result = await agent.act(AIRLINE, "book_flight", parameters, reason="You asked at the demo desk.")
    except Denied as denied:
        kind, says = "denied", f"Denied. {denied.message}"
    except Expired as expired:
        kind, says = "expired", f"Expired. {expired}"
    except Refused as refused:
        kind, says = "refused", _refusal(refused)
    except OutcomeUnknown as unknown:
        kind, says = "unknown", f"Outcome unknown. {unknown}"
    except AgentError as error:
        kind, says = "error", str(error)
    else:
        kind, says = "done", f"Booked {result.json()['reference']} for {result.json()['price']}; receipt verified."
    return {"kind": kind, "says": says}


def _refusal(refused: Refused) -> str:
    check = next((reason.check for reason in Reason if reason.value == refused.reason), 0)
    return f"Refused by check {check}: {refused.reason}. {refused.says}" if check else f"Refused: {refused}"


async def main() -> None:
    """Pair once, then take orders until ended."""

    def show(code: str, address: str) -> None:
        print(f"PAIR {code} {address}", flush=True)

    key_file = Path(os.environ.get("DEMO_AGENT_FILE", "var/agent.json"))
    async with await Agent.open(SERVER, name="Trip planner", key_file=key_file, on_code=show) as agent:
        print(f"PAIRED {agent.fingerprint}", flush=True)
        tamper, number = Tamper(agent._shell), 0  # noqa: SLF001 - the attacker reaches where no author should
        async with httpx.AsyncClient(base_url=AIRLINE) as desk:
            while True:
                order = (await desk.get(f"/demo/orders/{number}")).json()
                if order is None:
                    await asyncio.sleep(0.3)
                    continue
                number += 1
                said = await perform(agent, tamper, order)
                print(f"RESULT {said['tamper']}: {said['says']}", flush=True)
                await desk.post("/demo/results", json=said)


if __name__ == "__main__":
    try:
        asyncio.run(main())
    except KeyboardInterrupt:
        sys.exit(0)
    except AgentError as error:
        sys.exit(f"the agent stopped: {error}")
