"""What a policy says of an operation, by its name: it needs an approval, passes, or is never done."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, TypeAlias, cast

if TYPE_CHECKING:
    from collections.abc import Mapping

Rule: TypeAlias = Literal["approve", "allow", "deny"]

RULES: Final[frozenset[str]] = frozenset({"approve", "allow", "deny"})
MAX_RULES: Final = 1000
_PATTERN: Final = re.compile(r"[^*\x00-\x1f\x7f]{0,200}\*?")


@dataclass(frozen=True, slots=True)
class Found:
    """What a policy says of one operation; `exact` where it says so by the operation's own name."""

    rule: Rule
    exact: bool


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules of one policy: by exact names, and by beginnings, written with `*` at their end.

    An exact name wins over every beginning, a longer beginning over a shorter one. What no rule names is `approve`.
    """

    exact: Mapping[str, Rule]
    beginnings: tuple[tuple[str, Rule], ...]

    def of(self, name: str) -> Found:
        """Give what the policy says of the operation `name`."""
        if name in self.exact:
            return Found(self.exact[name], exact=True)
        for beginning, rule in self.beginnings:
            if name.startswith(beginning):
                return Found(rule, exact=False)
        return Found("approve", exact=False)


def parse(given: Mapping[object, object]) -> Rules:
    """Read rules, each a name or a beginning with what it says; raises ValueError for anything else."""
    if len(given) > MAX_RULES:
        raise ValueError(f"{len(given)} rules; {MAX_RULES} are the most")
    exact: dict[str, Rule] = {}
    beginnings: list[tuple[str, Rule]] = []
    for pattern, rule in given.items():
        if not isinstance(pattern, str) or not pattern or not _PATTERN.fullmatch(pattern):
            raise ValueError(f"{pattern!r} is no name: a star stands at the end alone")
        if not isinstance(rule, str) or rule not in RULES:
            raise ValueError(f"{pattern}: {rule!r} is none of approve, allow, deny")
        if pattern.endswith("*"):
            beginnings.append((pattern[:-1], cast("Rule", rule)))
        else:
            exact[pattern] = cast("Rule", rule)
    return Rules(exact, tuple(sorted(beginnings, key=lambda entry: -len(entry[0]))))
