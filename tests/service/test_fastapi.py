"""What the FastAPI face makes of a handler's signature, and what it refuses at the start."""

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from enum import Enum
from pathlib import Path
from typing import Annotated, Any, Self

import httpx
import pytest
from fastapi import APIRouter, Body, Cookie, Depends, FastAPI, File, Form, Header, HTTPException, Query, Request
from fastapi.responses import PlainTextResponse, StreamingResponse
from pydantic import BaseModel, ConfigDict, Field, computed_field, model_validator
from pydantic.json_schema import GenerateJsonSchema

from oneact.errors import Reason, Refusal
from oneact.service import Act, Rule
from oneact.service.fastapi import Guard


class Cabin(Enum):
    ECONOMY = "economy"
    FIRST = "first"


class Passenger(BaseModel):
    name: str
    age: int | None = None


class Trip(BaseModel):
    to: str
    cabin: Cabin = Cabin.ECONOMY
    limit: Decimal = Decimal("10.50")
    passengers: list[Passenger] = []


@dataclass
class Terms:
    price: str


@pytest.fixture
def guard(tmp_path: Path) -> Guard:
    return Guard(
        resource="http://localhost:1", name="Air", key=tmp_path / "k.jwk", store=tmp_path / "s.db",
        account=lambda _: None, issuers=["http://localhost:2"],
    )  # fmt: skip


def act_on(guard: Guard, handler: Callable[..., Any], **more: Any) -> Callable[..., Any]:
    return guard.action("do", intent="Do it", summary=more.pop("summary", "Do"), **more)(handler)


def normalised(guard: Guard, given: dict[str, Any]) -> dict[str, Any]:
    return guard.actions["do"].normalise(given)


def refused(guard: Guard, given: dict[str, Any]) -> Reason:
    with pytest.raises(Refusal) as caught:
        normalised(guard, given)
    return caught.value.reason


def trip(trip: Trip, act: Act) -> None: ...


def test_defaults_are_filled_in_and_decimals_are_text(guard: Guard) -> None:
    act_on(guard, trip)
    assert normalised(guard, {"to": "NYC", "passengers": [{"name": "Ada"}]}) == {
        "to": "NYC", "cabin": "economy", "limit": "10.50", "passengers": [{"name": "Ada", "age": None}],
    }  # fmt: skip


def test_the_published_schema_describes_what_is_hashed(guard: Guard) -> None:
    act_on(guard, trip)
    schema = guard.actions["do"].action.schema
    assert schema["properties"]["limit"]["type"] == "string"  # type: ignore[index,call-overload]
    assert schema["additionalProperties"] is False
    assert schema["$defs"]["Passenger"]["additionalProperties"] is False  # type: ignore[index,call-overload]


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ({"to": "NYC", "seat": "1A"}, Reason.PARAMETER_UNKNOWN),
        ({"to": "NYC", "passengers": [{"name": "Ada", "vip": True}]}, Reason.PARAMETER_UNKNOWN),
        ({"to": "NYC", "cabin": "hold"}, Reason.PARAMETERS_INVALID),
        ({}, Reason.PARAMETERS_INVALID),
    ],
)
def test_what_does_not_fit_is_refused(guard: Guard, given: dict[str, Any], reason: Reason) -> None:
    act_on(guard, trip)
    assert refused(guard, given) is reason


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"to": 1}, "to"),
        ({}, "to"),
        ({"to": "NYC", "passengers": [{"name": "Ada", "age": "old"}]}, "passengers"),
        ({"to": "NYC", "passengers": [{"name": "Ada", "vip": True}]}, "passengers"),
        ({"to": "NYC", "seat": "1A"}, ""),
        ({"to": "NYC", "limit": "NaN"}, "limit"),
    ],
)
def test_a_refusal_names_the_parameter_at_fault(guard: Guard, given: dict[str, Any], field: str) -> None:
    act_on(guard, trip)
    with pytest.raises(Refusal) as caught:
        normalised(guard, given)
    assert caught.value.field == field


