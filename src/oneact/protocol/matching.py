"""Patterns matched without going back: no pattern makes exponential work, and what it makes is counted.

A set of places in a text is one integer with a bit for each. A node of a pattern takes the places at which it may begin
to those at which it may end; a repetition goes on only from places that it has not reached before.
"""

from __future__ import annotations

from bisect import bisect_right
from typing import TYPE_CHECKING, Final

from oneact.protocol.pattern import Characters, Edge, Repeat, Sequence

if TYPE_CHECKING:
    from collections.abc import Callable

    from oneact.protocol.pattern import Node, Ranges

# What a step stands for, measured to take about as long: a text is walked for a class, places are moved by a node.
_CHARACTERS_A_STEP: Final = 32
_PLACES_A_STEP: Final = 65536


def matches(pattern: Node, text: str, spend: Callable[[int], None]) -> bool:
    """Tell whether a pattern matches somewhere in a text; `spend` is told of the steps it takes, and may raise."""
    everywhere = (1 << (len(text) + 1)) - 1
    return _Match(text, spend).after(pattern, everywhere) != 0


class _Match:
    """One text, and the places in it that a pattern is taken through."""

    def __init__(self, text: str, spend: Callable[[int], None]) -> None:
        self._text = text
        self._spend = spend
        self._cost = 1 + len(text) // _PLACES_A_STEP
        self._classes: dict[Characters, int] = {}

    def after(self, node: Node, places: int) -> int:
        """Give the places at which a node ends that begins at any of `places`."""
        self._spend(self._cost)
        if isinstance(node, Characters):
            return (places & self._of_class(node)) << 1
        if isinstance(node, Edge):
            return places & (1 << len(self._text) if node.end else 1)
        if isinstance(node, Repeat):
            return self._repeated(node, places)
        if isinstance(node, Sequence):
            for part in node.parts:
                places = self.after(part, places) if places else 0
            return places
        reached = 0
        for option in node.options:
            reached |= self.after(option, places)
        return reached

    def _repeated(self, node: Repeat, places: int) -> int:
        for _ in range(node.least):
            before, places = places, self.after(node.of, places)
            if places == before:  # nothing, or what is there already: it stays so
                break
        if node.most is None and isinstance(node.of, Characters):
            return _run(places, self._of_class(node.of))
        reached = fresh = places
        rounds = 0
        while fresh and (node.most is None or rounds < node.most - node.least):
            fresh = self.after(node.of, fresh) & ~reached
            reached |= fresh
            rounds += 1
        return reached

    def _of_class(self, node: Characters) -> int:
        """Give the places at which a character of the class stands."""
        if node not in self._classes:
            self._spend(1 + len(self._text) // _CHARACTERS_A_STEP)
            starts = [low for low, _ in node.ranges]
            inside = {one for one in set(self._text) if _holds(node.ranges, starts, ord(one))}
            bits = "".join("1" if one in inside else "0" for one in reversed(self._text))
            self._classes[node] = int(bits or "0", 2)
        return self._classes[node]


def _run(places: int, of_class: int) -> int:
    """Give the places reached through any number of characters of a class: the carry of an addition runs along them."""
    return (((places & of_class) + of_class) ^ of_class) | places


def _holds(ranges: Ranges, starts: list[int], code: int) -> bool:
    index = bisect_right(starts, code) - 1
    return index >= 0 and code <= ranges[index][1]
