"""A file among a handler's parameters: what of it stands in the act, and that its content came with the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service.multipart import MAX_NAME, MAX_TYPE, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

_MEMBERS: Final = {"name": "name", "type": "type", "size": "octets", "digest": "SHA-256"}


class FileInAct(BaseModel):
    """A file as an act has it (specification, section 4.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    type: Annotated[str, Field(min_length=1, max_length=MAX_TYPE)]
    size: Annotated[int, Field(ge=0, le=canonical.MAX_INTEGER)]


def carried(
    files: Collection[str], normalise: Callable[[dict[str, Any]], dict[str, Any]]
) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """Give a normaliser that refuses `media_type` for a file whose content did not come with the request."""

    def described(given: dict[str, Any]) -> dict[str, Any]:
        without = [name for name in files if name in given and not isinstance(given[name], Upload)]
        if without:
            raise Refusal(Reason.MEDIA_TYPE, f"{without} without content", without[0])
        return normalise({name: v.described() if isinstance(v, Upload) else v for name, v in given.items()})

    return described


def contents(given: Mapping[str, Any]) -> dict[str, bytes]:
    """Give the contents that came with a request, by digest: what else could be run has another one."""
    return {value.digest: value.content for value in given.values() if isinstance(value, Upload)}


def display(files: Collection[str], said: Mapping[str, str | tuple[str, str]]) -> dict[str, str | tuple[str, str]]:
    """Give each of a file's four values a line of its own, under the label of the file."""
    shown = {name: label for name, label in said.items() if name not in files}
    for name in files:
        label = said.get(name, name.replace("_", " ").strip().capitalize() or name)
        text = label if isinstance(label, str) else label[0]
        shown |= {f"{name}.{member}": f"{text}: {told}" for member, told in _MEMBERS.items()}
    return shown
