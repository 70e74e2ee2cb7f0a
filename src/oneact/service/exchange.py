"""One HTTP exchange without any framework: what adapters read off a request, and what they send back."""

from __future__ import annotations

import json
import logging
import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote_to_bytes

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service import link_page

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from oneact.protocol.canonical import Json

JSON: Final = "application/json"
FORM: Final = "application/x-www-form-urlencoded"
UNQUOTED: Final = "/:@!$&'()*+,;=-._~"  # what stands in a path as it is (RFC 3986, section 3.3)
_NO_STORE: Final = ("Cache-Control", "no-store")
_LOG: Final = logging.getLogger("oneact.service")
_SCOPES: Final = {Reason.ASKING_TOKEN_REQUIRED: "ask", Reason.READ_TOKEN_REQUIRED: "read"}
_CHARSETS: Final = frozenset({"", "utf-8", "utf8"})


@dataclass(frozen=True, slots=True)
class Request:
    """A request: `path` as it was sent, within the service; header names in lower case; `client` the peer's address.

    `native` is the framework's own request, which only the owner's callables see; `scope` the ASGI scope.
    """

    method: str
    path: str
    query: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    client: str
    native: Any = None
    scope: Mapping[str, Any] | None = None

    def values(self, name: str) -> tuple[str, ...]:
        """Give every value of a header field, by its lower-case name."""
        return tuple(value for found, value in self.headers if found == name)

    def value(self, name: str) -> str | None:
        """Give the value of a header field; None where it is absent or given twice."""
        found = self.values(name)
        return found[0] if len(found) == 1 else None

    def cookie(self, name: str) -> str | None:
        """Give a cookie's value; None where it is absent or given twice."""
        pairs = [pair.strip().partition("=") for line in self.values("cookie") for pair in line.split(";")]
        found = [value for key, _, value in pairs if key == name]
        return found[0] if len(found) == 1 else None

    def media_type(self) -> str:
        """Give the content type without parameters; refuses `media_type` for another charset than UTF-8."""
        kind, _, parameters = (self.value("content-type") or "").partition(";")
        for parameter in parameters.split(";"):
            name, _, value = parameter.partition("=")
            if name.strip().lower() == "charset" and value.strip().strip('"').lower() not in _CHARSETS:
                raise Refusal(Reason.MEDIA_TYPE, f"charset {value!r}")
        return kind.strip().lower()

    def json(self) -> Json:
        """Read the body as strict JSON; refuses `media_type` or the `json_…` of what is wrong."""
        if self.media_type() != JSON:
            raise Refusal(Reason.MEDIA_TYPE, self.media_type())
        return canonical.parse(self.body)


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer as octets."""

    status: int
    body: bytes = b""
    content_type: str = JSON
    headers: tuple[tuple[str, str], ...] = ()

    def with_headers(self, *headers: tuple[str, str]) -> Answer:
        """Give the same answer with more header fields."""
        return replace(self, headers=(*self.headers, *headers))


def below(sent: bytes, mount: bytes) -> bytes:
    """Give a path, as it was sent, without the prefix under which the application is mounted, which is decoded.

    A path that does not lie below it is given as it is: servers differ in whether they have taken the prefix off.
    """
    if not re.match(re.escape(mount) + b"(?:/|$)", unquote_to_bytes(sent)):
        return sent
    prefix = re.match(b"(?s:%%[0-9A-Fa-f]{2}|.){%d}" % len(mount), sent)
    return sent[prefix.end() if prefix else 0 :]


def of_json(value: Json, status: int = 200) -> Answer:
    """Give JSON as an answer that nobody stores."""
    return Answer(status, canonical.encode(value), JSON, (_NO_STORE,))


def of_page(html: str, status: int = 200, form_action: str = "'self'") -> Answer:
    """Give a page without script, which nobody frames or stores; `form_action` is the policy for its forms."""
    policy = (
        f"default-src 'none'; style-src 'sha256-{link_page.STYLE_HASH}'; base-uri 'none'; frame-ancestors 'none'; "
        f"form-action {form_action}"
    )
    headers = (_NO_STORE, ("Content-Security-Policy", policy), ("Referrer-Policy", "same-origin"))
    return Answer(status, html.encode(), "text/html; charset=utf-8", headers)


def refused(refusal: Refusal, method: str, path: str, **members: Json) -> Answer:
    """Log a refusal with its detail, on one line, and give its public part as an answer, with further members."""
    said = f"{method} {path} refused: {refusal}"
    _LOG.info("%s", " ".join(said.splitlines()))  # a caller may have sent line feeds to write lines of its own
    return of_refusal(refusal, **members)


def of_other_method(request: Request, methods: Iterable[str]) -> Answer:
    """Refuse a method that an address does not take, and name those that it takes (RFC 9110, section 15.5.6)."""
    refusal = Refusal(Reason.METHOD_NOT_ALLOWED)
    return refused(refusal, request.method, request.path).with_headers(("Allow", ", ".join(sorted(methods))))


def of_refusal(refusal: Refusal, **members: Json) -> Answer:
    """Give a refusal's public part as an answer, with further members."""
    body: dict[str, Json] = {**refusal.body(), **members}
    answer = of_json(body, refusal.reason.status)
    if refusal.reason.error in {"invalid_token", "invalid_dpop_proof", "use_dpop_nonce", "insufficient_authorization"}:
        wanted = _SCOPES.get(refusal.reason)
        scope = f', scope="{wanted}"' if wanted else ""
        return answer.with_headers(("WWW-Authenticate", f'DPoP error="{refusal.reason.error}"{scope}'))
    return answer


def of_result(result: Any) -> Answer:  # noqa: ANN401 - whatever a handler gives
    """Make an answer of what a handler gives: an `Answer`, octets, `(status, headers, body)`, or JSON."""
    if isinstance(result, Answer):
        return result
    if isinstance(result, tuple):
        status, headers, body = result
        named = {name.lower(): value for name, value in dict(headers).items()}
        made = of_result(body)
        kind = named.pop("content-type", made.content_type)
        return Answer(status, made.body, kind, tuple(named.items()))
    if result is None:
        return Answer(204)
    if isinstance(result, bytes):
        return Answer(200, result, "application/octet-stream")
    return Answer(200, json.dumps(result, ensure_ascii=False, allow_nan=False).encode())


def in_progress() -> Answer:
    """Say that an act runs at this moment, and when to ask again."""
    return of_refusal(Refusal(Reason.ACT_IN_PROGRESS)).with_headers(("Retry-After", "1"))
