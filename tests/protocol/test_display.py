from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from oneact.errors import Reason
from oneact.protocol import action, canonical, display
from tests.protocol.flight import FLIGHT, PARAMETERS, TERMS, document, text_schema
from tests.protocol.refusing import expect_refusal


def _action(kind: str = "text", summary: str = "") -> action.Action:
    """Give an action with one parameter, shown as `kind`."""
    display_entry = {"pointer": "/parameters/a", "label": "A", "format": kind}
    schema, sources = text_schema(a={}), {"a": "body"}
    return action.parse(document(schema=schema, sources=sources, terms=None, summary=summary, display=[display_entry]))


def _bare(summary: str = "") -> action.Action:
    return action.parse(document(display=[], summary=summary))


def _shown(kind: str, value: Any) -> tuple[str, str]:
    lines = display.render(_action(kind), {"a": value}, None)
    assert lines[1][:2] == ("parameter", "A")
    assert len(lines) == 2
    return lines[1][2], lines[1][3]


def test_a_flight_is_shown_whole_and_in_order() -> None:
    assert display.render(FLIGHT, PARAMETERS, TERMS) == (
        ("intent", "Book a flight", "text", "Fly \u00abSFO\u00bb to \u00abNYC\u00bb on \u00ab2024-03-01\u00bb"),
        ("parameter", "From", "text", "SFO"),
        ("parameter", "To", "text", "NYC"),
        ("parameter", "Date", "date", "2024-03-01"),
        ("term", "Price", "money", "312.00 USD"),
    )


def test_the_digest_is_that_of_the_canonical_lines() -> None:
    lines = display.render(FLIGHT, PARAMETERS, TERMS)
    assert display.digest(lines) == canonical.digest([list(line) for line in lines])
    assert display.digest(lines[1:]) != display.digest(lines)


def test_what_the_template_leaves_out_is_shown_under_its_pointer() -> None:
    parameters: dict[str, Any] = {"b": [1, {"c": None}], "a/~\u202e": {}, "": [], "\U0001f600": 1, "\uff5e": 2}
    assert display.render(_bare(), parameters, {"p": True})[1:] == (
        ("other", "/parameters/", "text", "[]"),
        ("other", "/parameters/a~1~0\\u{202E}", "text", "{}"),
        ("other", "/parameters/b/0", "text", "1"),
        ("other", "/parameters/b/1/c", "text", "null"),
        ("other", "/parameters/\U0001f600", "text", "1"),
        ("other", "/parameters/\uff5e", "text", "2"),
        ("other", "/terms/p", "text", "true"),
    )


def test_an_element_that_the_template_names_is_not_shown_twice() -> None:
    entries = [{"pointer": "/parameters/b/0", "label": "First", "format": "text"}]
    assert display.render(action.parse(document(display=entries, summary="")), {"b": [1, 2]}, None)[1:] == (
        ("parameter", "First", "text", "1"),
        ("other", "/parameters/b/1", "text", "2"),
    )


def test_an_act_without_parameters_says_so() -> None:
    assert display.render(_bare(), {}, None)[1:] == (("other", "/parameters", "text", "{}"),)


def test_a_pointer_reaches_into_objects_and_arrays_by_rfc_6901() -> None:
    pointers = ["/parameters/a/1/b", "/parameters/a/01", "/parameters/a/9", "/parameters/a/x", "/parameters/c~1~0/d"]
    entries = [{"pointer": pointer, "label": "L", "format": "text"} for pointer in pointers]
    described = action.parse(document(display=entries, summary="{/parameters/a/0} {/parameters/z} {/parameters/s/0}"))
    lines = display.render(described, {"a": [1, {"b": 2}], "c/~": {"d": 3}, "s": "text"}, None)
    assert lines == (
        ("intent", "Book a flight", "text", "\u00ab1\u00bb \u00ab\u00bb \u00ab\u00bb"),
        ("parameter", "L", "text", "2"),
        ("parameter", "L", "text", "3"),
        ("other", "/parameters/a/0", "text", "1"),
        ("other", "/parameters/s", "text", "text"),
    )


def test_a_value_in_a_summary_is_set_apart_and_cannot_close_its_marks() -> None:
    lines = display.render(_action(summary="\u00abno\u00bb {/parameters/a}"), {"a": "\u00bb free \u00ab"}, None)
    assert lines[0][3] == "\\u{AB}no\\u{BB} \u00ab\\u{BB} free \\u{AB}\u00bb"


