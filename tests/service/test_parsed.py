"""A form that a framework has read is written again: strictly readable, and no more of it than the guard may hold."""

import io
from urllib.parse import parse_qsl

import pytest

from oneact.errors import Reason, Refusal
from oneact.service import exchange, multipart
from oneact.service.exchange import Request
from oneact.service.multipart import Part
from oneact.service.typed import parsed
from oneact.service.typed.parsed import Opened

EACH = 1000


def of(kind: str) -> Request:
    return Request("POST", "/apply", "", (("host", "a"), ("content-type", kind)), b"", "")


class Counted(io.BytesIO):
    """A file that counts what is read of it."""

    octets = 0

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self.octets += len(found)
        return found


@pytest.mark.parametrize("content", [b"", b"\r\n", b"\r\n--b--\r\n", b"--", bytes(range(256)), b"x\r\n\r\ny"])
def test_what_is_written_is_read_as_it_was(content: bytes) -> None:
    cv = Opened("cv \u00fc.pdf", "text/plain; charset=utf-8", io.BytesIO(b"before" + content))
    cv.content.seek(6)
    fields = [("role", 'p\u00eelote\r\n"&'), ("empty", ""), ("cv", cv), ("none", Opened("", None, io.BytesIO()))]
    written = parsed.written(of("multipart/form-data; boundary=b"), fields, 5000)
    texts, files = multipart.fields(written, EACH)
    assert texts == {"role": 'p\u00eelote\r\n"&', "empty": ""}
    assert files == {"cv": multipart.Upload("cv \u00fc.pdf", "text/plain; charset=utf-8", b"before" + content)}
    assert cv.content.read(6) == (b"before" + content)[:6]  # for whoever reads it after the guard
    assert written.values("host") == ("a",)


def test_fields_alone_are_written_as_they_were_sent() -> None:
    written = parsed.written(of("application/x-www-form-urlencoded;charset=UTF-8"), [("a", "\u00fc&"), ("a", "b")], 100)
    assert parse_qsl(written.body.decode()) == [("a", "\u00fc&"), ("a", "b")]
    assert written.value("content-type") == exchange.FORM


def test_what_comes_twice_comes_twice_again() -> None:
    written = parsed.written(of("multipart/form-data; boundary=b"), [("a", "1"), ("a", "2")], 1000)
    with pytest.raises(Refusal) as refused:
        multipart.fields(written, EACH)
    assert refused.value.reason is Reason.PARAMETER_REPEATED


def test_of_a_file_too_large_no_more_is_read_than_may_be_held() -> None:
    file = Counted(b"x" * 100_000)
    with pytest.raises(Refusal) as refused:
        parsed.written(of("multipart/form-data; boundary=b"), [("a", Opened("a", None, file))] * 3, 5000)
    assert refused.value.reason is Reason.REQUEST_TOO_LARGE
    assert file.octets <= 5001


@pytest.mark.parametrize("kind", ["multipart/form-data; boundary=b", exchange.FORM])
def test_fields_that_are_too_much_together_are_refused(kind: str) -> None:
    assert parsed.written(of(kind), [("a", "x" * 100)], 1000)
    with pytest.raises(Refusal) as refused:
        parsed.written(of(kind), [(str(number), "x" * 100) for number in range(11)], 1000)
    assert refused.value.reason is Reason.REQUEST_TOO_LARGE


def test_a_name_is_escaped_as_browsers_do_and_a_type_of_two_lines_is_refused() -> None:
    kind, body = multipart.written([Part('a"\r\n', 'b"\r\nContent-Type: text/html', "text/plain", b"x")])
    assert b'name="a%22%0D%0A"; filename="b%22%0D%0AContent-Type: text/html"\r\nContent-Type: text/plain' in body
    assert kind.startswith("multipart/form-data; boundary=")
    with pytest.raises(Refusal) as refused:
        multipart.written([Part("a", "b", "text/plain\r\nX: y", b"x")])
    assert refused.value.reason is Reason.REQUEST_MALFORMED
