"""What an owner says of the tools of a server: approve, allow or deny, by exact names and by beginnings."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, TypeAlias, get_args

if TYPE_CHECKING:
    from collections.abc import Mapping

Rule: TypeAlias = Literal["approve", "allow", "deny"]
_RULES: Final = frozenset(get_args(Rule))


class Policy:
    """Rules by the name of a tool, or by its beginning and `*`; what no rule names needs an approval.

    An exact name goes before a beginning, a longer beginning before a shorter one. Raises ValueError for what is no
    rule.
    """

    def __init__(self, rules: Mapping[str, Rule]) -> None:
        for name, rule in rules.items():
            if rule not in _RULES:
                raise ValueError(f"policy of {name}: {rule!r} is none of approve, allow, deny")
            if not name or "*" in name[:-1]:
                raise ValueError(f"policy of {name!r}: a name, or the beginning of names and one * at its end")
        self._exact = {name: rule for name, rule in rules.items() if not name.endswith("*")}
        beginnings = [(name[:-1], rule) for name, rule in rules.items() if name.endswith("*")]
        self._beginnings = sorted(beginnings, key=lambda found: len(found[0]), reverse=True)

    def of(self, tool: str) -> Rule:
        """Give the rule of a tool."""
        if tool in self._exact:
            return self._exact[tool]
        return next((rule for beginning, rule in self._beginnings if tool.startswith(beginning)), "approve")
