"""Serializers of Django REST framework as arguments: what is published of their fields, read, shown and refused."""

from datetime import date
from decimal import Decimal
from typing import Annotated, Any
from uuid import UUID

import pytest
from django.urls import path
from rest_framework import serializers
from rest_framework.decorators import api_view
from rest_framework.response import Response
from tests.service.django_desk import Desk

from oneact.service.django import Act, Form, Query


class Guest(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=40)
    age = serializers.IntegerField(min_value=0, max_value=150, allow_null=True, required=False)


class Booking(serializers.Serializer[Any]):
    number = serializers.IntegerField(read_only=True)
    to = serializers.CharField(label="Where to", source="place")
    day = serializers.DateField()
    limit = serializers.DecimalField(max_digits=8, decimal_places=2, default="10.50")
    cabin = serializers.ChoiceField(choices=["economy", "first"], default="economy")
    soon = serializers.BooleanField(default=False)
    mail = serializers.EmailField(required=False)
    trip = serializers.UUIDField(required=False)
    guests = Guest(many=True, required=False)
    tags = serializers.ListField(child=serializers.CharField(), max_length=3, default=list)

    def validate_to(self, place: str) -> str:
        if place == "NOWHERE":
            raise serializers.ValidationError("nobody flies there")
        return place

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if attrs["cabin"] == "first" and attrs["limit"] < Decimal(100):
            raise serializers.ValidationError("too dear")
        return attrs


def guarded(desk: Desk, function: Any, **more: Any) -> Any:
    view = desk.guard.action("do", intent="Do", summary="Do", **more)(function)
    desk.put(path("do", api_view(["POST"])(view)))
    return view


def refused(desk: Desk, data: dict[str, Any]) -> tuple[int, str, str | None]:
    answer = desk.open("POST", "/do", desk.person.accept, data=data)
    found = answer.json()
    return answer.status_code, found["reason"], found.get("field")


GIVEN: dict[str, Any] = {
    "to": "NYC", "day": "2024-03-01", "limit": "12.5", "trip": "6F9619FF-8B86-D011-B42D-00CF4FC964FF",
    "guests": [{"name": "Ada", "age": 36}, {"name": "Bob"}],
}  # fmt: skip


def test_a_handler_gets_the_serializer_validated_and_the_person_sees_what_it_writes(desk: Desk) -> None:
    def book(booking: Booking, act: Act) -> Response:
        found = booking.validated_data
        assert (found["place"], found["day"], found["limit"]) == ("NYC", date(2024, 3, 1), Decimal("12.50"))
        assert found["trip"] == UUID(GIVEN["trip"])
        return Response({"seen": act.parameters}, status=201)

    def quote(booking: Booking) -> dict[str, Any]:
        return {"price": f"{booking.validated_data['limit'] * 2} USD"}

    schema: Any = {"type": "object", "required": ["price"], "properties": {"price": {"type": "string"}}}
    guarded(desk, book, terms=quote, terms_schema=schema)
    answer = desk.act("POST", "/do", data=GIVEN)
    assert (answer.status_code, answer.json()["seen"]) == (201, {
        "to": "NYC", "day": "2024-03-01", "limit": "12.50", "cabin": "economy", "soon": False,
        "trip": GIVEN["trip"].lower(), "guests": [{"name": "Ada", "age": 36}, {"name": "Bob", "age": None}], "tags": [],
    })  # fmt: skip


def test_its_fields_are_published_closed(desk: Desk) -> None:
    def book(booking: Booking) -> None: ...

    guarded(desk, book)
    schema: Any = desk.guard.actions["do"].action.schema
    assert schema["required"] == ["to", "day"]
    assert schema["additionalProperties"] is False
    assert "number" not in schema["properties"]
    assert schema["properties"]["to"] == {"title": "Where to", "type": "string"}
    assert schema["properties"]["day"] == {"title": "Day", "type": "string", "format": "date"}
    assert schema["properties"]["cabin"] == {"title": "Cabin", "type": "string", "enum": ["economy", "first"]}
    assert schema["properties"]["mail"]["format"] == "email"
    assert schema["properties"]["tags"]["maxItems"] == 3
    guest = schema["properties"]["guests"]["items"]
    assert (guest["additionalProperties"], guest["required"]) == (False, ["name"])
    assert guest["properties"]["name"] == {"title": "Name", "type": "string", "maxLength": 40}
    assert guest["properties"]["age"] == {
        "title": "Age", "anyOf": [{"type": "integer", "minimum": 0, "maximum": 150}, {"type": "null"}],
    }  # fmt: skip


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"to": "NOWHERE"}, "parameters_invalid", "to"),
        ({"day": "tomorrow"}, "parameters_invalid", "day"),
        ({"cabin": "first"}, "parameters_invalid", None),
        ({"other": 1}, "parameter_unknown", None),
        ({"number": 1}, "parameter_unknown", None),
        ({"guests": [{"name": "Ada", "vip": True}]}, "parameter_unknown", "guests"),
    ],
)
def test_what_the_serializer_does_not_take_is_refused(desk: Desk, change: Any, reason: str, field: str | None) -> None:
    def book(booking: Booking) -> None: ...

    guarded(desk, book)
    assert refused(desk, GIVEN | change) == (422, reason, field)


