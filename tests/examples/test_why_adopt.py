"""What docs/why-adopt.md says to who decides is what is there."""

import re
import subprocess

import pytest
import typer

from oneact.cli.commands import app
from oneact.errors import Reason
from tests.cli.test_documented import commands
from tests.spec.literal import ROOT

TEXT = (ROOT / "docs" / "why-adopt.md").read_text("utf-8")


def test_it_is_at_most_two_screens() -> None:
    assert len(TEXT.splitlines()) <= 90


@pytest.mark.parametrize("words", sorted(set(re.findall(r"\boneact ((?:log|service) [a-z]+|[a-z]+)\b", TEXT))))
def test_every_command_that_it_names_is_one(words: str) -> None:
    known = {name.removeprefix("oneact ") for name, _ in commands(typer.main.get_command(app))}
    assert words in known


def test_every_address_and_file_that_it_names_is_there() -> None:
    for name in re.findall(r"\b(?:scripts|bench|src|examples|tests)/[\w/.-]*\w", TEXT):
        assert (ROOT / name).exists(), name
    targets = re.findall(r"`make ([a-z-]+)", TEXT)
    assert targets
    assert all(f"\n{target}:" in (ROOT / "Makefile").read_text("utf-8") for target in targets)


def test_every_code_that_it_names_is_of_the_table() -> None:
    assert "`terms_changed`" in TEXT
    assert Reason.TERMS_CHANGED.check == 7
    assert (Reason.ACT_MISMATCH.check, Reason.ALREADY_SPENT.check) == (6, 11)


def test_the_code_to_review_is_as_much_as_it_says() -> None:
    found = re.search(r"some ([0-9,]+) lines.*`(find [^`]+)`", TEXT)
    assert found is not None
    counted = subprocess.run(
        ["sh", "-c", found[2].replace("\\|", "|")], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert abs(int(counted.stdout) / int(found[1].replace(",", "")) - 1) < 0.2


def test_the_guard_of_the_example_is_as_long_as_it_says() -> None:
    source = (ROOT / "examples" / "deploy" / "app.py").read_text("utf-8")
    guard = source.partition("    guard = ")[2].partition("\n    app = ")[0]
    terms, state = (source.partition(start)[2].partition("\n\n\n")[0] for start in ("class Terms", "def state"))
    stated = [line for part in (terms, state) for line in part.splitlines() if line]
    assert f"a guard ({len(guard.splitlines())} lines)" in TEXT
    assert f"a model and a function, {len(stated)})" in TEXT