@pytest.mark.parametrize(
    ("kind", "value", "shown"),
    [
        ("text", "a b", "a b"),
        ("text", 7, "7"),
        ("text", None, "null"),
        ("text", {"b": [1]}, '{"b":[1]}'),
        ("money", {"amount": "312.00", "currency": "USD"}, "312.00 USD"),
        ("money", {"amount": "-0.5", "currency": "JPY"}, "-0.5 JPY"),
        ("date", "2024-02-31", "2024-02-31"),
        ("date-time", "2024-03-01T23:59:60.5+05:30", "2024-03-01T23:59:60.5+05:30"),
        ("date-time", "2024-03-01T00:00:00Z", "2024-03-01T00:00:00Z"),
        ("time-zone", "America/Argentina/Ushuaia", "America/Argentina/Ushuaia"),
        ("email", "a.b+c@mail.example", "a.b+c@mail.example"),
        ("email", "a@b\u00fccher.example", "a@xn--bcher-kva.example"),
        ("url", "https://air.example:8443/a?b#c", "https://air.example:8443/a?b#c"),
        ("url", "https://\u0430ir.example", "https://xn--ir-6kc.example"),
        ("url", "https://a\x1b\u00fc.example/\\", "https://xn--a\\u{1B}-yka.example/\\\\"),
        ("account", "DE02\u202e", "DE02\\u{202E}"),
        ("list", ["a\nb", 1, None], "a\\u{A}b\n1\nnull"),
        ("secret", "hunter2", "sha-256 9S-9MrKzuG_4jvbEkGKChfSCrxXdyylUH5S89Saj9sc"),
    ],
)
def test_a_value_is_shown_in_its_format(kind: str, value: Any, shown: str) -> None:
    assert _shown(kind, value) == (kind, shown)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("money", "312.00 USD"),
        ("money", {"amount": "312.00"}),
        ("money", {"amount": "312.00", "currency": "USD", "tip": "1.00"}),
        ("money", {"amount": 312, "currency": "USD"}),
        ("money", {"amount": "312.00", "currency": 1}),
        ("money", {"amount": "0312.00", "currency": "USD"}),
        ("money", {"amount": "3,12", "currency": "USD"}),
        ("money", {"amount": "1e3", "currency": "USD"}),
        ("money", {"amount": "\u0661", "currency": "USD"}),
        ("money", {"amount": "1", "currency": "usd"}),
        ("date", "2024-13-01"),
        ("date", "2024-03-00"),
        ("date", "2024-03-01\n"),
        ("date", "01/03/2024"),
        ("date", "\u0662024-03-01"),
        ("date", 20240301),
        ("date-time", "2024-03-01"),
        ("date-time", "2024-03-01T00:00:00"),
        ("date-time", "2024-03-01T24:00:00Z"),
        ("date-time", "2024-03-01t00:00:00z"),
        ("time-zone", "Europe/../etc"),
        ("time-zone", ""),
        ("email", "a b@mail.example"),
        ("email", "\u0430@mail.example"),
        ("email", "a@"),
        ("email", ["a@mail.example"]),
        ("url", "javascript:alert(1)"),
        ("url", "https://air.example@evil.example/"),
        ("url", "https://air.example/\u202e"),
        ("url", "HTTPS://air.example"),
        ("url", 1),
        ("account", 1),
        ("list", []),
        ("list", [[1]]),
        ("list", [{}]),
        ("list", "a"),
        ("secret", 1),
    ],
)
def test_a_value_that_its_format_cannot_take_is_shown_as_text(kind: str, value: Any) -> None:
    expected = display.escape(value if isinstance(value, str) else canonical.encode(value).decode())
    assert _shown(kind, value) == ("text", expected)


_RANGES = [
    (0x00, 0x1F), (0x5C, 0x5C), (0x7F, 0xA0), (0xAB, 0xAB), (0xAD, 0xAD), (0xBB, 0xBB), (0x34F, 0x34F), (0x61C, 0x61C),
    (0x115F, 0x1160), (0x1680, 0x1680), (0x17B4, 0x17B5), (0x180B, 0x180F), (0x2000, 0x200F), (0x2028, 0x202F),
    (0x205F, 0x206F), (0x2800, 0x2800), (0x3000, 0x3000), (0x3164, 0x3164), (0xD800, 0xF8FF), (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF), (0xFFA0, 0xFFA0), (0xFFF0, 0xFFFF), (0x1BCA0, 0x1BCA3), (0x1D173, 0x1D17A), (0xE0000, 0x10FFFF),
]  # fmt: skip


def test_exactly_the_fixed_ranges_are_escaped() -> None:
    for first, last in _RANGES:
        for point in (first, last):
            expected = "\\\\" if point == 0x5C else f"\\u{{{point:X}}}"
            assert display.escape(f"a{chr(point)}b") == f"a{expected}b"
        for point in {first - 1, last + 1} - {-1, 0x110000, 0xAC}:
            if not any(low <= point <= high for low, high in _RANGES):
                assert display.escape(chr(point)) == chr(point)


