from __future__ import annotations

import time

import pytest
from typer.testing import CliRunner

from oneact.cli.advice import ADVICE
from oneact.cli.commands import app
from oneact.errors import Reason
from oneact.testing import InProcessApprover, TestAgent
from tests.spec.test_literal import MADE

runner = CliRunner()


def test_there_is_advice_for_every_code_and_for_nothing_else() -> None:
    assert set(ADVICE) == set(Reason)
    assert all(advice.strip() == advice and advice.endswith(".") for advice in ADVICE.values())


@pytest.mark.parametrize("reason", list(Reason))
def test_every_code_is_explained(reason: Reason) -> None:
    answer = runner.invoke(app, ["explain", reason.value])
    assert answer.exit_code == 0
    assert reason.says in answer.output
    assert "what to do" in answer.output


def test_a_code_of_a_check_says_what_had_passed_by_then() -> None:
    lines = runner.invoke(app, ["explain", "token_expired"]).output.splitlines()
    assert [line.split(",")[0] for line in lines if line.startswith(("passed", "failed"))] == [
        *(f"passed   check {number}" for number in (1, 2, 4, 5, 6)),
        "failed   check 3",
    ]
    first = runner.invoke(app, ["explain", "proof_missing"]).output
    assert ("passed" in first, "failed   check 1" in first) == (False, True)


@pytest.mark.parametrize("code", ["already_spent", "act_in_progress", "spent_by_another"])
def test_a_use_that_is_looked_up_early_claims_no_later_check(code: str) -> None:
    output = runner.invoke(app, ["explain", code]).output
    assert "failed   check 11" in output
    assert "passed   check 5" in output
    assert "passed   check 10" not in output


def test_a_service_that_could_not_decide_is_not_said_to_have_used_the_act() -> None:
    output = runner.invoke(app, ["explain", "store_unavailable"]).output
    assert "nothing was executed" in output
    assert "receipt" not in output
    assert "used" not in output
    assert "failed" not in output


@pytest.mark.parametrize(
    "around", ["{}", "Bearer {}", "DPoP {}", "dpop  {}", "Authorization: DPoP {}", '"{}"', "'DPoP {}'", ' "{}",\n']
)
def test_what_stands_around_a_pasted_token_is_left_out(around: str) -> None:
    answer = runner.invoke(app, ["explain", around.format(MADE["token"])])
    assert answer.exit_code == 0
    assert "an action token" in answer.output


@pytest.mark.parametrize(
    ("name", "says"), [("token", "an action token"), ("receipt", "a receipt"), ("offer", "an offer")]
)
def test_what_is_signed_is_explained_without_claiming_what_was_not_checked(name: str, says: str) -> None:
    answer = runner.invoke(app, ["explain", MADE[name]])
    assert answer.exit_code == 0
    assert says in answer.output
    assert "not checked: the signature" in answer.output
    assert "passed   signature" not in answer.output


def test_the_other_tokens_are_explained_as_what_they_are() -> None:
    person, agent = InProcessApprover(), TestAgent()
    reads = [{"read": "itineraries", "intent": "Search itineraries", "path": "/itineraries"}]
    asking = person.asking_token("https://air.example", agent, int(time.time()))
    reading = person.read_token("https://air.example", reads, agent, int(time.time()))
    for text, says in ((asking, "an asking token"), (reading, "reads    itineraries at https://air.example")):
        answer = runner.invoke(app, ["explain", f"DPoP {text}"])
        assert answer.exit_code == 0
        assert says in answer.output
        assert "leads to no act" in answer.output
        assert "not checked: the signature" in answer.output
    assert "token_expired" in runner.invoke(app, ["explain", person.asking_token("https://a.example", agent, 1)]).output


def test_rubbish_is_said_to_be_nothing_known() -> None:
    assert runner.invoke(app, ["explain", "rubbish"]).exit_code == 2
    assert runner.invoke(app, ["explain", "eyJ0eXAiOiJ4In0.e30.x"]).exit_code == 2
    broken = MADE["token"].split(".")
    answer = runner.invoke(app, ["explain", f"{broken[0]}.e30.{broken[2]}"])
    assert answer.exit_code == 5
    assert "failed" in answer.output
