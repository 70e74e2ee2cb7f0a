"""What a guarded handler and its dependencies read of a request beside the act: it is neither shown nor signed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from fastapi.dependencies.models import Dependant

WHOLE: Final = "request"  # a dependency that is given the request itself can read anything of it


def unsigned(dependant: Dependant) -> Iterator[str]:
    """Give the headers and cookies that a dependency or one of its own reads, and `request` for the whole request."""
    yield from (str(field.alias) for field in (*dependant.header_params, *dependant.cookie_params))
    if dependant.request_param_name or dependant.http_connection_param_name:
        yield WHOLE
    for inner in dependant.dependencies:
        yield from unsigned(inner)


def check(action: str, found: Collection[str], named: Collection[str]) -> None:
    """Raise ValueError unless what is read is exactly what the owner names: more would run unshown, less is stale."""
    unnamed, stale = sorted(set(found) - set(named)), sorted(set(named) - set(found))
    if unnamed:
        raise ValueError(
            f"action {action}: {', '.join(unnamed)} is read by the handler or a dependency, without being shown or "
            "signed: an agent may send anything there after the approval. Name it in reads= only if it changes nothing "
            "about what is done, for whom, or with what"
        )
    if stale:
        raise ValueError(f"action {action}: nothing reads {', '.join(stale)}, which reads= names")
