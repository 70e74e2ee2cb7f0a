"""What every test of a refusal says."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from oneact.errors import Reason, Refusal


@contextmanager
def expect_refusal(reason: Reason) -> Iterator[None]:
    """Assert that the body refuses for exactly this reason."""
    with pytest.raises(Refusal) as caught:
        yield
    assert caught.value.reason is reason


@contextmanager
def expect_no_refusal() -> Iterator[None]:
    """Assert that the body refuses nothing."""
    try:
        yield
    except Refusal as refusal:
        raise AssertionError(f"refused: {refusal}") from refusal
