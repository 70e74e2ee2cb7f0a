"""A handler's signature read with pydantic: its parameters as one flat, closed JSON object, and back."""

from __future__ import annotations

import inspect
import typing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.errors import PydanticUserError
from pydantic.json_schema import GenerateJsonSchema

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import actions

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from pydantic.json_schema import JsonSchemaValue
    from pydantic_core import core_schema

    from oneact.protocol.canonical import Json

_REF: Final = "#/$defs/{model}"
_NOT_DESCRIBED: Final = (
    "cannot be a parameter: use a model, a text, an integer, a boolean, Decimal, a date, an enum, or a list of these"
)
_NO_DEFAULT: Final[Any] = inspect.Parameter.empty


@dataclass(frozen=True, slots=True)
class Field:
    """One argument of a handler: `names` are the flat parameters it is made of, one alone for what is no model."""

    argument: str
    adapter: TypeAdapter[Any]
    names: tuple[str, ...]
    flat: bool
    default: Any

    def read(self, rest: dict[str, Any]) -> Any:  # noqa: ANN401 - whatever its annotation says
        """Take this argument's own members out of `rest` and make its value of them; refuses `parameters_invalid`."""
        taken = {name: rest.pop(name) for name in self.names if name in rest}
        if not self.flat and not taken:
            if self.default is _NO_DEFAULT:
                raise Refusal(Reason.PARAMETERS_INVALID, f"{self.names[0]} is missing", self.names[0])
            return self.default
        try:
            return self.adapter.validate_python(taken if self.flat else taken[self.names[0]])
        except ValidationError as error:
            says = error.errors(include_input=False, include_url=False, include_context=False)
            raise Refusal(Reason.PARAMETERS_INVALID, str(says), self._at_fault(says[0]["loc"])) from error

    def _at_fault(self, location: tuple[int | str, ...]) -> str:
        """Name the parameter in which a value does not fit; empty where only the model as a whole does not."""
        if not self.flat:
            return self.names[0]
        return next((name for name in self.names if location[:1] == (name,)), "")

    def write(self, value: Any) -> dict[str, Any]:  # noqa: ANN401 - what `read` gave
        """Give the value's members in JSON form, defaults filled in."""
        dumped = self.adapter.dump_python(value, mode="json", by_alias=True)
        return dict(dumped) if self.flat else {self.names[0]: dumped}


