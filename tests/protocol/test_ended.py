from dataclasses import replace
from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import ended
from oneact.protocol.ended import Ended
from tests.protocol.flight import ISSUER, RESOURCE
from tests.protocol.keys import OTHER, SERVER, header, signed
from tests.protocol.refusing import expect_refusal

_ENDED = Ended(ISSUER, "c-1", "p-1", RESOURCE, "t-1", "denied", 1_772_000_000, "Too dear.")
_KEYS = {SERVER.public.thumbprint: SERVER.public}


@pytest.mark.parametrize("status", ended.STATUSES)
@pytest.mark.parametrize("message", ["", "Too dear.", "x" * 300])
def test_an_end_is_read_back(status: str, message: str) -> None:
    found = replace(_ENDED, status=status, message=message)
    assert ended.check(ended.sign(found, SERVER), _KEYS) == found


@pytest.mark.parametrize("name", sorted(_ENDED.claims()))
@pytest.mark.parametrize("value", [None, {}, "", [], -1, "x" * 2049])
def test_an_end_outside_its_form_is_refused(name: str, value: Any) -> None:
    with expect_refusal(Reason.JWS_MALFORMED):
        ended.parse(signed(header(ended.TYP, SERVER), {**_ENDED.claims(), name: value}, SERVER))


def test_an_end_by_another_key_does_not_verify() -> None:
    with expect_refusal(Reason.KEY_MALFORMED):
        ended.check(ended.sign(_ENDED, OTHER), _KEYS)
    with expect_refusal(Reason.JWS_SIGNATURE):
        ended.check(signed(header(ended.TYP, SERVER), _ENDED.claims(), OTHER), _KEYS)
