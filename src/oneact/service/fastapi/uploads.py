"""The files of a FastAPI application: what a handler is given, and what a dependency has read of a form before it."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from fastapi import UploadFile
from fastapi.datastructures import Headers

from oneact.service.typed.parsed import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastapi.datastructures import FormData

    from oneact.service.multipart import Upload


def made(file: Upload) -> UploadFile:
    """Give a file as FastAPI has it."""
    headers = Headers({"content-type": file.type})
    return UploadFile(io.BytesIO(file.content), size=len(file.content), filename=file.name, headers=headers)


def fields(form: FormData) -> Iterator[tuple[str, str | Opened]]:
    """Give the fields and files of a form that has been read, in their order."""
    for name, value in form.multi_items():
        yield name, value if isinstance(value, str) else Opened(value.filename or "", value.content_type, value.file)