_MARKS = [(0x300, 0x36F), (0x483, 0x489), (0x1AB0, 0x1AFF), (0x1DC0, 0x1DFF), (0x20D0, 0x20FF), (0xFE20, 0xFE2F)]


def test_of_marks_in_a_row_the_third_and_every_further_one_is_escaped() -> None:
    for first, last in _MARKS:
        for point in (first, last):
            mark = chr(point)
            assert display.escape("a" + mark * 2) == "a" + mark * 2
            assert display.escape("a" + mark * 4 + "b") == "a" + mark * 2 + f"\\u{{{point:X}}}" * 2 + "b"
    for point in (0x2FF, 0x370, 0x482, 0x48A, 0x1AAF, 0x1B00, 0x1DBF, 0x1E00, 0x20CF, 0x2100, 0xFE30):
        assert display.escape(chr(point) * 4) == chr(point) * 4


@given(st.text())
def test_two_texts_are_never_shown_alike(text: str) -> None:
    shown = display.escape(text)
    assert "\n" not in shown
    assert _unescape(shown) == text


def _unescape(shown: str) -> str:
    text, at = "", 0
    while at < len(shown):
        if shown[at] != "\\":
            text, at = text + shown[at], at + 1
        elif shown[at + 1] == "\\":
            text, at = text + "\\", at + 2
        else:
            end = shown.index("}", at)
            text, at = text + chr(int(shown[at + 3 : end], 16)), end + 1
    return text


def test_a_label_of_control_characters_counts_as_it_is_written() -> None:
    entries = [{"pointer": f"/parameters/a/{index}", "label": "\u0001" * 80, "format": "text"} for index in range(34)]
    described = action.parse(document(display=entries, summary=""))
    with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
        display.render(described, {"a": ["x"] * 34}, None)


def test_what_a_template_names_deep_inside_leaves_room_for_as_many_members() -> None:
    entries = [{"pointer": f"/parameters/a/{index}/b", "label": "L", "format": "text"} for index in range(150)]
    described = action.parse(document(display=entries, summary=""))
    assert len(display.render(described, {"a": [{"b": 1}] * 150 + [2] * 49}, None)) == 200
    with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
        display.render(described, {"a": [{"b": 1}] * 150 + [2] * 50}, None)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("text", "x" * (display.MAX_OCTETS + 1)),
        ("text", [["x" * 20] * 2] * 500),
        ("text", {"x" * (display.MAX_OCTETS + 1): [1]}),
        ("list", ["x" * 100] * 200),
    ],
)
def test_what_alone_is_too_large_is_refused_where_it_stands(kind: str, value: Any) -> None:
    entry = {"pointer": "/parameters/a", "label": "A", "format": kind}
    for described in (_bare(), action.parse(document(display=[entry], summary=""))):
        with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
            display.render(described, {"a": value}, None)


def test_a_pointer_is_followed_by_one_function_for_all() -> None:
    found: dict[str, Any] = {"parameters": {"a/b": [{"~": 1}]}}
    assert display.at(found, "/parameters/a~1b/0/~0") == 1
    assert display.at(found, "/parameters/a~1b/00/~0") is display.ABSENT


def test_200_lines_are_shown_and_201_refused() -> None:
    assert len(display.render(_bare(), {"a": list(range(199))}, None)) == 200
    with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
        display.render(_bare(), {"a": list(range(200))}, None)


@pytest.mark.parametrize("character", ["a", "\u20ac", "\U0001f600", '"', "\u202e"])
def test_16_kib_are_shown_and_one_octet_more_refused(character: str) -> None:
    def size(count: int, filler: int) -> int:
        return len(display.encode(display.render(_bare(), {"a": character * count, "b": "x" * filler}, None)))

    each = (size(20, 1) - size(10, 1)) // 10
    count = (display.MAX_OCTETS - size(0, 1)) // each
    room = display.MAX_OCTETS - size(count, 1)
    assert size(count, 1 + room) == display.MAX_OCTETS
    with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
        size(count, 2 + room)


def test_lines_that_are_too_large_together_are_refused_at_the_one_that_is_too_much() -> None:
    entries = [{"pointer": f"/parameters/{name}", "label": name, "format": "text"} for name in "abc"]
    described = action.parse(document(display=entries, summary=""))
    long = "x" * 8000
    assert len(display.render(described, {"a": long}, None)) == 2
    with expect_refusal(Reason.TOO_LARGE_TO_SHOW):
        display.render(described, {"a": long, "b": long, "c": long}, None)
