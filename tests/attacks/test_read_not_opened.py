"""An agent reads what the person has not opened: another read, another service's, or one that says otherwise by now."""

import pytest

from tests.attacks.played import played


@pytest.mark.parametrize("name", ["a read that was not opened", "reads of another service"])
def test_a_session_is_for_its_own_reads_alone(name: str) -> None:
    assert played(name, "read") == "read_not_opened"


@pytest.mark.parametrize(
    "name", ["a read that the service says otherwise", "a read that has moved", "a read that is gone", "another digest"]
)
def test_a_session_ends_where_the_service_says_something_else_of_its_reads(name: str) -> None:
    assert played(name, "read") == "read_changed"


@pytest.mark.parametrize(
    "name",
    [
        "a statement over fewer reads",
        "a statement over reads that were shown otherwise",
        "a statement for another service",
        "a statement of another person",
    ],
)
def test_a_server_that_adds_reads_to_those_signed_is_not_believed(name: str) -> None:
    assert played(name, "read") == "statement_item"


@pytest.mark.parametrize("name", ["an unpinned passkey", "a passkey of another person"])
def test_the_stolen_signing_key_opens_nothing(name: str) -> None:
    assert played(name, "read") == "passkey_not_pinned"
