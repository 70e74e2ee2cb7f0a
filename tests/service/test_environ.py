"""How a request is read off WSGI: by itself, and as two real servers hand it over."""

import contextlib
import io
import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest
from tests.service.airline import Airline
from tests.service.world import Caller

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, dpop
from oneact.service import environ
from oneact.testing import TestAgent

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


@pytest.mark.parametrize(
    ("found", "path"),
    [
        ({"PATH_INFO": "/a/b"}, "/a/b"),
        ({"PATH_INFO": "/a b/\xc3\xa9:@!$&'()*+,;=-._~"}, "/a%20b/%C3%A9:@!$&'()*+,;=-._~"),
        ({"PATH_INFO": "/a/b", "RAW_URI": "/a%2Fb?c=/d"}, "/a%2Fb"),
        ({"PATH_INFO": "/a:b", "REQUEST_URI": "/a%3ab"}, "/a%3ab"),
        ({"SCRIPT_NAME": "/air", "PATH_INFO": "/a/b", "REQUEST_URI": "/air/a%2Fb"}, "/a%2Fb"),
        ({"SCRIPT_NAME": "/air", "PATH_INFO": "/a", "REQUEST_URI": "/a%69r/a"}, "/a"),
        ({"SCRIPT_NAME": "/air", "PATH_INFO": "", "REQUEST_URI": "/air"}, ""),
        ({"SCRIPT_NAME": "/air", "PATH_INFO": "/a/b", "REQUEST_URI": "/a%2Fb"}, "/a%2Fb"),  # a proxy named the mount
        ({"PATH_INFO": "/a/b", "REQUEST_URI": "/rewritten"}, "/a/b"),
        ({"PATH_INFO": "/a", "REQUEST_URI": "http://evil.example/a"}, "/a"),
        ({"PATH_INFO": "/a%2Fb", "REQUEST_URI": "/a%252Fb"}, "/a%252Fb"),
        ({"PATH_INFO": "/a%", "REQUEST_URI": "/a%"}, "/a%"),
    ],
)
def test_the_path_is_the_address_of_what_runs_as_it_was_sent(found: dict[str, str], path: str) -> None:
    assert environ.path(found) == path


def test_a_path_that_is_none_of_wsgis_texts_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        environ.path({"PATH_INFO": "/\u20ac"})
    assert refused.value.reason is Reason.REQUEST_MALFORMED


def test_what_a_server_joined_of_two_headers_is_two_again() -> None:
    found = environ.head({
        "REQUEST_METHOD": "POST", "PATH_INFO": "/", "HTTP_AUTHORIZATION": "DPoP a, DPoP b", "HTTP_DPOP": "p,q",
        "HTTP_X_NOTE": "one, two", "CONTENT_TYPE": "application/json", "SERVER_NAME": "air", "CONTENT_OTHER": "x",
        "HTTP_CONTENT_TYPE": "text/plain",
    })  # fmt: skip
    assert found.values("authorization") == ("DPoP a", "DPoP b")
    assert found.values("dpop") == ("p", "q")
    assert found.values("x-note") == ("one, two",)
    assert found.value("content-type") == "application/json"
    assert found.values("server-name") == found.values("content-other") == ()


class Slow(io.BytesIO):
    """Gives an octet at a time, as a connection may."""

    def read(self, size: int | None = -1) -> bytes:
        return super().read(min(1, size or 0))


class Gone(io.BytesIO):
    def read(self, size: int | None = -1) -> bytes:  # noqa: ARG002 - as a stream is read
        raise ConnectionResetError


BIG = canonical.MAX_OCTETS


@pytest.mark.parametrize(
    ("octets", "said", "expected"),
    [
        (b"{}", {"CONTENT_LENGTH": "2"}, b"{}"),
        (b"{}more", {"CONTENT_LENGTH": "2"}, b"{}"),
        (b"{}more", {}, b""),
        (b"{}more", {"CONTENT_LENGTH": ""}, b""),
        (b"{}", {"wsgi.input_terminated": True, "HTTP_TRANSFER_ENCODING": "chunked"}, b"{}"),
        (b"{}", {"wsgi.input_terminated": True, "CONTENT_LENGTH": "2"}, b"{}"),
        (b"x" * BIG, {"CONTENT_LENGTH": str(BIG)}, b"x" * BIG),
        (b"{}more", {"wsgi.input_terminated": True, "CONTENT_LENGTH": "2"}, Reason.REQUEST_MALFORMED),
        (b"{", {"CONTENT_LENGTH": "2"}, Reason.REQUEST_MALFORMED),
        (b"{}", {"CONTENT_LENGTH": "+2"}, Reason.REQUEST_MALFORMED),
        (b"{}", {"CONTENT_LENGTH": "2,2"}, Reason.REQUEST_MALFORMED),
        (b"{}", {"CONTENT_LENGTH": "\u0662"}, Reason.REQUEST_MALFORMED),
        (b"{}", {"HTTP_TRANSFER_ENCODING": "chunked"}, Reason.REQUEST_MALFORMED),
        (b"x" * (BIG + 1), {"CONTENT_LENGTH": str(BIG + 1)}, Reason.REQUEST_TOO_LARGE),
        (b"x" * (BIG + 1), {"wsgi.input_terminated": True}, Reason.REQUEST_TOO_LARGE),
    ],
)
@pytest.mark.parametrize("stream", [io.BytesIO, Slow])
def test_a_body_ends_where_the_server_says_or_is_refused(
    octets: bytes, said: dict[str, Any], expected: Any, stream: type[io.BytesIO]
) -> None:
    found = {"wsgi.input": stream(octets), **said}
    if isinstance(expected, bytes):
        assert environ.body(found) == expected
        return
    with pytest.raises(Refusal) as refused:
        environ.body(found)
    assert refused.value.reason is expected


