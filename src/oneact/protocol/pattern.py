"""Patterns: the part of regular expressions that means the same everywhere, read strictly into a tree.

There is no look-around and no back-reference in it, so a pattern can be matched without ever going back (`matching`).
"""

from __future__ import annotations

import string
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Final, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Iterable

MAX_LENGTH: Final = 1024
MAX_DEPTH: Final = 16
_MAX_DIGITS: Final = 4
_TOP: Final = 0x10FFFF
_SYNTAX: Final = frozenset("^$\\.*+?()[]{}|")
_QUANTIFIERS: Final = frozenset("*+?{")
_CONTROLS: Final = {"t": "\t", "n": "\n", "r": "\r"}
_DIGITS: Final = ((0x30, 0x39),)
_WORDS: Final = (*_DIGITS, (0x41, 0x5A), (0x5F, 0x5F), (0x61, 0x7A))
_SPACES: Final = ((0x09, 0x0D), (0x20, 0x20))
_SHORT: Final = {"d": _DIGITS, "w": _WORDS, "s": _SPACES}

Ranges: TypeAlias = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True, eq=False)
class Characters:
    """One character of a class, whose code points are in ranges that are sorted and apart; told apart by identity."""

    ranges: Ranges


@dataclass(frozen=True, slots=True)
class Edge:
    """The beginning of the text, or its end."""

    end: bool


@dataclass(frozen=True, slots=True)
class Sequence:
    """One after the other."""

    parts: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Choice:
    """One of several."""

    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Repeat:
    """The same again, at least and at most so often; without an end where `most` is None."""

    of: Node
    least: int
    most: int | None


Node: TypeAlias = Characters | Edge | Sequence | Choice | Repeat


@lru_cache(maxsize=128)
def parse(pattern: str) -> Node:
    """Read a pattern (specification, section "Actions"); raises ValueError for what is not portable."""
    if len(pattern) > MAX_LENGTH:
        raise ValueError(f"over {MAX_LENGTH} characters")
    reader = _Reader(pattern)
    found = reader.choice(0)
    if not reader.at_end():
        raise ValueError("a bracket too many")
    return found


class _Reader:
    """Reads a pattern from its beginning to its end."""

    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0

    def at_end(self) -> bool:
        return self._at == len(self._pattern)

    def choice(self, depth: int) -> Node:
        options = [self._sequence(depth)]
        while self._takes("|"):
            options.append(self._sequence(depth))
        return options[0] if len(options) == 1 else Choice(tuple(options))

    def _sequence(self, depth: int) -> Node:
        parts: list[Node] = []
        while not self.at_end() and self._peek() not in "|)":
            parts.append(self._term(depth))
        return parts[0] if len(parts) == 1 else Sequence(tuple(parts))

    def _term(self, depth: int) -> Node:
        if self._peek() in "^$":
            found: Node = Edge(end=self._next() == "$")
        else:
            found = self._quantified(self._atom(depth))
        if self._peek() in _QUANTIFIERS:
            raise ValueError("a quantifier after an end of the text or another quantifier")
        return found

    def _atom(self, depth: int) -> Node:
        if self._takes("("):
            return self._group(depth + 1)
        if self._takes("["):
            return self._class()
        if self._takes("."):
            return Characters(_without(((0x0A, 0x0A),)))
        if self._takes("\\"):
            return Characters(self._escape())
        if self._peek() in _SYNTAX:
            raise ValueError(f"{self._peek()!r} stands where it means nothing")
        return Characters(_one(self._next()))

    def _group(self, depth: int) -> Node:
        if depth > MAX_DEPTH:
            raise ValueError(f"groups over {MAX_DEPTH} deep")
        if self._peek() == "?" and not self._takes("?:"):
            raise ValueError("a group of another kind than ( ) and (?: )")
        found = self.choice(depth)
        if not self._takes(")"):
            raise ValueError("a group without an end")
        return found

    def _quantified(self, atom: Node) -> Node:
        for sign, least, most in (("*", 0, None), ("+", 1, None), ("?", 0, 1)):
            if self._takes(sign):
                return Repeat(atom, least, most)
        if not self._takes("{"):
            return atom
        least = self._number()
        most = least
        if self._takes(","):
            most = None if self._peek() == "}" else self._number()
        if not self._takes("}") or (most is not None and most < least):
            raise ValueError("a quantifier in braces is {n}, {n,} or {n,m}")
        return Repeat(atom, least, most)

    def _number(self) -> int:
        digits = ""
        while self._peek() in string.digits and not self.at_end():
            digits += self._next()
        if not 0 < len(digits) <= _MAX_DIGITS:
            raise ValueError(f"a number in braces has 1 to {_MAX_DIGITS} digits")
        return int(digits)

    def _class(self) -> Node:
        negated, found, first = self._takes("^"), list[tuple[int, int]](), True
        while not self._takes("]"):
            found += self._range(first=first)
            first = False
        if not found:
            raise ValueError("a class of nothing")
        return Characters(_without(found) if negated else _apart(found))

    def _range(self, *, first: bool) -> Ranges:
        """Read one member of a class: a character, an escape, or a range between two characters."""
        if self._peek() == "-":
            if not first and self._following() != "]":
                raise ValueError("in a class '-' stands between two characters, first, or last")
            return _one(self._next())
        low = self._member()
        if self._peek() != "-" or self._following() == "]":
            return low
        self._next()
        if self._peek() == "-":
            raise ValueError("a range that ends with '-'")
        high = self._member()
        if _single(low) > _single(high):
            raise ValueError("a range that goes backwards")
        return ((_single(low), _single(high)),)

    def _member(self) -> Ranges:
        if self.at_end():
            raise ValueError("a class without an end")
        if self._peek() == "[" or self._peek() + self._following() in {"&&", "||", "~~"}:
            raise ValueError("'[', '&&', '||' and '~~' mean different things in classes")
        return self._escape() if self._takes("\\") else _one(self._next())

    def _escape(self) -> Ranges:
        escaped = "" if self.at_end() else self._next()
        if escaped in _CONTROLS:
            return _one(_CONTROLS[escaped])
        if escaped and escaped in string.punctuation:
            return _one(escaped)
        if escaped.lower() not in _SHORT:
            raise ValueError(f"'\\{escaped}' is no portable escape")
        ranges = _SHORT[escaped.lower()]
        return ranges if escaped.islower() else _without(ranges)

    def _peek(self) -> str:
        return self._pattern[self._at : self._at + 1]

    def _following(self) -> str:
        return self._pattern[self._at + 1 : self._at + 2]

    def _next(self) -> str:
        self._at += 1
        return self._pattern[self._at - 1]

    def _takes(self, expected: str) -> bool:
        found = self._pattern.startswith(expected, self._at)
        self._at += len(expected) if found else 0
        return found


def _one(character: str) -> Ranges:
    return ((ord(character), ord(character)),)


def _single(ranges: Ranges) -> int:
    if len(ranges) != 1 or ranges[0][0] != ranges[0][1]:
        raise ValueError("a range between other things than two characters")
    return ranges[0][0]


def _apart(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Sort ranges, and join those that touch."""
    joined: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if joined and low <= joined[-1][1] + 1:
            joined[-1] = (joined[-1][0], max(joined[-1][1], high))
        else:
            joined.append((low, high))
    return tuple(joined)


def _without(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """Give every code point but those of the ranges."""
    left, found = 0, list[tuple[int, int]]()
    for low, high in _apart(ranges):
        if left < low:
            found.append((left, low - 1))
        left = high + 1
    return (*found, (left, _TOP)) if left <= _TOP else tuple(found)
