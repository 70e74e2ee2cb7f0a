"""Checkpoints: the log's signed word on its size and root, as C2SP's signed notes and tlog-checkpoint have it."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from oneact.errors import Reason, Refusal
from oneact.log.tree import HASH_OCTETS

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

MAX_OCTETS: Final = 16 * 1024
_ED25519: Final = b"\x01"
_NAME: Final = re.compile(r"[^\s+\x00-\x20\u2014]{1,255}")
_SIZE: Final = re.compile(r"0|[1-9][0-9]{0,18}")
_SIGNATURE: Final = re.compile(r"\u2014 ([^\s+]+) ([A-Za-z0-9+/]+={0,2})")
_LINES: Final = 3
_ID_OCTETS: Final = 4


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its origin, its size in leaves, its root of 32 octets."""

    origin: str
    size: int
    root: bytes

    def text(self) -> str:
        """Give the note's text."""
        return f"{self.origin}\n{self.size:d}\n{base64.b64encode(self.root).decode('ascii')}\n"


@dataclass(frozen=True, slots=True)
class Verifier:
    """A log's name and public key, written as the line that C2SP calls a verifier key."""

    name: str
    key: Ed25519PublicKey

    @property
    def id(self) -> bytes:
        """Give the key ID, 4 octets."""
        hashed = self.name.encode() + b"\n" + _ED25519 + self._raw()
        return hashlib.sha256(hashed).digest()[:_ID_OCTETS]

    def line(self) -> str:
        """Give the verifier key as one line."""
        return f"{self.name}+{self.id.hex()}+{base64.b64encode(_ED25519 + self._raw()).decode('ascii')}"

    def _raw(self) -> bytes:
        return self.key.public_bytes(Encoding.Raw, PublicFormat.Raw)


def parse_verifier(line: str) -> Verifier:
    """Read a verifier key; refuses `log_malformed` for another algorithm, or an ID that is not the key's own."""
    parts = line.strip().split("+", 2)
    if len(parts) != _LINES or not _NAME.fullmatch(parts[0]):
        raise Refusal(Reason.LOG_MALFORMED, "a verifier key is name+id+key")
    octets = _decoded(parts[2])
    try:
        found = Verifier(parts[0], Ed25519PublicKey.from_public_bytes(octets[1:]))
    except ValueError as error:
        raise Refusal(Reason.LOG_MALFORMED, "a verifier key is not 32 octets") from error
    if octets[:1] != _ED25519 or found.line() != line.strip():
        raise Refusal(Reason.LOG_MALFORMED, "a verifier key is not of Ed25519, or not in its one form")
    return found


def sign(checkpoint: Checkpoint, *keys: Ed25519PrivateKey) -> str:
    """Give the checkpoint as a note signed by each of the log's keys, whose name is the origin.

    Several keys sign while one follows another, so that who knows either of them can verify.
    """
    text = checkpoint.text()
    return f"{text}\n" + "".join([_signature(checkpoint.origin, key, text) for key in keys])


def parse(note: str) -> Checkpoint:
    """Read a checkpoint without believing it; refuses `log_malformed`."""
    return _text(_parted(note)[0])


def check(note: str, verifier: Verifier) -> Checkpoint:
    """Give the checkpoint of a note that this log signed; signatures of unknown keys are passed over.

    Refuses `log_malformed`, `log_signature` where no signature of that key is there or one does not verify, and
    `log_origin` where the log speaks under another name.
    """
    text, signatures = _parted(note)
    found = _text(text)
    if found.origin != verifier.name:
        raise Refusal(Reason.LOG_ORIGIN, f"origin {found.origin!r}")
    own = [octets[_ID_OCTETS:] for name, octets in signatures if (name, octets[:_ID_OCTETS]) == _named(verifier)]
    if not own:
        raise Refusal(Reason.LOG_SIGNATURE, "no signature of the log's key")
    for signature in own:
        try:
            verifier.key.verify(signature, text.encode())
        except InvalidSignature as error:
            raise Refusal(Reason.LOG_SIGNATURE, "a signature of the log's key does not verify") from error
    return found


def _signature(name: str, key: Ed25519PrivateKey, text: str) -> str:
    octets = Verifier(name, key.public_key()).id + key.sign(text.encode())
    return f"\u2014 {name} {base64.b64encode(octets).decode('ascii')}\n"


def _named(verifier: Verifier) -> tuple[str, bytes]:
    return verifier.name, verifier.id


def _parted(note: str) -> tuple[str, list[tuple[str, bytes]]]:
    """Part a note into its text, with the last newline, and its signatures."""
    text, gap, tail = note.rpartition("\n\n")
    if not gap or not tail.endswith("\n") or len(note) > MAX_OCTETS or re.search(r"[\x00-\x09\x0b-\x1f]", note):
        raise Refusal(Reason.LOG_MALFORMED, "not a signed note")
    found = []
    for line in tail[:-1].split("\n"):
        match = _SIGNATURE.fullmatch(line)
        if match is None:
            raise Refusal(Reason.LOG_MALFORMED, "a signature line is not in its form")
        found.append((match[1], _decoded(match[2])))
    return text + "\n", found


def _text(text: str) -> Checkpoint:
    lines = text[:-1].split("\n")
    if len(lines) < _LINES or not all(lines) or not _SIZE.fullmatch(lines[1]):
        raise Refusal(Reason.LOG_MALFORMED, "not the three lines of a checkpoint")
    found = Checkpoint(lines[0], int(lines[1]), _decoded(lines[2]))
    if len(found.root) != HASH_OCTETS:
        raise Refusal(Reason.LOG_MALFORMED, "a root is not 32 octets")
    return found


def _decoded(text: str) -> bytes:
    try:
        octets = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Refusal(Reason.LOG_MALFORMED, "not base64") from error
    if base64.b64encode(octets).decode("ascii") != text:
        raise Refusal(Reason.LOG_MALFORMED, "base64 is not in its one form")
    return octets