def test_a_refusal_by_a_model_as_a_whole_names_no_parameter(guard: Guard) -> None:
    class Round(BaseModel):
        to: str
        back: str

        @model_validator(mode="after")
        def check(self) -> Self:
            if self.to == self.back:
                raise ValueError("nowhere")
            return self

    def handler(body: Any, soon: bool, act: Act) -> None: ...  # noqa: FBT001 - as owners write it

    handler.__annotations__ = {"body": Round, "soon": bool, "act": Act}
    act_on(guard, handler)
    for given, field in [
        ({"to": "NYC", "back": "NYC", "soon": True}, ""),
        ({"to": "NYC", "back": "SFO", "soon": "perhaps"}, "soon"),
        ({"to": "NYC", "back": "SFO"}, "soon"),
    ]:
        with pytest.raises(Refusal) as caught:
            normalised(guard, given)
        assert (caught.value.reason, caught.value.field) == (Reason.PARAMETERS_INVALID, field)


def test_a_member_that_is_not_hashed_does_not_reach_the_handler(guard: Guard) -> None:
    class Sly(BaseModel):
        to: str
        hidden: str = Field("", exclude=True)

    def handler(body: Sly, act: Act) -> None: ...

    handler.__annotations__ = {"body": Sly, "act": Act}
    with pytest.raises(ValueError, match="hidden"):
        act_on(guard, handler)


def test_a_value_that_changes_when_it_is_read_again_is_refused(guard: Guard) -> None:
    class Growing(BaseModel):
        count: int

        def __init__(self, **data: Any) -> None:
            super().__init__(count=int(data["count"]) + 1)

    def handler(body: Any, act: Act) -> None: ...

    handler.__annotations__ = {"body": Growing, "act": Act}
    act_on(guard, handler)
    assert refused(guard, {"count": 1}) is Reason.PARAMETERS_INVALID


def test_a_number_that_is_not_exact_is_refused_at_the_start(guard: Guard) -> None:
    def handler(amount: float, act: Act) -> None: ...

    with pytest.raises(ValueError, match=r"parameter amount: a number with a fraction .* use Decimal"):
        act_on(guard, handler)


def test_a_decimal_is_published_as_a_text_by_every_version_of_pydantic(
    guard: Guard, monkeypatch: pytest.MonkeyPatch
) -> None:
    described = GenerateJsonSchema.decimal_schema

    def with_a_look_ahead(self: GenerateJsonSchema, schema: Any) -> Any:
        return {**described(self, schema), "pattern": r"^(?!^[-+.]*$)[+-]?0*\d*\.?\d*$"}

    monkeypatch.setattr(GenerateJsonSchema, "decimal_schema", with_a_look_ahead)

    def handler(amount: Decimal, act: Act) -> None: ...

    act_on(guard, handler)
    published = guard.actions["do"].action.schema["properties"]
    assert isinstance(published, dict)
    assert published["amount"] == {"type": "string"}


class Tree(BaseModel):
    name: str
    below: list["Tree"] = []


class Bare: ...


class Fare(BaseModel):
    price: float


@pytest.mark.parametrize(
    ("annotation", "said"),
    [
        (Fare, "parameter price: a number with a fraction"),
        (Annotated[list[Fare], Body()], "parameter of.price: a number with a fraction"),
        (float | None, "parameter of: a number with a fraction"),
        (dict[str, int], "parameter of: an object of any members .* use a model"),
        (dict, "parameter of: an object of any members"),
        (tuple[int, str], "parameter of: keyword 'prefixItems'"),
        (
            Annotated[str, Body(pattern="(?i)yes")],
            "parameter of: a pattern that is not portable: a group of another kind",
        ),
        (Annotated[str, Body(pattern=r"\bword\b")], r"parameter of: a pattern that is not portable: '\\b' is no"),
        (Annotated[list[Tree], Body()], "#/\\$defs/Tree leads back to itself"),
        (Bare, "of cannot be a parameter: use a model, a text"),
        (Callable[[], None], "of cannot be a parameter: use a model, a text"),
    ],
)
def test_an_argument_that_cannot_be_published_is_named_with_what_to_use(
    guard: Guard, annotation: Any, said: str
) -> None:
    def handler(of: Any, act: Act) -> None: ...

    handler.__annotations__ = {"of": annotation, "act": Act}
    with pytest.raises(ValueError, match="action do: " + said):
        act_on(guard, handler)


def test_terms_that_ask_for_what_the_handler_has_not_are_refused_at_the_start(guard: Guard) -> None:
    def quote(trip: Trip, mood: str) -> Terms: ...

    def still(trip: Trip, terms: dict[str, Any], mood: str) -> bool: ...

    with pytest.raises(ValueError, match="action do: terms= asks for mood, which is no parameter"):
        act_on(guard, trip, terms=quote)
    with pytest.raises(ValueError, match="action do: terms_hold= asks for mood"):
        act_on(guard, trip, terms_hold=still)


