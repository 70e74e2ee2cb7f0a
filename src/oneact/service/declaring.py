"""What an owner says of an action when they guard its handler: the options of every face's decorators, named once."""

from __future__ import annotations

import functools
import inspect
from typing import TYPE_CHECKING, Any, TypedDict, TypeVar, cast

from oneact.protocol.action import Rule

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from oneact.protocol.canonical import Json

F = TypeVar("F", bound="Callable[..., Any]")


class Terms(TypedDict, total=False):
    """The functions that state an action's terms, and tell whether terms stated earlier still stand."""

    terms: Callable[..., Any] | None
    terms_hold: Callable[..., Any] | None


class Words(TypedDict):
    """What has to be said of every action."""

    intent: str
    summary: str


class Options(Words, Terms, total=False):
    """What is said of an action, whatever describes its parameters; `deadline` is in seconds, 30 where none is said."""

    terms_schema: Mapping[str, Json] | None
    display: Mapping[str, str | tuple[str, str]] | None
    reversible: bool
    rule: Rule | None
    deadline: int
    spends: bool


class HandlerOptions(Options, total=False):
    """What is said of an action whose handler's arguments are its parameters, files too, of 1 MiB each."""

    max_file_octets: int


class Published(TypedDict):
    """What `actions.describe` takes of that."""

    intent: str
    summary: str
    display: Mapping[str, str | tuple[str, str]] | None
    reversible: bool
    rule: Rule


def published(said: Options) -> Published:
    """Give what is published of an action beside its schemas and its route."""
    return {
        "intent": said["intent"],
        "summary": said["summary"],
        "display": said.get("display"),
        "reversible": said.get("reversible", False),
        "rule": said.get("rule") or Rule(),
    }


def takes(options: Any) -> Callable[[F], F]:  # noqa: ANN401 - a class of the above, which to mypy is no type
    """Have a function whose last argument is `**said: Unpack[options]` take just these, as if they were written out.

    Without it a call would accept every keyword. The function raises TypeError for one that is no option and for one
    that is missing (PEP 692 leaves both to the type checker); its signature names them all.
    """

    def decorate(function: F) -> F:
        own = inspect.signature(function)
        *first, _ = own.parameters.values()
        named = [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                default=inspect.Parameter.empty if name in options.__required_keys__ else ...,
                annotation=hint.__forward_arg__,
            )
            for name, hint in options.__annotations__.items()
        ]
        signature = own.replace(parameters=[*first, *named])

        @functools.wraps(function)
        def taking(*args: Any, **said: Any) -> Any:  # noqa: ANN401 - the function's own
            signature.bind(*args, **said)
            return function(*args, **said)

        taking.__signature__ = signature  # type: ignore[attr-defined]  # functions have one
        return cast("F", taking)

    return decorate
