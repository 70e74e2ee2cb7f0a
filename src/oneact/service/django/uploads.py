"""The files of a Django site: what a handler is given, and what a check in front of it has read of a form."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

from django.core.exceptions import SuspiciousFileOperation
from django.core.files.uploadedfile import InMemoryUploadedFile, UploadedFile

from oneact.service.typed.parsed import Opened

if TYPE_CHECKING:
    from collections.abc import Iterator

    from django.http import HttpRequest

    from oneact.service.multipart import Upload


def made(file: Upload) -> UploadedFile:
    """Give a file as Django has it; raises ValueError for a name that Django would change, as one with a slash."""
    size = len(file.content)
    try:
        found = InMemoryUploadedFile(io.BytesIO(file.content), None, file.name, file.type, size, None)
    except SuspiciousFileOperation as error:
        raise ValueError(f"no name of a file: {file.name!r}") from error
    if found.name != file.name:
        raise ValueError(f"Django would name {file.name!r} {found.name!r}")
    return found


def fields(request: HttpRequest) -> Iterator[tuple[str, str | Opened]]:
    """Give the fields and files of a form that has been read, in whichever order."""
    for name, texts in request.POST.lists():
        for text in texts:
            yield name, str(text)
    for name, files in request.FILES.lists():
        for file in files:
            yield name, Opened(file.name or "", _type(file), file)


def _type(file: UploadedFile) -> str | None:
    """Give the media type as it was sent, of which Django has put the parameters aside."""
    extra = (file.content_type_extra or {}).items()
    said = {name: value.decode("latin-1") if isinstance(value, bytes) else str(value) for name, value in extra}
    return "; ".join([file.content_type or "", *(f"{name}={value}" for name, value in said.items())]) or None
