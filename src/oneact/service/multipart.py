"""Reading a form with files, strictly: what browsers write of RFC 7578, and nothing beside it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.service.exchange import Request

MULTIPART: Final = "multipart/form-data"
MAX_NAME: Final = 255  # characters of a file's name
MAX_TYPE: Final = 127  # characters of its media type
_MAX_PARTS: Final = 200
_MAX_HEAD: Final = 4 * 1024
_BOUNDARY: Final = re.compile(
    r'multipart/form-data\s*;\s*boundary=("?)([0-9A-Za-z\'()+_,./:=?-]{1,70})\1\s*', re.IGNORECASE
)
_DISPOSITION: Final = re.compile(
    r'form-data; ?name="([^"\x00-\x1f\x7f]*)"(?:; ?filename="([^"\x00-\x1f\x7f]*)")?', re.IGNORECASE
)
_TYPE: Final = re.compile(r"[ -~]+/[ -~]+")
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


def fields(request: Request, each: int) -> tuple[dict[str, Json], dict[str, Upload]]:
    """Give the texts and the files of a form by name; a file input that was left empty is absent.

    Refuses `media_type`, `request_malformed`, `parameter_repeated`, or `request_too_large` for a file of more than
    `each` octets.
    """
    texts: dict[str, Json] = {}
    files: dict[str, Upload] = {}
    seen: set[str] = set()
    for part in _parts(request):
        name, file, kind, content = _part(part)
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


def _part(part: bytes) -> tuple[str, str | None, str | None, bytes]:
    """Give name, file name, media type and content of a part."""
    head, gap, content = part.partition(b"\r\n\r\n")
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
    return found[1], found[2], kind, content


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
