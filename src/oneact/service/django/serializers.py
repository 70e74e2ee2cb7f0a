"""A serializer of Django REST framework as an argument: its fields are parameters of the action.

Only fields whose written form is the value itself are taken. What a serializer reads and does not write, as a password
or who is signed in, would reach the handler without being shown.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import PlainSerializer, PlainValidator, TypeAdapter, WithJsonSchema

from oneact.errors import Reason, Refusal
from oneact.protocol import fitting
from oneact.service import actions
from oneact.service.typed.handler import EMPTY, UNSHOWN
from oneact.service.typed.parameters import Field

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.canonical import Json

    Schema = dict[str, Json]

_MODULE: Final = "rest_framework.serializers"
_BOUNDS: Final = {
    "min_value": "minimum", "max_value": "maximum", "min_length": "minLength", "max_length": "maxLength",
}  # fmt: skip


def is_one(annotation: Any) -> bool:  # noqa: ANN401 - of any signature
    """Tell whether an annotation is a class of serializers; whoever has one has imported the framework."""
    module = sys.modules.get(_MODULE)
    return module is not None and isinstance(annotation, type) and issubclass(annotation, module.Serializer)


def field(argument: str, made_of: Any) -> Field:  # noqa: ANN401 - a class of serializers
    """Give the field of a serializer, whose members stand flat; the handler gets it validated.

    Raises ValueError for a field whose value could not be shown or read again.
    """
    schema = actions.close(_object(argument, made_of()))

    def read(given: Any) -> Any:  # noqa: ANN401 - the serializer
        found = made_of(data=given)
        if not found.is_valid():
            at_fault = next((name for name in found.errors if name in found.fields), "")
            raise Refusal(Reason.PARAMETERS_INVALID, str(found.errors), at_fault)
        fitting.validate(schema, write(found))  # an override may write what nobody described
        return found

    def write(found: Any) -> Any:  # noqa: ANN401 - the serializer
        return _plain(found.to_representation(found.validated_data))

    kind = Annotated[Any, PlainValidator(read), PlainSerializer(write), WithJsonSchema(schema)]
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return Field(argument, TypeAdapter[Any](kind), tuple(properties), flat=True, default=EMPTY)


def _plain(value: Any) -> Any:  # noqa: ANN401 - what a serializer writes
    """Give JSON for what is already text in it but for its type, as a translated label or a UUID."""
    if isinstance(value, dict):
        return {name: _plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [_plain(inner) for inner in value]
    return value if value is None or isinstance(value, bool | int) else str(value)


def _object(at: str, serializer: Any) -> Schema:  # noqa: ANN401 - a serializer
    properties: Schema = {}
    required: list[Json] = []
    for name, found in serializer.fields.items():
        if found.read_only:
            continue
        if found.write_only or found.source == "*":
            raise ValueError(f"{at}: {name} {UNSHOWN}")
        properties[name] = {"title": str(found.label), **_nullable(found, _described(f"{at}: {name}", found))}
        required += [name] if found.required else []
    return {"type": "object", "properties": properties, "required": required}


def _nullable(found: Any, schema: Schema) -> Schema:  # noqa: ANN401 - a field
    return {"anyOf": [schema, {"type": "null"}]} if found.allow_null else schema


def _described(at: str, found: Any) -> Schema:  # noqa: ANN401 - a field
    """Describe what a field writes; the first kind that fits counts."""
    module = sys.modules[_MODULE]
    for kind, describe in _KINDS.items():
        if isinstance(found, getattr(module, kind)):
            described = describe(at, found)
            if described is not None:
                return described
            break
    raise ValueError(
        f"{at} is a {type(found).__name__}: a text, an integer, a boolean, a decimal as text, a date, a choice, or a "
        "list or serializer of these can be signed"
    )


def _bounded(kind: str, found: Any) -> Schema:  # noqa: ANN401 - a field
    bounds = {keyword: getattr(found, name, None) for name, keyword in _BOUNDS.items()}
    return {"type": kind, **{keyword: value for keyword, value in bounds.items() if isinstance(value, int)}}


def _choice(_: str, found: Any) -> Schema | None:  # noqa: ANN401 - a field
    keys = list(found.choices)
    if all(isinstance(key, str) for key in keys):
        return {"type": "string", "enum": [*keys, *([""] if found.allow_blank and "" not in keys else [])]}
    return {"type": "integer", "enum": keys} if all(type(key) is int for key in keys) else None


def _list(at: str, found: Any) -> Schema:  # noqa: ANN401 - a field of many
    lengths = {"minItems": found.min_length, "maxItems": found.max_length}
    bounds = {keyword: value for keyword, value in lengths.items() if isinstance(value, int)}
    return {"type": "array", "items": _nullable(found.child, _described(at, found.child)), **bounds}


def _decimal(_: str, found: Any) -> Schema | None:  # noqa: ANN401 - a field
    is_text = _said(found, "coerce_to_string", "COERCE_DECIMAL_TO_STRING") and not found.localize
    return {"type": "string"} if is_text else None


def _said(found: Any, name: str, setting: str) -> Any:  # noqa: ANN401 - a field, and what it was told
    """Give what a field was told, else what the site says of all of its kind."""
    return getattr(found, name, getattr(sys.modules[_MODULE].api_settings, setting))


def _text(form: str | None = None) -> Callable[[str, Any], Schema]:
    return lambda _, found: {**_bounded("string", found), **({"format": form} if form else {})}


def _moment(form: str) -> Callable[[str, Any], Schema]:
    """Describe a date or time: where a format of the site's own is set, it is just a text."""

    def describe(_: str, found: Any) -> Schema:  # noqa: ANN401 - a field
        said = _said(found, "format", f"{form.replace('-', '').upper()}_FORMAT")
        return {"type": "string", "format": form} if said == "iso-8601" else {"type": "string"}

    return describe


# In order: a kind stands before those that it is made of.
_KINDS: Final[dict[str, Callable[[str, Any], Schema | None]]] = {
    "MultipleChoiceField": lambda *_: None,  # a set: its order would be signed, and nobody knows it
    "FilePathField": lambda *_: None,
    "ListSerializer": _list,
    "Serializer": _object,
    "ListField": _list,
    "BooleanField": lambda *_: {"type": "boolean"},
    "EmailField": _text("email"),
    "URLField": _text("uri"),
    "CharField": _text(),
    "UUIDField": lambda _, found: {"type": "string"} if found.uuid_format == "hex_verbose" else None,
    "IntegerField": lambda _, found: _bounded("integer", found),
    "DecimalField": _decimal,
    "DateTimeField": _moment("date-time"),
    "DateField": _moment("date"),
    "TimeField": lambda *_: {"type": "string"},
    "ChoiceField": _choice,
}
