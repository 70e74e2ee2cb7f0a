"""A tool as an action: its input schema in the part of JSON Schema that can be shown and signed whole. PURE.

What cannot be published stands in the act as the canonical JSON text (RFC 8785) of its value: a number with a fraction,
an object of any members, a pattern that is not portable. So every tool has one exact form, and the way back is exact.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.protocol.action import NAME, Action, Rule
from oneact.service import actions, guarded
from oneact.service.mcp import publishing, texts
from oneact.service.mcp.publishing import WHOLE

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.protocol.canonical import Json

_INVALID: Final = Reason.PARAMETERS_INVALID
_FOREIGN: Final = re.compile(r"[^a-z0-9_.]+")
_HASHED: Final = 8  # characters of a digest that tell names apart which differ in what is taken out


@dataclass(frozen=True, slots=True)
class Shape:
    """A tool and its action; `texts` are the parameters that hold canonical JSON, all of them where `whole`."""

    tool: str
    action: Action
    texts: frozenset[str]
    whole: bool

    def parameters(self, arguments: Mapping[str, Any]) -> dict[str, Json]:
        """Give the parameters of the act for what a tool is called with; refuses `parameters_invalid`."""
        if self.whole:
            return {WHOLE: texts.of(dict(arguments))}
        made = {name: texts.of(value) if name in self.texts else value for name, value in arguments.items()}
        return dict(texts.strict(made))

    def arguments(self, parameters: Mapping[str, Json]) -> dict[str, Any]:
        """Give what the tool is called with: exactly what the parameters say."""
        if self.whole:
            found = texts.read(str(parameters[WHOLE]))
            return found if isinstance(found, dict) else {}
        return {name: texts.read(str(value)) if name in self.texts else value for name, value in parameters.items()}

    def normalise(self, given: dict[str, Any]) -> dict[str, Any]:
        """Fill in defaults and validate, as every guarded action does; a text has to be canonical JSON.

        Refuses `parameters_invalid` and `parameter_unknown`.
        """
        found = guarded.by_schema(self.action.schema)(given)
        for name in self.texts & found.keys():
            texts.check(name, found[name])
        if self.whole and not found[WHOLE].startswith("{"):
            raise Refusal(_INVALID, "the arguments are no object", WHOLE)
        return found


def of_tool(  # noqa: PLR0913 - what is published of an action
    name: str,
    described: Mapping[str, Any],
    *,
    intent: str,
    path: str,
    summary: str = "",
    display: Mapping[str, str | tuple[str, str]] | None = None,
    terms: Mapping[str, Json] | None = None,
    reversible: bool = False,
    foreign: bool = False,
) -> Shape:
    """Make the action of a tool whose input schema is `described`.

    `path` is where the action stands at the service; a `{name}` in it becomes the action's name. Of a `foreign` tool,
    written by somebody else, no title and no description is published: they would stand beside the values as labels.
    Raises ValueError for what cannot be published even with its values as text, such as `display` of a name it lacks.
    """

    def made(root: dict[str, Json], held: frozenset[str], *, whole: bool) -> Shape:
        action_name = name_of(name)
        labels = {text: (f"{text} (JSON)" if not whole else "Arguments (JSON)", "text") for text in sorted(held)}
        action = actions.describe(
            action_name,
            intent=intent,
            summary=summary,
            schema=root,
            terms=terms,
            sources={},
            display={**labels, **(display or {})},
            reversible=reversible,
            rule=Rule(),
            method="POST",
            path=path.replace("{name}", action_name),
        )
        return Shape(name, action, held, whole)

    found = publishing.by_member(described, foreign=foreign)
    if found is not None:
        try:
            return made(*found, whole=False)
        except ValueError:
            if display or summary:
                raise
    return made(publishing.whole(), frozenset({WHOLE}), whole=True)


def name_of(tool: str) -> str:
    """Give the name of a tool's action: the tool's own where that can be one, else one that no other tool has."""
    if NAME.match(tool):
        return tool
    hashed = canonical.sha256(tool.encode("utf-8", "surrogatepass")).lower().replace("-", "_")[:_HASHED]
    kept = _FOREIGN.sub("_", tool.lower()).strip("_.")
    kept = kept if kept[:1].isalpha() else f"tool_{kept}"
    return f"{kept[: 63 - _HASHED]}.{hashed}"
