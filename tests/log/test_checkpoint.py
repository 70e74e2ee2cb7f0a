from __future__ import annotations

import base64

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact.errors import Reason
from oneact.log import checkpoint
from oneact.log.checkpoint import Checkpoint, Verifier
from tests.protocol.refusing import expect_refusal

KEY, OTHER = Ed25519PrivateKey.from_private_bytes(b"k" * 32), Ed25519PrivateKey.from_private_bytes(b"o" * 32)
POINT = Checkpoint("log.example/one", 20852163, bytes(range(32)))
NOTE = checkpoint.sign(POINT, KEY)
VERIFIER = Verifier(POINT.origin, KEY.public_key())
# The example that stands in C2SP's signed-note: a note and the key that verifies it.
PUBLISHED_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
PUBLISHED = (
    "This is an example message.\n\n\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)


def test_a_checkpoint_is_read_back_from_its_note() -> None:
    assert NOTE.startswith(
        "log.example/one\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n\n\u2014 log.example/one "
    )
    assert checkpoint.check(NOTE, VERIFIER) == checkpoint.parse(NOTE) == POINT


def test_the_published_verifier_key_is_read_and_its_signature_verifies() -> None:
    found = checkpoint.parse_verifier(PUBLISHED_KEY)
    assert found.line() == PUBLISHED_KEY
    signature = base64.b64decode(PUBLISHED.rsplit(" ", maxsplit=1)[-1])
    assert signature[:4] == found.id == bytes.fromhex("530d903a")
    found.key.verify(signature[4:], b"This is an example message.\n")


def test_a_note_signed_by_another_key_is_refused() -> None:
    with expect_refusal(Reason.LOG_SIGNATURE):
        checkpoint.check(checkpoint.sign(POINT, OTHER), VERIFIER)


def test_a_signature_under_the_logs_own_id_has_to_verify() -> None:
    for changed in (NOTE.replace("20852163", "20852164"), NOTE.replace("AAEC", "AAED")):
        with expect_refusal(Reason.LOG_SIGNATURE):
            checkpoint.check(changed, VERIFIER)


def test_signatures_of_unknown_keys_are_passed_over() -> None:
    theirs = checkpoint.sign(POINT, OTHER).splitlines()[-1]
    assert checkpoint.check(NOTE + theirs + "\n", VERIFIER) == POINT


def test_another_origin_is_refused() -> None:
    with expect_refusal(Reason.LOG_ORIGIN):
        checkpoint.check(NOTE, Verifier("log.example/two", KEY.public_key()))


@pytest.mark.parametrize(
    "note",
    [
        "", "text\n", NOTE[:-1], NOTE.replace("\u2014", "-"), NOTE.replace("\n\n", "\n"), NOTE + "\n",
        NOTE.replace("20852163", "020852163"), NOTE.replace("20852163", "-1"), NOTE.replace("20852163", ""),
        NOTE.replace("Hh8=", "Hh9="), NOTE.replace("AAEC", "AAE"), NOTE.replace("log.example/one\n2", "\n2"),
        NOTE.replace("20852163", "2\t"), NOTE.replace("AAECAwQF", ""), "a\n1\n\n\u2014 a AAAA\n",
        NOTE + "\u2014 x AA\n",
        "x" * 20_000 + NOTE,
    ],
)  # fmt: skip
def test_what_is_no_checkpoint_is_refused(note: str) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        checkpoint.parse(note)


@pytest.mark.parametrize(
    "line",
    [
        "", "a+b", PUBLISHED_KEY.replace("530d903a", "530d903b"), PUBLISHED_KEY.replace("+Aek", "+Auk"),
        PUBLISHED_KEY[:-4], "+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k",
    ],
)  # fmt: skip
def test_what_is_no_verifier_key_is_refused(line: str) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        checkpoint.parse_verifier(line)


def test_extension_lines_are_signed_and_passed_over() -> None:
    text = POINT.text() + "more\n"
    signature = base64.b64encode(VERIFIER.id + KEY.sign(text.encode())).decode()
    assert checkpoint.check(f"{text}\n\u2014 {POINT.origin} {signature}\n", VERIFIER) == POINT


def test_several_keys_may_sign_one_checkpoint() -> None:
    note = checkpoint.sign(POINT, KEY, OTHER)
    for key in (KEY, OTHER):
        assert checkpoint.check(note, Verifier(POINT.origin, key.public_key())) == POINT
