"""The played approval server: what a service reads of it, the linking that approves at once, and where receipts go."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
import time
from collections import Counter
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from oneact.conformance.outcome import CannotRun
from oneact.errors import Refusal
from oneact.protocol import id_token, metadata, receipt

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.conformance.person import Person
    from oneact.protocol.id_token import IdToken
    from oneact.protocol.jwk import SigningKey

_PATHS: Final = {
    "jwks_uri": "/oauth/jwks.json",
    "authorization_endpoint": "/oauth/authorize",
    "token_endpoint": "/oauth/token",
    "pushed_authorization_request_endpoint": "/oauth/par",
    "receipt_endpoint": "/oauth/receipts",
}
_MAX_BODY: Final = 64 * 1024
_TICK: Final = 0.02


class Reply(NamedTuple):
    """An answer of the played server."""

    status: int
    body: bytes = b""
    kind: str = "application/json"
    location: str = ""


@dataclass(frozen=True, slots=True)
class Misled:
    """How the played server links otherwise than it should, for the rows about that.

    `id_token` gives the claims in place of the right ones, `key` what signs them, `back` the query that the browser
    brings back.
    """

    id_token: Callable[[IdToken], IdToken] = lambda right: right
    key: Callable[[Person], SigningKey] = lambda person: person.key
    back: Callable[[dict[str, str]], dict[str, str]] = lambda right: right


@dataclass
class Delivered:
    """Receipts by their `txn`, as they came; what is put into `busy` is answered 503 once."""

    texts: dict[str, list[str]] = field(default_factory=dict)
    kinds: list[str] = field(default_factory=list)
    busy: Counter[str] = field(default_factory=Counter)


@dataclass
class PlayedServer:
    """The public face of an approval server at the person's issuer; `host` and `port` are where it listens.

    `pushed` and `exchanged` keep what the service sent when it linked, `receipts` what it delivered; `misled` is for
    the rows about linking.
    """

    person: Person
    host: str
    port: int
    pushed: dict[str, dict[str, str]] = field(default_factory=dict)
    exchanged: list[dict[str, str]] = field(default_factory=list)
    receipts: Delivered = field(default_factory=Delivered)
    misled: Misled = field(default_factory=Misled)
    _server: ThreadingHTTPServer | None = None
    _thread: threading.Thread | None = None

    def __enter__(self) -> Self:
        """Begin to listen; raises CannotRun where the address is taken."""
        try:
            self._server = ThreadingHTTPServer((self.host, self.port), _handler(self.answer))
        except OSError as error:
            raise CannotRun(f"nothing can listen on {self.host}:{self.port}: {error}") from error
        self._thread = threading.Thread(target=self._server.serve_forever, args=(_TICK,), daemon=True)
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop listening."""
        if self._server is not None and self._thread is not None:
            self._server.shutdown()
            self._thread.join()
            self._server.server_close()

    def answer(self, method: str, path: str, query: str, kind: str, body: bytes) -> Reply:
        """Answer one request."""
        prefix = urlsplit(self.person.issuer).path
        if (method, path) == ("GET", metadata.SERVER_PATH + prefix):
            endpoints = {name: self.person.issuer + found for name, found in _PATHS.items()}
            return _json(metadata.ServerMetadata(self.person.issuer, endpoints).document())
        calls: dict[tuple[str, str], Callable[[], Reply]] = {
            ("GET", _PATHS["jwks_uri"]): lambda: _json(self.person.jwks()),
            ("GET", _PATHS["authorization_endpoint"]): lambda: self._authorize(_form(query.encode())),
            ("POST", _PATHS["pushed_authorization_request_endpoint"]): lambda: self._push(_form(body)),
            ("POST", _PATHS["token_endpoint"]): lambda: self._exchange(_form(body)),
            ("POST", _PATHS["receipt_endpoint"]): lambda: self._deliver(kind, body),
        }
        found = calls.get((method, path.removeprefix(prefix)))
        return Reply(404, b"nothing stands here", "text/plain") if found is None else found()

    def wait_for(self, holds: Callable[[], Any], seconds: float) -> bool:
        """Wait until something holds; False where it does not within so many seconds."""
        until = time.monotonic() + seconds
        while not holds():
            if time.monotonic() > until:
                return False
            time.sleep(_TICK)
        return True

    def _push(self, form: dict[str, str]) -> Reply:
        uri = "urn:ietf:params:oauth:request_uri:" + secrets.token_urlsafe(12)
        self.pushed[uri] = form
        return _json({"request_uri": uri, "expires_in": 60}, 201)

    def _authorize(self, query: dict[str, str]) -> Reply:
        """Approve at once, as a person would who says yes, and send the browser back."""
        pushed = self.pushed.get(query.get("request_uri", ""))
        if pushed is None or "redirect_uri" not in pushed:
            return Reply(400, b"no such pushed request", "text/plain")
        answer = {"code": query["request_uri"], "state": pushed.get("state", ""), "iss": self.person.issuer}
        return Reply(303, location=pushed["redirect_uri"] + "?" + urlencode(self.misled.back(answer)))

    def _exchange(self, form: dict[str, str]) -> Reply:
        pushed = self.pushed.get(form.get("code", ""), {})
        verifier = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        if pushed.get("code_challenge") != base64.urlsafe_b64encode(verifier).decode().rstrip("="):
            return _json({"error": "invalid_grant"}, 400)
        now, person = int(time.time()), self.person
        signed = person.vouched(person.pinned)
        claims = id_token.IdToken(
            person.issuer, pushed.get("client_id", ""), person.sub, now, now + 60, pushed.get("nonce", ""), now, signed
        )
        self.exchanged.append(form)
        signed_token = id_token.sign(self.misled.id_token(claims), self.misled.key(person))
        return _json({"token_type": "N_A", "expires_in": 0, "id_token": signed_token})

    def _deliver(self, kind: str, body: bytes) -> Reply:
        try:
            text = body.decode("ascii")
            txn = receipt.parse(text)[0].txn
        except (Refusal, UnicodeDecodeError):
            return _json({"error": "invalid_request", "reason": "receipt_malformed"}, 400)
        self.receipts.kinds.append(kind)
        self.receipts.texts.setdefault(txn, []).append(text)
        if self.receipts.busy[txn] > 0:
            self.receipts.busy[txn] -= 1
            return Reply(503, b"busy", "text/plain")
        return Reply(204)


def _handler(answer: Callable[[str, str, str, str, bytes], Reply]) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self._send(b"")

        def do_POST(self) -> None:
            length = self.headers.get("Content-Length", "0")
            octets = int(length) if length.isdigit() else 0
            self._send(self.rfile.read(min(octets, _MAX_BODY)))

        def _send(self, body: bytes) -> None:
            path, _, query = self.path.partition("?")
            reply = answer(self.command, path, query, self.headers.get("Content-Type", ""), body)
            self.send_response(reply.status)
            if reply.location:
                self.send_header("Location", reply.location)
            self.send_header("Content-Type", reply.kind)
            self.send_header("Content-Length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, *_: object) -> None:
            """Say nothing: what came is told in the table."""

    return Handler


def _form(body: bytes) -> dict[str, str]:
    return dict(parse_qsl(body.decode("ascii", "replace"), keep_blank_values=True))


def _json(value: Any, status: int = 200) -> Reply:  # noqa: ANN401 - any JSON
    return Reply(status, json.dumps(value).encode())
