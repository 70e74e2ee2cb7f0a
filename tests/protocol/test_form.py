import pytest

from oneact.errors import Reason
from oneact.protocol import form
from oneact.protocol.canonical import Json
from tests.protocol.refusing import expect_refusal

_REASON = Reason.ROSTER_MALFORMED


def test_a_closed_form_has_the_required_members_and_may_have_the_optional() -> None:
    assert form.closed({"a": 1}, _REASON, {"a"}) == {"a": 1}
    assert form.closed({"a": 1}, _REASON, {"a"}, {"b"}) == {"a": 1}
    assert form.closed({"a": 1, "b": 2}, _REASON, {"a"}, {"b"}) == {"a": 1, "b": 2}


@pytest.mark.parametrize("value", [{}, {"b": 2}, {"a": 1, "c": 3}, [], None, "a", 1])
def test_another_form_is_refused(value: Json) -> None:
    with expect_refusal(_REASON):
        form.closed(value, _REASON, {"a"}, {"b"})


@pytest.mark.parametrize("value", ["", "a" * 5, 1, None, ["a"], True])
def test_what_is_no_text_within_its_limit_is_refused(value: Json) -> None:
    with expect_refusal(_REASON):
        form.text(value, _REASON, 4)


def test_a_text_within_its_limit_is_given() -> None:
    assert form.text("a" * 4, _REASON, 4) == "aaaa"
    assert form.text("a" * form.MAX_TEXT, _REASON)


@pytest.mark.parametrize("value", [-1, True, False, "1", None, [1]])
def test_what_is_no_non_negative_integer_is_refused(value: Json) -> None:
    with expect_refusal(_REASON):
        form.integer(value, _REASON)


def test_a_non_negative_integer_is_given() -> None:
    assert form.integer(0, _REASON) == 0


@pytest.mark.parametrize("value", ["A" * 42, "A" * 44, "A" * 42 + "+", "A" * 43 + "\n", 1, None])
def test_what_is_no_digest_is_refused(value: Json) -> None:
    with expect_refusal(_REASON):
        form.digest(value, _REASON)


def test_a_digest_is_given() -> None:
    assert form.digest("_-" + "A" * 41, _REASON) == "_-" + "A" * 41


@pytest.mark.parametrize("value", [[], ["a"] * 2, ["a", "b", "c"], ["a", 1], [""], "a", None])
def test_what_is_no_list_of_distinct_texts_is_refused(value: Json) -> None:
    with expect_refusal(_REASON):
        form.texts(value, _REASON, 2)


def test_distinct_texts_are_given_in_their_order() -> None:
    assert form.texts(["b", "a"], _REASON, 2) == ("b", "a")