def test_a_caller_that_goes_away_in_its_body_is_refused() -> None:
    with pytest.raises(Refusal) as refused:
        environ.body({"wsgi.input": Gone(), "CONTENT_LENGTH": "2"})
    assert refused.value.reason is Reason.REQUEST_MALFORMED


@contextlib.contextmanager
def connected(airline: Airline) -> Iterator[socket.socket]:
    with socket.create_connection(("127.0.0.1", int(airline.resource.rpartition(":")[2])), timeout=10) as found:
        yield found


def sent(airline: Airline, *lines: str, body: bytes = b"") -> tuple[int, dict[str, Any]]:
    """Send a request letter by letter as it is written, and give status and JSON of its answer."""
    head = "\r\n".join([*lines, "Host: localhost", "Connection: close", "", ""]).encode()
    with connected(airline) as line:
        line.sendall(head + body)
        answer = b""
        while chunk := line.recv(65536):
            answer += chunk
    head, _, rest = answer.partition(b"\r\n\r\n")
    return int(head.split()[1]), json.loads(rest)


async def test_a_second_token_or_proof_is_refused_by_check_1(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    body = json.dumps(FLIGHT).encode()
    shown = caller.agent.headers("POST", caller.resource + "/bookings", token, int(time.time()))
    plain = ["POST /bookings HTTP/1.1", "Content-Type: application/json", f"Content-Length: {len(body)}"]
    authorization, proof = f"Authorization: {shown['Authorization']}", f"DPoP: {shown['DPoP']}"
    for lines, reason in [
        ([authorization, authorization, proof], "authorization_repeated"),
        ([authorization, proof, proof], "proof_repeated"),
        ([authorization, "Authorization: Basic YTpi", proof], "authorization_repeated"),
    ]:
        status, answer = sent(airline, *plain, *lines, body=body)
        assert (status, answer["check"], answer["reason"]) == (401, 1, reason)
    assert airline.books.all() == []
    assert sent(airline, *plain, authorization, proof, body=body)[0] == 201


async def test_a_body_in_chunks_is_read_whole(caller: Caller) -> None:
    async def chunks() -> Any:
        for octet in json.dumps(FLIGHT).encode():
            yield bytes([octet])

    kind = {"Content-Type": "application/json"}
    url = caller.resource + "/bookings"
    asked = await caller.client.post(url, headers=caller.accept | kind, content=chunks())
    assert asked.json()["reason"] == "approval_required"

    async def many() -> Any:
        for _ in range(40):
            yield b" " * 10_000

    refused = await caller.client.post(url, headers=caller.accept | kind, content=many())
    assert (refused.status_code, refused.json()["reason"]) == (413, "request_too_large")


async def test_a_proof_is_for_the_address_as_it_was_sent(caller: Caller, airline: Airline) -> None:
    agent, path = TestAgent(), "/bookings/A%3aB%20C"
    token = await caller.approved(await caller.ask("DELETE", path))
    caller.agent = agent
    token = await caller.approved(await caller.ask("DELETE", path))

    def shown(path: str) -> list[str]:
        proof = dpop.build(agent.key, "DELETE", caller.resource + path, int(time.time()), path, token=token)
        return [f"Authorization: DPoP {token}", f"DPoP: {proof}"]

    status, answer = sent(airline, f"DELETE {path} HTTP/1.1", *shown("/bookings/A:B%20C"))
    assert (status, answer["reason"]) == (401, "proof_htu")
    status, answer = sent(airline, f"DELETE {path} HTTP/1.1", *shown(path))
    assert (status, answer) == (200, {"cancelled": "A:B C", "refund": False})


def test_the_services_own_addresses_have_one_spelling(airline: Airline) -> None:
    status, answer = sent(airline, "GET /oneact/jwks%2Ejson HTTP/1.1")
    assert (status, answer["reason"]) == (404, "address_unknown")
