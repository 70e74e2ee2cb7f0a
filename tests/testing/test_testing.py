from __future__ import annotations

import pytest

from oneact.errors import Reason, Refusal
from oneact.protocol import passkey
from oneact.testing import FrozenClock, InProcessApprover, SoftwarePasskey, TestAgent

pytest_plugins = ["pytester"]


@pytest.mark.parametrize("issuer", ["https://approve.example", "http://192.168.0.1", "https://localhost.evil.example"])
def test_the_in_process_approver_refuses_to_stand_anywhere_but_on_localhost(issuer: str) -> None:
    with pytest.raises(ValueError, match="localhost only"):
        InProcessApprover(issuer)


@pytest.mark.parametrize(
    ("rp_id", "origin"),
    [
        ("bank.example", "https://bank.example"),
        ("localhost", "https://bank.example"),
        ("bank.example", "http://localhost:8400"),
        ("localhost", ""),
        ("localhost", "https://localhost.evil.example"),
    ],
)
def test_a_software_passkey_refuses_to_stand_anywhere_but_on_localhost(rp_id: str, origin: str) -> None:
    with pytest.raises(ValueError, match="localhost only"):
        SoftwarePasskey(rp_id, origin)


def test_a_software_passkey_that_was_moved_elsewhere_signs_nothing() -> None:
    found = SoftwarePasskey("localhost", "http://localhost:8400")
    found.rp_id = "bank.example"
    for signing in (found.get, found.get_json, found.create_json):
        with pytest.raises(ValueError, match="localhost only"):
            signing(bytes(32))
    assert found.counter == 0


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_a_software_passkey_signs_what_the_protocol_verifies(alg: str) -> None:
    found = SoftwarePasskey("localhost", "http://localhost:8400", alg)
    challenge = bytes(32)
    assert passkey.verify(found.get(challenge), found.credential, challenge, "localhost", [found.origin]) == 1
    assert passkey.verify(found.get(challenge), found.credential, challenge, "localhost", [found.origin]) == 2


def test_user_verification_can_be_off_and_is_then_refused() -> None:
    found = SoftwarePasskey("localhost", "http://localhost:8400", user_verified=False)
    with pytest.raises(Refusal) as refused:
        passkey.verify(found.get(bytes(32)), found.credential, bytes(32), "localhost", [found.origin])
    assert refused.value.reason is Reason.ASSERTION_UV


def test_a_frozen_clock_moves_only_forward_and_only_when_told() -> None:
    clock = FrozenClock(100)
    assert (clock(), clock.advance(31), clock()) == (100, 131, 131)
    with pytest.raises(ValueError, match="forward"):
        clock.advance(-1)


def test_an_agents_headers_hold_token_and_proof() -> None:
    headers = TestAgent().headers("POST", "http://localhost/x", "abc", 100)
    assert headers["Authorization"] == "DPoP abc"
    assert headers["DPoP"].count(".") == 2


def test_the_fixtures_work_in_a_project_of_ones_own(pytester: pytest.Pytester) -> None:
    pytester.makeconftest('pytest_plugins = ["oneact.testing.fixtures"]')
    pytester.makepyfile(
        """
        def test_it(oneact_approver, oneact_agent, oneact_clock):
            roster = oneact_approver.roster("https://air.example")
            assert roster.credentials == (oneact_approver.passkey.credential,)
            assert oneact_agent.jkt and oneact_clock() == 1_800_000_000
        """
    )
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)
