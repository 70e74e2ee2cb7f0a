"""The files of a FastAPI handler: which arguments they are, and what the handler is given of an approved one."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Final

from fastapi import UploadFile, params
from fastapi.datastructures import Headers

from oneact.service.typed import handler as typed
from oneact.service.typed.files import FileInAct
from oneact.service.typed.handler import Said

if TYPE_CHECKING:
    import inspect
    from collections.abc import Mapping

_WHOLE: Final = (bytes, bytes | None)  # only with `File()`: a text of octets is no file
_UPLOADS: Final = (UploadFile, UploadFile | None)


def is_file(plain: Any, mark: Any) -> bool:  # noqa: ANN401 - parts of a signature
    """Tell whether an argument is one file."""
    marked = isinstance(mark, params.File)
    return (plain in _WHOLE and marked) or (plain in _UPLOADS and (marked or mark is None))


def said(found: inspect.Parameter, mark: Any) -> Said:  # noqa: ANN401 - a mark of FastAPI's
    """Read what is said of a file; raises ValueError for a default, which could not be shown."""
    default = found.default
    if mark is not None and default is mark:
        default = typed.EMPTY if mark.is_required() else mark.get_default(call_default_factory=True)
    if default is not typed.EMPTY and default is not None:
        raise ValueError(f"{found.name} is a file, and has no default but None")
    return Said("file", (mark and mark.alias) or found.name, default)


def given(arguments: dict[str, Any], plain: Mapping[str, Any], contents: Mapping[str, bytes]) -> dict[str, Any]:
    """Give a handler's arguments with each file's content in place of what the act says of it.

    `plain` is the annotation of each argument that is a file. A content is found by the approved digest alone: there
    is no other way to the handler.
    """
    return {
        name: _given(value, plain[name], contents) if isinstance(value, FileInAct) and name in plain else value
        for name, value in arguments.items()
    }


def _given(file: FileInAct, plain: Any, contents: Mapping[str, bytes]) -> Any:  # noqa: ANN401 - as it is annotated
    content = contents[file.digest]
    if plain in _WHOLE:
        return content
    headers = Headers({"content-type": file.type})
    return UploadFile(io.BytesIO(content), size=file.size, filename=file.name, headers=headers)