def test_terms_with_a_fraction_are_refused_at_the_start(guard: Guard) -> None:
    def quote(trip: Trip) -> Fare: ...

    with pytest.raises(ValueError, match="action do: term price: a number with a fraction"):
        act_on(guard, trip, terms=quote)


def test_a_name_clash_is_refused_at_the_start(guard: Guard) -> None:
    def handler(to: str, trip: Trip, act: Act) -> None: ...

    with pytest.raises(ValueError, match="to"):
        act_on(guard, handler)


def test_a_computed_member_is_refused_at_the_start(guard: Guard) -> None:
    class Computed(BaseModel):
        to: str

        @computed_field  # type: ignore[prop-decorator]  # as pydantic documents it
        @property
        def twice(self) -> str:
            return self.to * 2

    def handler(body: Any, act: Act) -> None: ...

    handler.__annotations__ = {"body": Computed, "act": Act}
    with pytest.raises(ValueError, match="twice"):
        act_on(guard, handler)


class Open(BaseModel):
    model_config = ConfigDict(extra="allow")
    to: str


def test_members_that_the_model_does_not_list_are_refused_even_where_it_takes_them(guard: Guard) -> None:
    def handler(body: Open, act: Act) -> None: ...

    act_on(guard, handler)
    assert refused(guard, {"to": "NYC", "seat": "1A"}) is Reason.PARAMETER_UNKNOWN


def test_an_open_object_within_the_parameters_is_refused_at_the_start(guard: Guard) -> None:
    def handler(inner: Annotated[list[Open], Body()], act: Act) -> None: ...

    with pytest.raises(ValueError, match="parameter inner: an object of any members"):
        act_on(guard, handler)


@pytest.mark.parametrize("mark", [Header(), Cookie(), File()])
def test_what_would_reach_the_handler_unshown_is_refused_at_the_start(guard: Guard, mark: Any) -> None:
    def handler(to: str, act: Act) -> None: ...

    handler.__annotations__ = {"to": Annotated[str, mark], "act": Act}
    with pytest.raises(ValueError, match="without being shown"):
        act_on(guard, handler)


def test_arguments_of_any_name_are_refused_at_the_start(guard: Guard) -> None:
    def handler(act: Act, **more: str) -> None: ...

    with pytest.raises(ValueError, match="without being shown"):
        act_on(guard, handler)


def test_terms_need_a_description(guard: Guard) -> None:
    def quote(trip: Trip) -> dict[str, Any]: ...

    with pytest.raises(ValueError, match="terms_schema"):
        act_on(guard, trip, terms=quote)


def test_a_path_that_names_no_argument_is_refused_at_the_start(guard: Guard) -> None:
    app = FastAPI()
    app.post("/trips/{other}")(act_on(guard, trip))
    with pytest.raises(ValueError, match="other"):
        guard.bind(app)


def test_two_actions_of_one_name_are_refused_at_the_start(guard: Guard) -> None:
    act_on(guard, trip)
    with pytest.raises(ValueError, match="do"):
        act_on(guard, trip)


@pytest.mark.parametrize("rule", [Rule(2), Rule(3), Rule(1, requester_excluded=True)])
def test_a_rule_that_one_linked_person_cannot_meet_is_refused_at_the_start(guard: Guard, rule: Rule) -> None:
    with pytest.raises(ValueError, match="cannot be met"):
        act_on(guard, trip, rule=rule)
    with pytest.raises(ValueError, match="cannot be met"):
        guard.asgi("other", intent="Do", summary="Do", schema={"type": "object"}, rule=rule)(lambda *_: None)
    act_on(guard, trip, rule=Rule(1))


def test_a_route_in_a_router_of_its_own_is_found(guard: Guard) -> None:
    app, router = FastAPI(), APIRouter(prefix="/v1")

    def handler(reference: str, act: Act, soon: Annotated[bool, Query()] = False) -> None: ...  # noqa: FBT002 - as owners write it

    router.put("/trips/{reference}")(act_on(guard, handler))
    app.include_router(router)
    guard.bind(app)
    action = guard.actions["do"].action
    assert (action.method, action.path) == ("PUT", "/v1/trips/{reference}")
    assert action.sources == {"reference": "path", "soon": "query"}


