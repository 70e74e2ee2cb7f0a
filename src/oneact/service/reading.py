"""Reading the parameters of one request, strictly: what no source lists is refused, and so is what comes twice."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import parse_qsl

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import exchange, multipart
from oneact.service.guarded import merge

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Request
    from oneact.service.guarded import Guarded

_INTEGER: Final = re.compile(r"-?(?:0|[1-9][0-9]{0,15})")
_BOOLEANS: Final = {"true": True, "false": False}
_MAX_FIELDS: Final = 200


def given(
    guarded: Guarded, request: Request, path: Mapping[str, str], beside: Collection[str] = frozenset()
) -> dict[str, Any]:
    """Give the flat parameters of a request, each from the one source that the action lists for it.

    Texts of path, query and form stay texts, a file is an `Upload`. `beside` names fields of a form that are no
    parameters, and are left out. Refuses `parameter_unknown`, `parameter_repeated`, `media_type` or what makes the
    body no strict JSON, no form, or one with too large a file.
    """
    sources = guarded.action.sources
    found: dict[str, Mapping[str, Any]] = {
        "path": path, "query": fields(request.query), **_sent(guarded, request, beside)
    }  # fmt: skip
    for source, values in found.items():
        for name in values:
            # What the action does not know at all is told by its own schema; here is what comes by another way.
            if sources.get(name, "body") != source:
                raise Refusal(Reason.PARAMETER_UNKNOWN, f"{name!r} in {source}", name if name in sources else "")
    return merge(*found.values())


def _sent(guarded: Guarded, request: Request, beside: Collection[str]) -> dict[str, Mapping[str, Any]]:
    """Read the body by what the action takes: files and fields, fields alone, or JSON."""
    listed = set(guarded.action.sources.values())
    if "file" in listed:
        texts, files = multipart.fields(request, guarded.room.each)
        return {"form": _without(texts, beside), "file": files}
    if "form" in listed:
        if request.media_type() != exchange.FORM:
            raise Refusal(Reason.MEDIA_TYPE, request.media_type())
        return {"form": _without(fields(_text(request.body)), beside)}
    return {"body": _body(request, listed)}


def _without(texts: Mapping[str, Json], beside: Collection[str]) -> dict[str, Json]:
    return {name: text for name, text in texts.items() if name not in beside}


def typed(guarded: Guarded, texts: dict[str, Any]) -> dict[str, Any]:
    """Give parameters with texts from path, query and form read as the integers and booleans that the schema says.

    Refuses `parameters_invalid` for an integer beyond 2^53-1, which no one could read in an offer.
    """
    listed = guarded.action.schema.get("properties")
    schemas = listed if isinstance(listed, dict) else {}
    typeless = {name for name, source in guarded.action.sources.items() if source != "body"}
    return {
        name: _typed(name, schemas.get(name), value) if name in typeless and isinstance(value, str) else value
        for name, value in texts.items()
    }


def fields(text: str) -> dict[str, Json]:
    """Read urlencoded fields; refuses one that comes twice, or what is not in the form."""
    try:
        pairs = parse_qsl(
            text, keep_blank_values=True, strict_parsing=True, errors="strict", max_num_fields=_MAX_FIELDS
        )
    except ValueError as error:
        if not text:
            return {}
        raise Refusal(Reason.REQUEST_MALFORMED, "fields are not urlencoded") from error
    return merge(*({name: value} for name, value in pairs))


def by_name(request: Request) -> tuple[str, dict[str, Any]]:
    """Read `{"action": name, "parameters": {…}}`."""
    if request.query:
        raise Refusal(Reason.PARAMETER_UNKNOWN, "a query")
    body = request.json()
    if not isinstance(body, dict) or body.keys() != {"action", "parameters"}:
        raise Refusal(Reason.REQUEST_MALFORMED, "not exactly action and parameters")
    name, parameters = body["action"], body["parameters"]
    if not isinstance(name, str) or not isinstance(parameters, dict):
        raise Refusal(Reason.REQUEST_MALFORMED, "action is no text or parameters are no object")
    return name, parameters


def _body(request: Request, listed: Collection[str]) -> dict[str, Json]:
    if not request.body and "body" not in listed:
        return {}
    body = request.json()
    if not isinstance(body, dict):
        raise Refusal(Reason.PARAMETERS_INVALID, "the body is not an object")
    return body


def _text(octets: bytes) -> str:
    try:
        return octets.decode("ascii")
    except UnicodeDecodeError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, "fields are not ASCII") from error


def _typed(name: str, schema: Json, text: str) -> Json:
    kind = schema.get("type") if isinstance(schema, dict) else None
    if kind == "integer" and _INTEGER.fullmatch(text):
        value = int(text)
        if abs(value) > canonical.MAX_INTEGER:
            raise Refusal(Reason.PARAMETERS_INVALID, f"{name} is beyond 2^53-1", name)
        return value
    if kind == "boolean" and text in _BOOLEANS:
        return _BOOLEANS[text]
    return text
