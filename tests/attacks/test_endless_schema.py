"""A person links a service of their own, whose schemas and patterns are made to keep the approval server at work."""

import threading
from typing import Any

import httpx
import pytest

from oneact.protocol import action, canonical
from tests.attacks.stage import reason
from tests.server.peers import WITHOUT_TERMS, Agent, RunningServer, Service
from tests.server.visitor import Visitor

TO_X = {"$ref": "#/$defs/x"}
# Each is the schema of one parameter, its definitions, and a value that would be held against it for years.
ENDLESS: dict[str, tuple[Any, dict[str, Any], Any]] = {
    "repetitions in repetitions": ({"pattern": "^(?:(a+)+|(a|a)*|((a{0,99}){0,99}){0,99})+$"}, {}, "a" * 3_000 + "b"),
    "patterns on many texts": ({"items": {"anyOf": [
        {"pattern": f"^(a?){{{n}}}b$"} for n in range(900, 1000)
    ]}}, {}, ["a" * 99] * 999),
    "everything against everything": ({"items": {"allOf": [{}] * 900}}, {}, [0] * 20_000),
    "a long list of what is allowed": ({"items": {"enum": list(range(5_000))}}, {}, [4_999] * 10_000),
    "a large value, looked at often": ({"allOf": [{"anyOf": [{"const": 1}, {}]}] * 900}, {}, ["\U0001f600"] * 5_000),
    "defaults without number": ({"items": TO_X}, {"x": {
        "type": "object", "additionalProperties": False, "properties": {f"p{n}": {"default": n} for n in range(900)},
    }}, [{}] * 5_000),
}  # fmt: skip
INVALID: dict[str, tuple[Any, dict[str, Any]]] = {
    "a definition that leads to itself twice": (TO_X, {"x": {"anyOf": [TO_X, TO_X]}}),
    "definitions that double forty times": ({"$ref": "#/$defs/d0"}, {
        **{f"d{n}": {"anyOf": [{"$ref": f"#/$defs/d{n + 1}"}] * 2} for n in range(40)}, "d40": {"type": "string"},
    }),
    "a look-ahead": ({"pattern": "^(?=(a+)+b)"}, {}),
    "a back-reference": ({"pattern": r"^(a+)\1+$"}, {}),
}  # fmt: skip


def asks(agent: Agent, shop: Service, parameter: Any, definitions: dict[str, Any], value: Any) -> httpx.Response:
    """Have the service publish the action, and the agent ask for it first."""
    schema = {**WITHOUT_TERMS["schema"], "properties": {"from": {}, "to": parameter}, "$defs": definitions}
    document = {**WITHOUT_TERMS, "schema": schema}
    published = shop.published() | {f"/oneact/actions/{canonical.digest(document)}": document}
    shop.published = lambda: published  # type: ignore[method-assign]  # this service does not check what it publishes
    details = shop.act(WITHOUT_TERMS, to=value).details()[0]
    assert isinstance(details, dict)
    details |= {"action_digest": canonical.digest(document)}
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": canonical.encode([details]).decode()}
    return agent.post("/oauth/bc-authorize", **form)


@pytest.mark.parametrize("name", ENDLESS)
def test_work_without_end_is_refused_while_others_are_served(
    approval: RunningServer, visitor: Visitor, paired: Agent, shop: Service, name: str
) -> None:
    visitor.link(shop)
    parameter, definitions, value = ENDLESS[name]
    answers: list[httpx.Response] = []
    asking = threading.Thread(target=lambda: answers.append(asks(paired, shop, parameter, definitions, value)))
    asking.start()
    served = httpx.get(approval.url + "/.well-known/oauth-authorization-server", timeout=10)
    asking.join()
    assert served.status_code == 200
    assert reason(answers[0]) == "parameters_invalid"


@pytest.mark.parametrize("name", INVALID)
def test_a_schema_that_could_be_endless_is_refused_as_it_is_read(
    visitor: Visitor, paired: Agent, shop: Service, name: str
) -> None:
    visitor.link(shop)
    parameter, definitions = INVALID[name]
    assert reason(asks(paired, shop, parameter, definitions, "a")) == "action_invalid"


def test_the_descriptions_of_the_attacks_are_small_enough_to_be_read() -> None:
    for parameter, definitions, _ in ENDLESS.values():
        schema = {**WITHOUT_TERMS["schema"], "properties": {"from": {}, "to": parameter}, "$defs": definitions}
        assert action.parse({**WITHOUT_TERMS, "schema": schema}).name == "ping"
