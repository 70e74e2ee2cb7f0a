import json

import pytest
import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import canonical
from oneact.protocol.canonical import Json
from tests.protocol.refusing import expect_refusal

_TEXTS = st.text(
    alphabet=st.one_of(
        st.characters(exclude_categories=["Cs", "Cn"]),
        st.sampled_from('"\\\b\f\n\r\t\x00\x1f\x7f/\u20ac\ufb33\uffee\U00010000\U0001f600\U0010fffd'),
    ),
    max_size=8,
)
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-canonical.MAX_INTEGER, canonical.MAX_INTEGER) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=5),
    max_leaves=20,
)


@given(_VALUES, st.booleans())
def test_every_parsed_value_encodes_as_rfc8785_does(value: Json, ascii_only: bool) -> None:  # noqa: FBT001 - drawn
    parsed = canonical.parse(json.dumps(value, ensure_ascii=ascii_only, indent=1).encode())
    assert parsed == value
    assert canonical.encode(parsed) == rfc8785.dumps(value)
    assert canonical.parse(canonical.encode(parsed)) == value


@given(st.dictionaries(_TEXTS.map(lambda text: "\U0001f600" + text) | _TEXTS, st.none(), min_size=2, max_size=8))
def test_names_outside_the_bmp_are_ordered_by_utf_16(value: dict[str, Json]) -> None:
    assert canonical.encode(value) == rfc8785.dumps(value)


def test_the_published_example_of_name_order_holds() -> None:
    # RFC 8785 section 3.2.3.
    octets = (
        b'{"\\u20ac":"Euro Sign","\\r":"Carriage Return","\\ufb33":"Hebrew Letter Dalet With Dagesh","1":"One",'
        b'"\\ud83d\\ude00":"Emoji: Grinning Face","\\u0080":"Control","\\u00f6":"Latin Small Letter O With Diaeresis"}'
    )
    names = list(json.loads(canonical.encode(canonical.parse(octets))))
    assert names == ["\r", "1", "\u0080", "\u00f6", "\u20ac", "\U0001f600", "\ufb33"]


def test_the_published_example_of_text_holds() -> None:
    # RFC 8785 section 3.2.2.2, its text and literals.
    octets = b'{"string":"\\u20ac$\\u000F\\u000aA\'\\u0042\\u0022\\u005c\\\\\\"\\/","literals":[null,true,false]}'
    expected = '{"literals":[null,true,false],"string":"\u20ac$\\u000f\\nA\'B\\"\\\\\\\\\\"/"}'
    assert canonical.encode(canonical.parse(octets)) == expected.encode()


@pytest.mark.parametrize(
    "octets",
    [
        b"",
        b"{",
        b"[1,]",
        b"{'a':1}",
        b"nul",
        b"1 2",
        b"+1",
        b"01",
        b'"\x01"',
        b'"\\x"',
        b"\xff",
        b'"\xed\xa0\x80"',
        b"\xef\xbb\xbf1",
        b"\xa01",
    ],
)
def test_text_that_is_no_json_is_refused(octets: bytes) -> None:
    with expect_refusal(Reason.JSON_MALFORMED):
        canonical.parse(octets)


@pytest.mark.parametrize("octets", [b'{"a":1,"a":1}', b'[{"b":{"a":1,"\\u0061":2}}]'])
def test_a_name_given_twice_is_refused(octets: bytes) -> None:
    with expect_refusal(Reason.JSON_DUPLICATE_KEY):
        canonical.parse(octets)


@pytest.mark.parametrize(
    "number",
    ["1.0", "0.1", "1e2", "1E2", "-0", "-0.0", "9007199254740992", "-9007199254740992", "1" * 5000, "NaN", "Infinity"],
)
def test_a_number_that_is_no_integer_within_its_bounds_is_refused(number: str) -> None:
    with expect_refusal(Reason.JSON_NUMBER):
        canonical.parse(f'{{"a":{number}}}'.encode())


@pytest.mark.parametrize("number", [0, 1, -1, 2**53 - 1, -(2**53 - 1)])
def test_an_integer_within_its_bounds_is_read(number: int) -> None:
    assert canonical.parse(str(number).encode()) == number


@pytest.mark.parametrize(
    "octets",
    [
        b'"\\ud800"',
        b'"\\udfff"',
        b'"\\ude00\\ud83d"',
        b'{"\\ud800":1}',
        b'"\\uffff"',
        '"\ufdd0"'.encode(),
        b'"\\ud83f\\udffe"',
    ],
)
def test_a_lone_surrogate_or_a_noncharacter_is_refused(octets: bytes) -> None:
    with expect_refusal(Reason.JSON_SURROGATE):
        canonical.parse(octets)


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert canonical.parse(b'"\\ud83d\\ude00"') == "\U0001f600"


def test_sixteen_levels_are_read_and_seventeen_refused() -> None:
    assert canonical.parse(b"[" * 16 + b"]" * 16) is not None
    assert canonical.parse(b'{"a":' * 15 + b"[1]" + b"}" * 15) is not None
    assert canonical.parse(b"[" + b",".join([b'{"a":1}'] * 40) + b"]") is not None
    for octets in (b"[" * 17 + b"]" * 17, b'{"a":' * 16 + b"[1]" + b"}" * 16, b"[" * 100_000 + b"]" * 100_000):
        with expect_refusal(Reason.JSON_TOO_DEEP):
            canonical.parse(octets)


def test_octets_over_the_limit_are_refused_unread() -> None:
    assert canonical.parse(b'"' + b"a" * (canonical.MAX_OCTETS - 2) + b'"') is not None
    with expect_refusal(Reason.JSON_TOO_LARGE):
        canonical.parse(b"{" * (canonical.MAX_OCTETS + 1))
    with expect_refusal(Reason.JSON_TOO_LARGE):
        canonical.parse(b"12345", limit=4)


@given(_TEXTS)
def test_the_canonical_form_of_one_text_is_that_of_the_whole(text: str) -> None:
    assert canonical.text(text).encode() == canonical.encode(text)


@given(st.lists(st.lists(_TEXTS, max_size=4), max_size=4))
def test_an_array_of_arrays_of_texts_has_the_canonical_form_of_any_value(value: list[list[str]]) -> None:
    assert canonical.encode_texts(value) == rfc8785.dumps(value)


def test_a_digest_is_the_sha256_of_the_canonical_form() -> None:
    assert canonical.digest({}) == canonical.sha256(b"{}") == "RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o"
