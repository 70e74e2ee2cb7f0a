"""One act, made so that rendering it keeps a server from doing anything else for seconds."""

from typing import Any

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import action, display
from tests.server.peers import WITHOUT_TERMS

LARGE = 180_000
HOLE = "{/parameters/to}"


def described(summary: str = "", kind: str = "text") -> action.Action:
    entry = {"pointer": "/parameters/to", "label": "To", "format": kind}
    return action.parse({**WITHOUT_TERMS, "summary": summary, "display": [entry] if kind != "text" else []})


@pytest.mark.parametrize(
    ("template", "to"),
    [
        (described(HOLE * 128), "\u2028" * LARGE),
        (described(HOLE * 128), "\\" * LARGE),
        (described(HOLE * 128, "account"), "\u2028" * LARGE),
        (described(HOLE * 128, "list"), ["\u2028"] * LARGE),
        (described(HOLE * 128, "list"), ["\u2028" * 1000] * 180),
        (described(HOLE * 128), "\u2028" * 2000),
        (described(kind="url"), "https://a.example/" + "\\" * LARGE),
        (described(), [{}] * LARGE),
        (described(), {f"n{index}": 1 for index in range(LARGE)}),
        (described(), {"\u2028" * LARGE: {"a": 1, "b": 2}}),
        (described(), {"\u2028" * 4000: {"b" * 4000: {"c" * 4000: {"d" * 5000: dict.fromkeys("abcdefgh", 1)}}}}),
    ],
    ids=lambda given: "" if isinstance(given, action.Action) else f"{type(given).__name__} of {len(given)}",
)
def test_it_is_refused_before_much_of_it_is_made(
    template: action.Action, to: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[int] = []
    escape = display.escape

    def counted(text: str) -> str:
        made.append(len(text))
        return escape(text)

    monkeypatch.setattr(display, "escape", counted)
    with pytest.raises(Refusal) as refused:
        display.render(template, {"from": "SFO", "to": to}, None)
    assert refused.value.reason is Reason.TOO_LARGE_TO_SHOW
    assert sum(made) <= 3 * display.MAX_OCTETS
    assert len(made) <= display.MAX_OCTETS


def test_a_secret_of_any_length_is_shown_as_its_hash() -> None:
    lines = display.render(described(HOLE, "secret"), {"from": "SFO", "to": "x" * LARGE}, None)
    assert lines[1][2] == "secret"