class Parameters:
    """The arguments of a handler that are parameters of its action."""

    def __init__(self, fields: Sequence[Field]) -> None:
        self.fields = tuple(fields)
        names = [name for field in fields for name in field.names]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"two parameters are named {', '.join(twice)}")

    @property
    def names(self) -> frozenset[str]:
        """Give the names of the parameters."""
        return frozenset(name for field in self.fields for name in field.names)

    def normalise(self, given: Mapping[str, Any]) -> dict[str, Any]:
        """Make the object that is hashed, shown and executed of what a request gave.

        The handler's arguments are made of this object alone: what does not stand in it does not reach the handler.
        Refuses `parameters_invalid` or `parameter_unknown`.
        """
        written = self._write(self.arguments(given))
        for name, value in given.items():
            if name not in written:
                raise Refusal(Reason.PARAMETER_UNKNOWN, f"{name!r} is not written", name)
            _check_listed(value, written[name], name)
        try:
            strict = canonical.parse(canonical.encode(written))
        except (TypeError, ValueError, Refusal) as error:
            raise Refusal(Reason.PARAMETERS_INVALID, f"not strict JSON: {error}") from error
        assert isinstance(strict, dict)
        if self._write(self.arguments(strict)) != strict:
            raise Refusal(Reason.PARAMETERS_INVALID, "the parameters change when they are read again")
        return strict

    def arguments(self, flat: Mapping[str, Any]) -> dict[str, Any]:
        """Give the handler's arguments for flat parameters; refuses what does not fit their annotations."""
        rest = dict(flat)
        made = {field.argument: field.read(rest) for field in self.fields}
        if rest:
            raise Refusal(Reason.PARAMETER_UNKNOWN, str(sorted(rest)))
        return made

    def schema(self) -> dict[str, Json]:
        """Give the closed schema of the flat parameters, as they are hashed."""
        properties: dict[str, Json] = {}
        required: list[Json] = []
        definitions: dict[str, Json] = {}
        for field in self.fields:
            described = schema_of(field.adapter)
            for name, definition in described.pop("$defs", {}).items():
                if definitions.setdefault(name, definition) != definition:
                    raise ValueError(f"two models are named {name}")
            if field.flat:
                properties |= described["properties"]
                required += described.get("required", [])
            else:
                properties[field.names[0]] = described
                required += [field.names[0]] if field.default is _NO_DEFAULT else []
        whole: dict[str, Json] = {"type": "object", "properties": properties, "required": required}
        if definitions:
            whole["$defs"] = definitions
        return actions.close(whole)

    def _write(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return {name: value for field in self.fields for name, value in field.write(arguments[field.argument]).items()}


def model_field(argument: str, annotation: type[BaseModel]) -> Field:
    """Give the field of a body model, whose members stand flat among the parameters."""
    adapter = _adapter(argument, annotation)
    names = tuple(_top(schema_of(adapter))["properties"])
    read = _top(adapter.json_schema(mode="validation", by_alias=True, ref_template=_REF)).get("properties", {})
    if set(read) != set(names):
        raise ValueError(f"{argument}: what is read and what is written have other names: {sorted({*read} ^ {*names})}")
    return Field(argument, adapter, names, flat=True, default=_NO_DEFAULT)


def value_field(argument: str, name: str, annotation: Any, default: Any) -> Field:  # noqa: ANN401 - of any signature
    """Give the field of a parameter that is no model, under its name on the wire."""
    return Field(argument, _adapter(argument, annotation), (name,), flat=False, default=default)


def _adapter(argument: str, annotation: Any) -> TypeAdapter[Any]:  # noqa: ANN401 - of any signature
    try:
        adapter = TypeAdapter[Any](annotation)
        schema_of(adapter)
    except PydanticUserError as error:
        raise ValueError(f"{argument} {_NOT_DESCRIBED} ({error.message})") from error
    return adapter


class _Portable(GenerateJsonSchema):
    """Describes a Decimal as a text alone: some versions of pydantic add a pattern with look-ahead."""

    def decimal_schema(self, schema: core_schema.DecimalSchema) -> JsonSchemaValue:
        """Leave out the pattern; pydantic itself checks what the handler gets."""
        return {keyword: told for keyword, told in super().decimal_schema(schema).items() if keyword != "pattern"}


def schema_of(adapter: TypeAdapter[Any]) -> dict[str, Any]:
    """Give the JSON Schema of what is written, with a top-level reference followed."""
    found = adapter.json_schema(mode="serialization", by_alias=True, ref_template=_REF, schema_generator=_Portable)
    return _top(found)


def arguments_of(function: Callable[..., Any], parameters: Parameters, hints: Mapping[str, Any]) -> dict[str, str]:
    """Tell which of the handler's arguments another function of the owner takes: by its name, else by its type."""
    own = typing.get_type_hints(function, include_extras=True)
    known = {field.argument: hints[field.argument] for field in parameters.fields}
    found = {}
    for name in inspect.signature(function).parameters:
        same = [argument for argument, hint in known.items() if argument == name] or [
            argument for argument, hint in known.items() if hint is own.get(name, _NO_DEFAULT)
        ]
        if len(same) == 1:
            found[name] = same[0]
    return found


def _top(schema: dict[str, Any]) -> dict[str, Any]:
    reference = schema.get("$ref")
    if not isinstance(reference, str):
        return {"properties": {}, **schema} if schema.get("type") == "object" else schema
    return {**schema["$defs"][reference.removeprefix("#/$defs/")], "$defs": schema["$defs"]}


def _check_listed(given: Any, written: Any, field: str) -> None:  # noqa: ANN401 - JSON of any shape
    """Refuse a member within the parameter `field` that was given and does not stand in what is written."""
    if isinstance(given, dict) and isinstance(written, dict):
        for name, value in given.items():
            if name not in written:
                raise Refusal(Reason.PARAMETER_UNKNOWN, f"{name!r} within {field}", field)
            _check_listed(value, written[name], field)
    elif isinstance(given, list) and isinstance(written, list) and len(given) == len(written):
        for one, other in zip(given, written, strict=True):
            _check_listed(one, other, field)