@pytest.mark.parametrize(
    ("written", "reason"), [({"to": "NYC", "paid": 1}, "parameter_unknown"), ({"to": 5}, "parameters_invalid")]
)
def test_what_an_override_writes_beside_its_description_is_refused(desk: Desk, written: Any, reason: str) -> None:
    class Odd(serializers.Serializer[Any]):
        to = serializers.CharField()

        def to_representation(self, instance: Any) -> Any:
            return written if instance else {}

    def book(booking: Odd) -> None: ...

    guarded(desk, book)
    assert refused(desk, {"to": "NYC"})[:2] == (422, reason)


def test_what_is_taken_before_the_handler_runs_is_a_failed_act(desk: Desk) -> None:
    asked: list[str] = []

    class Seat(serializers.Serializer[Any]):
        number = serializers.CharField()

        def validate_number(self, number: str) -> str:
            if len(asked) > 1:  # the terms were stated again, so the act is about to run
                raise serializers.ValidationError("taken meanwhile")
            return number

    def quote(seat: Seat) -> dict[str, str]:
        asked.append(seat.validated_data["number"])
        return {"price": "1 USD"}

    def take(seat: Seat) -> None: ...

    schema: Any = {"type": "object", "required": ["price"], "properties": {"price": {"type": "string"}}}
    guarded(desk, take, terms=quote, terms_schema=schema)
    answer = desk.act("POST", "/do", data={"number": "7A"})
    assert (answer.status_code, answer.json()["reason"]) == (422, "parameters_invalid")
    assert answer.headers["OneAct-Receipt"]


def test_a_date_of_the_sites_own_form_is_a_text_and_a_blank_choice_is_one(desk: Desk) -> None:
    class Odd(serializers.Serializer[Any]):
        day = serializers.DateField(format="%d.%m.%Y", input_formats=["%d.%m.%Y"])
        cabin = serializers.ChoiceField(choices=["first"], allow_blank=True)

    def book(booking: Odd) -> Response:
        return Response({"day": booking.validated_data["day"].isoformat(), "cabin": booking.validated_data["cabin"]})

    guarded(desk, book)
    schema: Any = desk.guard.actions["do"].action.schema["properties"]
    assert schema["day"] == {"title": "Day", "type": "string"}
    assert schema["cabin"]["enum"] == ["first", ""]
    given = {"day": "01.03.2024", "cabin": ""}
    assert desk.act("POST", "/do", data=given).json() == {"day": "2024-03-01", "cabin": ""}


def test_a_serializer_reads_a_form_too(desk: Desk) -> None:
    def note(guest: Annotated[Guest, Form()]) -> Response:
        return Response(guest.validated_data)

    guarded(desk, note)
    assert desk.act("POST", "/do", form={"name": "Ada", "age": "36"}).json() == {"name": "Ada", "age": 36}


def field_of(found: Any) -> type:
    return type("Made", (serializers.Serializer,), {"it": found})


UNFIT = [
    (serializers.CharField(write_only=True), "it would reach the handler without being shown"),
    (serializers.HiddenField(default="ada"), "it would reach the handler without being shown"),
    (serializers.CharField(source="*"), "it would reach the handler without being shown"),
    (serializers.FloatField(), "it is a FloatField"),
    (serializers.JSONField(), "it is a JSONField"),
    (serializers.DictField(), "it is a DictField"),
    (serializers.FileField(), "it is a FileField"),
    (serializers.MultipleChoiceField(choices=["a"]), "it is a MultipleChoiceField"),
    (serializers.ChoiceField(choices=[("a", "A"), (1, "B")]), "it is a ChoiceField"),
    (serializers.UUIDField(format="int"), "it is a UUIDField"),
    (serializers.DecimalField(max_digits=4, decimal_places=2, coerce_to_string=False), "it is a DecimalField"),
    (serializers.DecimalField(max_digits=4, decimal_places=2, localize=True), "it is a DecimalField"),
    (serializers.ListField(child=serializers.FloatField()), "it is a FloatField"),
]


@pytest.mark.parametrize(("found", "said"), UNFIT)
def test_a_field_whose_value_nobody_could_sign_is_refused_at_the_start(desk: Desk, found: Any, said: str) -> None:
    made = field_of(found)

    def book(booking: made) -> None: ...  # type: ignore[valid-type]  # made here

    with pytest.raises(ValueError, match=f"action do: booking: {said}"):
        guarded(desk, book)


def test_a_serializer_is_not_read_of_the_query(desk: Desk) -> None:
    def book(booking: Annotated[Guest, Query()]) -> None: ...

    with pytest.raises(ValueError, match="action do: booking: a serializer stands in the body or a form"):
        guarded(desk, book)
