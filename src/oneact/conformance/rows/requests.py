"""Rows about plain requests that are exactly no act, each refused before anything else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance import outcome
from oneact.conformance.row import Group, Row, answered
from oneact.errors import Reason
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.fault import Members
    from oneact.conformance.stage import Stage

_JSON: Final = "application/json"
_TOO_MANY: Final = 257 * 1024


def _octets(
    number: str,
    name: str,
    sent: str,
    reason: Reason,
    change: Callable[[bytes], bytes],
    kind: str = _JSON,
) -> Row:
    """Give the row of a plain request whose body `change` has made."""

    def play(stage: Stage) -> None:
        content = change(canonical.encode(stage.request_body(stage.parameters)))
        fields = [("Content-Type", kind), stage.accept]
        outcome.refused(stage.send("POST", stage.described.act_uri, fields, content), reason)

    return answered(number, name, sent, (reason,), play)


def _member(value: bytes) -> Callable[[bytes], bytes]:
    """Put a parameter of this JSON first into the body's parameters."""
    return lambda body: body.replace(b'"parameters":{', b'"parameters":{"oneact_conformance":' + value + b",", 1)


def _body(number: str, name: str, sent: str, reason: Reason, change: Callable[[Members], Members]) -> Row:
    def changed(body: bytes) -> bytes:
        found = canonical.parse(body)
        return canonical.encode(change(dict(found))) if isinstance(found, dict) else body

    return _octets(number, name, sent, reason, changed)


def _too_large(stage: Stage) -> None:
    """Send more than is read; whoever reads first refuses it, and that may be a server or framework before the guard."""
    content = canonical.encode(stage.request_body(stage.parameters)) + b" " * _TOO_MANY
    answer = stage.send("POST", stage.described.act_uri, [("Content-Type", _JSON), stage.accept], content)
    right = Reason.REQUEST_TOO_LARGE.status
    outcome.holds(f"{right}", outcome.told(answer), right=answer.status_code == right)


def _query(stage: Stage) -> None:
    fields = [("Content-Type", _JSON), stage.accept]
    content = canonical.encode(stage.request_body(stage.parameters))
    answer = stage.send("POST", stage.described.act_uri + "?x=1", fields, content)
    outcome.refused(answer, Reason.PARAMETER_UNKNOWN, Reason.REQUEST_MALFORMED)


GROUP: Final = Group(
    "Plain requests",
    (
        _octets("request.1", "no JSON", "a body cut short", Reason.JSON_MALFORMED, lambda body: body[:-1]),
        _octets("request.2", "a fraction", "a parameter 1.5", Reason.JSON_NUMBER, _member(b"1.5")),
        _octets("request.3", "an exponent", "a parameter 1e2", Reason.JSON_NUMBER, _member(b"1e2")),
        _octets("request.4", "beyond 2^53", "a parameter 9007199254740992", Reason.JSON_NUMBER, _member(b"9007199254740992")),
        _octets("request.5", "half a character", "a lone surrogate", Reason.JSON_SURROGATE, _member(b'"\\ud800"')),
        _octets("request.6", "a member twice", "a body that names action twice", Reason.JSON_DUPLICATE_KEY,
                lambda body: b'{"action":"x",' + body[1:]),
        _octets("request.7", "too deep", "17 arrays in each other", Reason.JSON_TOO_DEEP, _member(b"[" * 17 + b"]" * 17)),
        Row("request.8", "too large", "a body of more than 256 KiB", "413, the service's or of what stands before it", _too_large),
        _octets("request.9", "media type", "Content-Type: text/plain", Reason.MEDIA_TYPE, lambda body: body, "text/plain"),
        _octets("request.10", "charset", "a charset other than UTF-8", Reason.MEDIA_TYPE, lambda body: body,
                "application/json; charset=utf-16"),
        _body("request.11", "unknown action", "an action that nobody publishes", Reason.ACTION_UNKNOWN,
              lambda right: {**right, "action": "oneact_conformance"}),
        _body("request.12", "unknown parameter", "a parameter that the action does not list", Reason.PARAMETER_UNKNOWN,
              lambda right: {**right, "parameters": {**right["parameters"], "oneact_conformance": "x"}}),
        _body("request.13", "unknown member", "a body with a member more", Reason.REQUEST_MALFORMED,
              lambda right: {**right, "as": "x"}),
        _body("request.14", "no parameters", "a body without parameters", Reason.REQUEST_MALFORMED,
              lambda right: {"action": right["action"]}),
        answered("request.15", "a query", "?x=1 behind the address for acts by name",
                 (Reason.PARAMETER_UNKNOWN, Reason.REQUEST_MALFORMED), _query),
    ),
)  # fmt: skip
