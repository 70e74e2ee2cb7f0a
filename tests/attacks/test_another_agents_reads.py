"""Someone else reads with an agent's read token, or has one made for their own key in the session of another."""

import pytest

from tests.attacks.played import played


def test_the_token_is_worth_nothing_without_its_agents_key() -> None:
    assert played("another agent's key", "read") == "proof_binding"


@pytest.mark.parametrize(
    ("name", "reason"),
    [("a statement to another key", "statement_key"), ("a statement to another agent", "statement_client")],
)
def test_a_session_is_for_the_agent_to_which_the_person_opened_it(name: str, reason: str) -> None:
    assert played(name, "read") == reason
