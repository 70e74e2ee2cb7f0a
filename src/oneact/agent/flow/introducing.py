"""Before a service that tells its terms to known callers alone: a token that says for whom the agent asks."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.agent.flow import steps
from oneact.agent.flow.steps import Call
from oneact.protocol import asking

if TYPE_CHECKING:
    from collections.abc import Generator

    from oneact.agent.flow.steps import Asker, Event, Step

_OK = 200


def asking_token(asker: Asker, resource: str) -> Generator[Step, Event, str]:
    """Get an asking token for a service from the approval server; raises `Refused` or `Unreachable`."""
    form = {
        "grant_type": "client_credentials",
        "scope": asking.SCOPE,
        "resource": resource,
        "login_hint": asker.hint,
    }
    event = yield Call("POST", asker.server.endpoints["token_endpoint"], {}, form, authenticated=True)
    answer = steps.arrived(event, "the approval server")
    if answer.status != _OK or not answer.member("access_token"):
        raise steps.refused(answer)
    return answer.member("access_token")
