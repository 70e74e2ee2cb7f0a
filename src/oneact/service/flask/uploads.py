"""The files of a Flask application: what a handler is given, and what a check in front of it has read of a form."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from werkzeug.datastructures import FileStorage

from oneact.service.typed.parsed import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from flask import Request

    from oneact.service.multipart import Upload


def made(file: Upload) -> FileStorage:
    """Give a file as Flask has it."""
    size = len(file.content)
    return FileStorage(io.BytesIO(file.content), file.name, content_type=file.type, content_length=size)


def fields(request: Request) -> Iterator[tuple[str, str | Opened]]:
    """Give the fields and files of a form that has been read, in whichever order."""
    yield from request.form.items(multi=True)
    for name, file in request.files.items(multi=True):
        yield name, Opened(file.filename or "", file.content_type, file.stream)
