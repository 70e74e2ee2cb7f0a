"""What a client of revision 2026-07-28 carries between rounds is taken to another session, another call, or changed."""

from __future__ import annotations

import pytest

from oneact.errors import Refusal
from oneact.service.mcp import states

KEY, OTHER = b"k" * 32, b"o" * 32
MINE = states.bound("session", "write", {"path": "/a"})
STATE = states.seal(KEY, "identifier", 1, MINE)


def test_a_state_leads_to_its_own_call_also_under_the_key_before() -> None:
    assert states.unseal([KEY], STATE, MINE) == ("identifier", 1)
    assert states.unseal([OTHER, KEY], STATE, MINE) == ("identifier", 1)


@pytest.mark.parametrize(
    "to",
    [
        states.bound("another", "write", {"path": "/a"}),
        states.bound("session", "burn", {"path": "/a"}),
        states.bound("session", "write", {"path": "/b"}),
        states.bound("session", "write", {}),
    ],
)
def test_in_another_session_or_call_it_is_worth_nothing(to: bytes) -> None:
    with pytest.raises(Refusal, match="held_unknown"):
        states.unseal([KEY], STATE, to)


@pytest.mark.parametrize(
    "text",
    [
        "", ".", "..", "identifier", "identifier.1", "identifier.1.", STATE.replace("identifier", "identifies"),
        STATE.replace(".1.", ".2."), STATE.replace(".1.", ".01."), STATE.replace(".1.", ".-1."), STATE + "A",
        STATE.replace(".1.", ".¹."), STATE.replace(".1.", f".{'1' * 5000}."), "é" * 3 + "." + STATE,
    ],
)  # fmt: skip
def test_changed_it_is_worth_nothing(text: str) -> None:
    with pytest.raises(Refusal, match="held_unknown"):
        states.unseal([KEY], text, MINE)
