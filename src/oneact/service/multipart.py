"""A form with files, read strictly and written: what browsers write of RFC 7578, and nothing beside it."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Request

MULTIPART: Final = "multipart/form-data"
MAX_NAME: Final = 255  # characters of a file's name
MAX_TYPE: Final = 127  # characters of its media type
MAX_FILE: Final = 1024 * 1024  # octets of one file, where the owner says nothing else
MAX_FIELDS: Final = 64 * 1024  # octets of all fields of a form
MAX_WHOLE: Final = 16 * 1024 * 1024
_MAX_PARTS: Final = 200
_MAX_HEAD: Final = 4 * 1024
_BOUNDARY: Final = re.compile(
    r'multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1\s*', re.IGNORECASE
)
_DISPOSITION: Final = re.compile(
    r'form-data; ?name="([^"\x00-\x1f\x7f]*)"(?:; ?filename="([^"\x00-\x1f\x7f]*)")?', re.IGNORECASE
)
_TYPE: Final = re.compile(r"[ -~]+/[ -~]+")
_ESCAPED: Final = {ord('"'): "%22", ord("\r"): "%0D", ord("\n"): "%0A"}  # as the HTML standard has it in names
_PLAIN: Final = re.compile(r'text/plain(\s*;\s*charset="?utf-?8"?)?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Upload:
    """A file as it was received: its name and media type as they were sent, and its content."""

    name: str
    type: str
    content: bytes

    @property
    def digest(self) -> str:
        """Give the SHA-256 of the content."""
        return canonical.sha256(self.content)

    def described(self) -> dict[str, Json]:
        """Give what stands in the act (specification, section 4.2)."""
        return {"digest": self.digest, "name": self.name, "type": self.type, "size": len(self.content)}


@dataclass(frozen=True, slots=True)
class Room:
    """How many octets a body may have: those of `files` files of at most `each`, and of the fields beside these."""

    files: int = 0
    each: int = MAX_FILE

    def __post_init__(self) -> None:
        """Raise ValueError for files of nothing, or for more than a service takes at once."""
        if self.each < 1 or self.held > MAX_WHOLE:
            raise ValueError(f"{self.files} files of at most {self.each} octets cannot be taken")

    @property
    def held(self) -> int:
        """Give the largest form that can be held."""
        return MAX_FIELDS + self.files * self.each

    @property
    def read(self) -> int:
        """Give the largest body that is read; without files it is that of any request."""
        return self.held if self.files else canonical.MAX_OCTETS


NO_FILES: Final = Room()


class Part(NamedTuple):
    """One part of a form: a file where it has a file's name, else a text; `type` is None where none is said."""

    name: str
    file: str | None
    type: str | None
    content: bytes


def written(parts: Iterable[Part]) -> tuple[str, bytes]:
    """Give the content type and the body of a form of these parts, as a browser would write them.

    Refuses `request_malformed` for a part that no browser would write.
    """
    boundary = secrets.token_urlsafe(32)  # nobody who wrote a part has known it
    body = b"".join(_head(boundary, part) + part.content + b"\r\n" for part in parts)
    return f"{MULTIPART}; boundary={boundary}", body + f"--{boundary}--\r\n".encode()


def _head(boundary: str, part: Part) -> bytes:
    named = "" if part.file is None else f'; filename="{part.file.translate(_ESCAPED)}"'
    typed = "" if part.type is None else f"Content-Type: {part.type}\r\n"
    if not (part.type or "").isprintable():
        raise _malformed(f"a part of type {part.type!r}")
    name = part.name.translate(_ESCAPED)
    return f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{named}\r\n{typed}\r\n'.encode()


def fields(request: Request, each: int) -> tuple[dict[str, Json], dict[str, Upload]]:
    """Give the texts and the files of a form by name; a file input that was left empty is absent.

    Refuses `media_type`, `request_malformed`, `parameter_repeated`, or `request_too_large` for a file of more than
    `each` octets.
    """
    texts: dict[str, Json] = {}
    files: dict[str, Upload] = {}
    seen: set[str] = set()
    for octets in _parts(request):
        name, file, kind, content = _part(octets)
        if name in seen:
            raise Refusal(Reason.PARAMETER_REPEATED, repr(name))
        seen.add(name)
        if file is None:
            texts[name] = _text(name, kind, content)
        elif file or content:
            files[name] = _upload(name, file, kind, content, each)
    return texts, files


def _parts(request: Request) -> list[bytes]:
    """Take a body apart at its boundary, with nothing before the first part or after the last."""
    found = _BOUNDARY.fullmatch(request.value("content-type") or "")
    if found is None:
        raise Refusal(Reason.MEDIA_TYPE, repr(request.value("content-type")))
    delimiter = b"\r\n--" + found[2].encode("ascii")
    first, *parts = (b"\r\n" + request.body).split(delimiter, _MAX_PARTS + 1)
    if first or not parts or parts.pop() not in {b"--", b"--\r\n"}:
        raise _malformed("no whole form")
    if not all(part.startswith(b"\r\n") for part in parts):
        raise _malformed("a boundary within a part")
    return [part[2:] for part in parts]


def _part(octets: bytes) -> Part:
    """Read a part, whose head is its name, a file's name and a media type, and nothing else."""
    head, gap, content = octets.partition(b"\r\n\r\n")
    if not gap or len(head) > _MAX_HEAD:
        raise _malformed("a part without a head, or with too long a one")
    members: dict[str, str] = {}
    for line in _utf_8(head).split("\r\n"):
        name, colon, value = line.partition(":")
        if not colon or name.lower() in members:
            raise _malformed(f"the field {name!r} of a part")
        members[name.lower()] = value.strip(" \t")
    found = _DISPOSITION.fullmatch(members.pop("content-disposition", ""))
    kind = members.pop("content-type", None)
    if found is None or members:
        raise _malformed(f"a part of a form with {sorted(members)}")
    return Part(found[1], found[2], kind, content)


def _text(name: str, kind: str | None, content: bytes) -> str:
    if kind is not None and not _PLAIN.fullmatch(kind):
        raise Refusal(Reason.MEDIA_TYPE, f"{name!r} is {kind!r}", name)
    return _utf_8(content)


def _upload(name: str, file: str, kind: str | None, content: bytes, each: int) -> Upload:
    if len(content) > each:
        raise Refusal(Reason.REQUEST_TOO_LARGE, f"{name!r} has {len(content)} octets", name)
    written = "text/plain" if kind is None else kind  # RFC 7578, section 4.4
    if not file or len(file) > MAX_NAME:
        raise _malformed(f"a file name of {len(file)} characters")
    if len(written) > MAX_TYPE or not _TYPE.fullmatch(written) or written.lower().startswith("multipart/"):
        raise _malformed(f"a file of type {written[:MAX_TYPE]!r}")
    return Upload(file, written, content)


def _utf_8(octets: bytes) -> str:
    try:
        return octets.decode("utf-8")
    except UnicodeDecodeError as error:
        raise _malformed("a part is not UTF-8") from error


def _malformed(detail: str) -> Refusal:
    return Refusal(Reason.REQUEST_MALFORMED, detail)
