"""Every test asserts something, by itself or by a function of the tests that does."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.house import asserting
from tests.house.asserting import ROOT

NAMES = sorted(str(path.relative_to(ROOT)) for path in ROOT.joinpath("tests").rglob("test_*.py"))
SAMPLE = """
import contextlib
import pytest
from playwright.sync_api import expect
from tests.protocol.refusing import expect_refusal, _told as told


def seen(value):
    assert value


def looks_on(value):
    seen(value)


def goes_round(value):
    goes_round(value)


def test_by_itself(): assert 1 + 1 == 2
def test_by_a_function(): looks_on(1)
def test_by_one_of_another_file():
    with expect_refusal(1): ...
def test_by_pytest():
    with pytest.raises(ValueError): ...
def test_by_the_browser(): expect(1).to_be_visible()
def test_by_an_error(): raise AssertionError("it did not come")
def test_by_outcomes(pytester): pytester.run().assert_outcomes(passed=1)
def test_nothing(): goes_round(1)
def test_a_constant(): assert True
def test_what_another_file_does_not_have(): told(1)
def test_an_expectation_of_nothing(): expect(1)
def test_another_error(): raise ValueError
"""


@pytest.mark.parametrize("name", NAMES)
def test_every_test_asserts_something(name: str) -> None:
    path = ROOT / name
    silent = [found.name for found in asserting.tests(path) if not asserting.asserts(path, found)]
    assert silent == []


def test_what_asserts_is_told_from_what_does_not(tmp_path: Path) -> None:
    path = tmp_path / "test_sample.py"
    path.write_text(SAMPLE)
    found = {test.name: asserting.asserts(path, test) for test in asserting.tests(path)}
    assert {name for name, asserts in found.items() if not asserts} == {
        "test_nothing", "test_a_constant", "test_what_another_file_does_not_have", "test_an_expectation_of_nothing",
        "test_another_error",
    }  # fmt: skip
    assert len(found) == 12
