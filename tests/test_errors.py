"""The table of refusals is closed, consistent, and lets nothing unverified out."""

import pytest

from oneact.errors import Reason, Refusal

_ERROR_OF_CHECK = {
    1: {"invalid_token"},
    2: {"invalid_token"},
    3: {"invalid_token"},
    4: {"invalid_token"},
    5: {"invalid_dpop_proof", "use_dpop_nonce"},
    6: {"insufficient_authorization"},
    7: {"insufficient_authorization"},
    8: {"insufficient_authorization"},
    9: {"insufficient_authorization"},
    10: {"insufficient_authorization"},
}


@pytest.mark.parametrize("reason", Reason)
def test_a_reason_is_its_own_name_on_the_wire_and_says_one_sentence(reason: Reason) -> None:
    assert reason.value == reason.name.lower()
    assert reason.says.endswith(".")
    assert reason.says.isascii()
    assert 400 <= reason.status <= 503
    assert 0 <= reason.check <= 12


def test_no_two_rows_share_a_reason() -> None:
    assert len({reason.value for reason in Reason}) == len(list(Reason)) == len(Reason.__members__)


@pytest.mark.parametrize("reason", [reason for reason in Reason if 1 <= reason.check <= 10])
def test_a_numbered_check_answers_with_the_code_of_its_number_and_401(reason: Reason) -> None:
    assert reason.error in _ERROR_OF_CHECK[reason.check]
    assert reason.status == 401


def test_every_check_from_1_to_11_has_a_reason() -> None:
    assert {reason.check for reason in Reason} >= set(range(1, 12))


def test_only_a_missing_nonce_asks_for_a_nonce() -> None:
    assert [reason for reason in Reason if reason.error == "use_dpop_nonce"] == [Reason.PROOF_NONCE]


def test_what_cannot_be_decided_is_unavailable() -> None:
    assert (Reason.STORE_UNAVAILABLE.error, Reason.STORE_UNAVAILABLE.status) == ("temporarily_unavailable", 503)


def test_a_refusal_keeps_its_detail_out_of_the_body() -> None:
    refusal = Refusal(Reason.ACT_MISMATCH, "what the caller sent")
    assert refusal.reason is Reason.ACT_MISMATCH
    assert refusal.detail == "what the caller sent"
    assert str(refusal) == "act_mismatch: what the caller sent"
    assert refusal.body() == {
        "error": "insufficient_authorization",
        "reason": "act_mismatch",
        "error_description": Reason.ACT_MISMATCH.says,
        "check": 6,
    }


def test_a_refusal_outside_the_checks_names_no_check_and_may_have_no_detail() -> None:
    refusal = Refusal(Reason.JSON_NUMBER)
    assert str(refusal) == "json_number"
    assert refusal.body().keys() == {"error", "reason", "error_description"}


def test_a_refusal_may_name_the_parameter_at_fault() -> None:
    assert Refusal(Reason.PARAMETERS_INVALID, "bags: another type", "bags").body()["field"] == "bags"
