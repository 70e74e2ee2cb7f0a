"""A file among a handler's parameters: what of it stands in the act, and that its content came with the request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final

from pydantic import BaseModel, ConfigDict, Field

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical
from oneact.service.multipart import MAX_NAME, MAX_TYPE, Upload

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping

    from oneact.service.typed.handler import Said

    Given = Callable[[dict[str, Any]], dict[str, Any]]
    Made = Callable[[Upload], Any]

_MEMBERS: Final = {"name": "name", "type": "type", "size": "octets", "digest": "SHA-256"}


class FileInAct(BaseModel):
    """A file as an act has it (specification, section 4.2)."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    digest: Annotated[str, Field(pattern="^[A-Za-z0-9_-]{43}$")]
    name: Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
    type: Annotated[str, Field(min_length=1, max_length=MAX_TYPE)]
    size: Annotated[int, Field(ge=0, le=canonical.MAX_INTEGER)]


def is_one(plain: Any, upload: type, *, marked: bool, bare: bool) -> bool:  # noqa: ANN401 - part of a signature
    """Tell whether an argument is one file: octets where they are `marked` so, or what a framework calls an upload.

    `bare` tells that the argument has no mark at all.
    """
    if plain in (bytes, bytes | None):
        return marked
    return plain in (upload, upload | None) and (marked or bare)


def check_default(said: Said) -> Said:
    """Raise ValueError for a default of a file, which could not be shown."""
    if not said.is_required and said.default is not None:
        raise ValueError(f"{said.name} is a file, and has no default but None")
    return said


def carried(files: Collection[str], normalise: Given, made: Made) -> Given:
    """Give a normaliser that refuses `media_type` for a file whose content did not come with the request.

    Each file is `made` for the handler once before it is asked for, so that none is approved that could not be given.
    """

    def described(given: dict[str, Any]) -> dict[str, Any]:
        without = [name for name in files if name in given and not isinstance(given[name], Upload)]
        if without:
            raise Refusal(Reason.MEDIA_TYPE, f"{without} without content", without[0])
        uploads = {name: value for name, value in given.items() if isinstance(value, Upload)}
        for name, upload in uploads.items():
            try:
                made(upload)
            except ValueError as error:
                raise Refusal(Reason.PARAMETERS_INVALID, f"{name}: {error}", name) from error
        return normalise({**given, **{name: upload.described() for name, upload in uploads.items()}})

    return described


def given(arguments: dict[str, Any], plain: Mapping[str, Any], contents: Mapping[str, bytes], made: Made) -> None:
    """Put each file itself in place of what the act says of it.

    `plain` is the annotation of each argument that is a file. A content is found by the approved digest alone: there
    is no other way to the handler.
    """
    for name, annotation in plain.items():
        file = arguments.get(name)
        if isinstance(file, FileInAct):
            content = contents[file.digest]
            whole = annotation in (bytes, bytes | None)
            arguments[name] = content if whole else made(Upload(file.name, file.type, content))


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
