"""`oneact service rotate-key`: the file is replaced whole, and no key goes while something of it is under way."""

from __future__ import annotations

import json
import os
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from oneact import keyfile
from oneact.cli.commands import app
from oneact.errors import Reason, Refusal
from oneact.protocol import jwk, receipt
from oneact.service.rotation import OVERLAP
from tests.cli.test_flush import RESOURCE, Asleep


@pytest.fixture
def asleep(tmp_path: Path) -> Asleep:
    return Asleep(tmp_path)


def rotate(asleep: Asleep, *more: str) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["service", "rotate-key", "--key", str(asleep.key), *more])
    return answer.exit_code, answer.output


def kids(asleep: Asleep) -> list[str]:
    return [key.public.thumbprint for key in keyfile.load(asleep.key)]


def changed(asleep: Asleep, ago: float) -> None:
    os.utime(asleep.key, (time.time() - ago,) * 2)


def test_a_new_key_comes_first_and_the_old_one_stays_in_a_file_of_its_owner_alone(asleep: Asleep) -> None:
    [old] = kids(asleep)
    code, said = rotate(asleep)
    new, kept = kids(asleep)
    assert (code, kept) == (0, old)
    assert f"added {new}" in said
    assert f"kept {old}" in said
    assert asleep.key.stat().st_mode & 0o777 == 0o600
    assert [file.name for file in asleep.key.parent.iterdir()] == [asleep.key.name]
    assert '"d"' not in said


def test_no_third_key_comes_while_offers_of_the_second_may_be_alive(asleep: Asleep) -> None:
    assert rotate(asleep)[0] == 0
    changed(asleep, OVERLAP - 5)
    before = asleep.key.read_bytes()
    code, said = rotate(asleep)
    assert (code, "may still be alive" in said) == (1, True)
    assert asleep.key.read_bytes() == before
    changed(asleep, OVERLAP)
    assert rotate(asleep)[0] == 0
    assert len(kids(asleep)) == 3


def test_a_file_from_the_future_is_no_reason_to_hurry(asleep: Asleep) -> None:
    rotate(asleep)
    changed(asleep, -3600)
    assert rotate(asleep)[0] == 1


def test_a_key_is_retired_when_its_offers_are_over_and_its_public_half_is_told(asleep: Asleep) -> None:
    [old] = kids(asleep)
    rotate(asleep)
    assert rotate(asleep, "--retire", old)[0] == 1
    changed(asleep, OVERLAP)
    code, said = rotate(asleep, "--retire", old)
    assert code == 0
    assert old not in kids(asleep)
    assert len(kids(asleep)) == 1
    told = json.loads(next(line for line in said.splitlines() if line.startswith("{")))
    assert jwk.parse_set({"keys": [told]}).keys() == {old}
    assert "d" not in told
    assert "not checked: receipts" in said


@pytest.mark.parametrize("which", ["newest", "unknown"])
def test_the_newest_key_and_one_that_is_not_there_are_not_retired(asleep: Asleep, which: str) -> None:
    rotate(asleep)
    changed(asleep, OVERLAP)
    kid = kids(asleep)[0] if which == "newest" else "A" * 43
    assert rotate(asleep, "--retire", kid)[0] == 1
    assert len(kids(asleep)) == 2


def test_a_key_whose_receipts_have_not_arrived_is_not_retired(asleep: Asleep) -> None:
    [signing] = keyfile.load(asleep.key)
    old = signing.public.thumbprint
    claims = receipt.Receipt(RESOURCE, "http://localhost:2", "sub", "txn", "jti", "B" * 43, 1, "executed", None)
    asleep.spend("http://localhost:2", "txn", 1, receipt.sign(claims, signing))
    rotate(asleep)
    changed(asleep, OVERLAP)
    code, said = rotate(asleep, "--retire", old, "--store", str(asleep.file))
    assert (code, "1 receipts" in said) == (1, True)
    assert old in kids(asleep)


def test_receipts_of_another_key_and_what_is_none_keep_no_key(asleep: Asleep) -> None:
    [old] = kids(asleep)
    asleep.spend("http://localhost:2", "txn", 1, "no receipt")
    rotate(asleep)
    changed(asleep, OVERLAP)
    code, said = rotate(asleep, "--retire", old, "--store", str(asleep.file))
    assert (code, "not checked" in said) == (0, False)


def test_of_two_changes_at_once_the_second_waits(asleep: Asleep) -> None:
    before = kids(asleep)
    with keyfile.replacing(asleep.key):
        code, said = rotate(asleep)
        assert (code, "under way" in said) == (2, True)
    assert kids(asleep) == before
    assert rotate(asleep)[0] == 0


def test_a_change_that_fails_leaves_the_file_as_it_was(asleep: Asleep) -> None:
    before = asleep.key.read_bytes()
    with pytest.raises(RuntimeError), keyfile.replacing(asleep.key):
        raise RuntimeError
    assert asleep.key.read_bytes() == before
    assert rotate(asleep)[0] == 0


def test_a_link_to_the_file_stays_a_link(asleep: Asleep) -> None:
    real = asleep.key.with_name("real.jwk")
    asleep.key.rename(real)
    asleep.key.symlink_to(real)
    assert rotate(asleep)[0] == 0
    assert asleep.key.is_symlink()
    assert len(keyfile.load(real)) == 2


@pytest.mark.parametrize("spoilt", ["absent", "readable", "no key", "store"])
def test_what_cannot_be_read_is_told_and_nothing_is_made(asleep: Asleep, spoilt: str) -> None:
    more: tuple[str, ...] = ()
    if spoilt == "absent":
        asleep.key.unlink()
    elif spoilt == "readable":
        asleep.key.chmod(0o644)
    elif spoilt == "no key":
        asleep.key.write_text("{}")
    else:
        rotate(asleep)
        changed(asleep, OVERLAP)
        more = ("--retire", kids(asleep)[1], "--store", str(asleep.file))
    assert rotate(asleep, *more)[0] == 2
    assert asleep.key.exists() is (spoilt != "absent")
    assert not asleep.key.with_name(asleep.key.name + ".new").exists()
    if spoilt == "absent":
        with pytest.raises(Refusal) as refused:
            keyfile.load(asleep.key)
        assert refused.value.reason is Reason.KEY_MALFORMED