def test_form_and_single_body_fields_are_told_apart(guard: Guard) -> None:
    def handler(note: Annotated[str, Form()], act: Act) -> None: ...

    act_on(guard, handler)
    assert guard.actions["do"].action.sources == {"note": "form"}

    def other(note: Annotated[str, Body(embed=True, alias="remark")], act: Act) -> None: ...

    guard.action("other", intent="Other", summary="Note {remark}")(other)
    assert guard.actions["other"].action.sources == {"remark": "body"}


ACT = Act("alice", "t", "do", {}, None, (), "http://localhost:2", "agent", "jkt")


async def answered(guard: Guard, handler: Callable[..., Any]) -> tuple[int, bytes]:
    act_on(guard, handler)
    answer = await guard.actions["do"].run({}, ACT)
    return answer.status, answer.body


async def test_a_handler_may_answer_with_a_model_a_response_nothing_or_a_refusal(tmp_path: Path) -> None:
    def made(number: int) -> Guard:
        return Guard(
            resource="http://localhost:1", name="Air", key=tmp_path / "k.jwk", store=tmp_path / f"{number}.db",
            account=lambda _: None, issuers=[],
        )  # fmt: skip

    def model(act: Act) -> Passenger:
        return Passenger(name=act.account)

    def response(act: Act) -> PlainTextResponse:
        return PlainTextResponse(act.txn, 202, {"X-Note": "n"})

    def nothing(act: Act) -> None: ...

    async def no(act: Act) -> None:  # noqa: ARG001 - as a handler is called
        raise HTTPException(404, "none", {"X-Note": "n"})

    assert await answered(made(1), model) == (200, b'{"name": "alice", "age": null}')
    assert await answered(made(2), response) == (202, b"t")
    assert await answered(made(3), nothing) == (204, b"")
    assert await answered(made(4), no) == (404, b'{"detail":"none"}')


async def test_an_answer_that_streams_is_a_mistake(guard: Guard) -> None:
    def handler(act: Act) -> StreamingResponse:  # noqa: ARG001 - as a handler is called
        return StreamingResponse(iter([b"a"]))

    with pytest.raises(TypeError):
        await answered(guard, handler)


async def test_a_handler_that_needs_a_request_does_not_run_without_one(guard: Guard) -> None:
    def handler(request: Request, act: Act) -> None: ...

    act_on(guard, handler, reads=("request",))
    with pytest.raises(Refusal) as caught:
        await guard.actions["do"].run({}, ACT)
    assert caught.value.reason is Reason.INTERNAL


def test_a_dependency_named_request_is_refused_at_the_start(guard: Guard) -> None:
    def handler(act: Act, request: Annotated[str, Depends(lambda: "x")]) -> None: ...

    with pytest.raises(ValueError, match="request"):
        act_on(guard, handler)


async def test_terms_may_be_stated_by_anything_pydantic_describes(guard: Guard) -> None:
    async def quote(anything: Trip) -> Terms:
        return Terms(price=f"{anything.limit} for {anything.to}")

    def still(trip: Trip, terms: dict[str, Any]) -> bool:
        return bool(terms["price"] == trip.to)

    act_on(guard, trip, terms=quote, terms_hold=still, summary="To {to} for {price}")
    guarded = guard.actions["do"]
    parameters = normalised(guard, {"to": "NYC"})
    assert guarded.quote is not None
    assert guarded.holds is not None
    assert await guarded.quote(parameters) == {"price": "10.50 for NYC"}
    assert await guarded.holds(parameters, {"price": "NYC"})
    assert guarded.action.summary == "To {/parameters/to} for {/terms/price}"


@pytest.mark.parametrize("place", ["route", "router", "including"])
async def test_what_a_route_depends_on_also_runs_by_the_actions_name(guard: Guard, place: str) -> None:
    async def closed() -> None:
        raise HTTPException(403, "closed today")

    shut: dict[str, Any] = {"dependencies": [Depends(closed)]}
    app, router = FastAPI(), APIRouter(**(shut if place == "router" else {}))

    @router.post("/do", **(shut if place == "route" else {}))
    @guard.action("do", intent="Do it", summary="Do")
    async def do(act: Act) -> None: ...

    app.include_router(router, **(shut if place == "including" else {}))
    app.include_router(guard.router)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://localhost:1") as client:
        by_route = await client.post("/do")
        by_name = await client.post("/oneact/act", json={"action": "do", "parameters": {}})
    assert (by_route.status_code, by_name.status_code) == (403, 403)
