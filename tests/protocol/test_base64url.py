import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason, Refusal
from oneact.protocol import base64url
from tests.protocol.refusing import expect_refusal


@given(st.binary(max_size=100))
def test_encoding_agrees_with_the_standard_library_without_padding(data: bytes) -> None:
    assert base64url.encode(data) == base64.urlsafe_b64encode(data).rstrip(b"=").decode()
    assert base64url.decode(base64url.encode(data)) == data


@given(st.text(alphabet="AQgwEIMx-_+/= \n\u00e9", max_size=9))
def test_what_decodes_encodes_to_the_same_text(text: str) -> None:
    try:
        octets = base64url.decode(text)
    except Refusal as refusal:
        assert refusal.reason is Reason.BASE64URL_MALFORMED  # noqa: PT017 - either outcome is right
        return
    assert base64url.encode(octets) == text


@pytest.mark.parametrize(
    "text",
    [
        "A",
        "AAAAA",
        "AA==",
        "AAA=",
        "AB",
        "AAB",
        "A+AA",
        "A/AA",
        "AA A",
        "AA\nA",
        "A\u00e9AA",
        "AA.A",
        "AA\x00A",
        "====",
    ],
)
def test_text_that_is_not_the_one_form_is_refused(text: str) -> None:
    with expect_refusal(Reason.BASE64URL_MALFORMED):
        base64url.decode(text)


def test_the_caller_names_the_reason() -> None:
    with expect_refusal(Reason.TXN_MALFORMED):
        base64url.decode("A", Reason.TXN_MALFORMED)


def test_the_alphabet_is_the_one_for_urls() -> None:
    assert base64url.encode(b"\xfb\xff\xfe") == "-__-"
    assert base64url.decode("-__-") == b"\xfb\xff\xfe"
    assert base64url.decode("") == b""
