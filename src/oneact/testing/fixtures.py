"""Fixtures for pytest: put `pytest_plugins = ["oneact.testing.fixtures"]` into the top conftest.py."""

from __future__ import annotations

import pytest

from oneact.testing.approver import InProcessApprover, TestAgent
from oneact.testing.clock import FrozenClock


@pytest.fixture
def oneact_clock() -> FrozenClock:
    """Give a clock that stands still."""
    return FrozenClock()


@pytest.fixture
def oneact_agent() -> TestAgent:
    """Give an agent with a key of its own."""
    return TestAgent()


@pytest.fixture
def oneact_approver() -> InProcessApprover:
    """Give a person with a passkey, and the approval server that speaks for them, at http://localhost:8400."""
    return InProcessApprover()
