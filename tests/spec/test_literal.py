"""The specification's literal run is true: every digest and signature in it holds, and the text has these values."""

from __future__ import annotations

import json
from typing import Any

import pytest

from oneact.protocol import act, action, approval, base64url, canonical, display, jwk, receipt, roster
from oneact.service import checks
from tests.spec.literal import AIR, APPROVE, BODY, DOCUMENT, PARAMETERS, ROOT, SALT, STATED, T
from tests.spec.telling import markdown

MADE: dict[str, Any] = json.loads((ROOT / "spec" / "literal.json").read_text())
TEXT = (ROOT / "spec" / "oneact.md").read_text()


def keys(name: str) -> dict[str, jwk.PublicKey]:
    return jwk.parse_set({"keys": [MADE["keys"][name]]})


def test_the_specification_tells_this_run() -> None:
    told = TEXT.partition("<!-- literal run -->\n")[2].partition("<!-- end of literal run -->")[0]
    assert told == markdown(MADE)


def test_every_digest_of_the_run_can_be_computed_from_its_parts() -> None:
    described = action.parse(MADE["action"])
    booked = act.build(AIR, described.name, described.digest, MADE["parameters"], MADE["terms"])
    lines = display.render(described, MADE["parameters"], MADE["terms"])
    assert (MADE["action"], MADE["parameters"], MADE["terms"]) == (DOCUMENT, PARAMETERS, STATED)
    assert described.digest == MADE["action digest"]
    assert booked.digest == MADE["act digest"]
    assert [list(line) for line in lines] == MADE["lines"]
    assert display.digest(lines) == MADE["display digest"]
    item = approval.item_hash(AIR, MADE["roster"]["sub"], MADE["txn"], booked.digest, display.digest(lines))
    assert MADE["statement"]["acts"] == [item] == [MADE["item"]]
    signed = approval.challenge(approval.APPROVAL, MADE["statement"])
    assert base64url.encode(signed) == MADE["challenge"]


def test_the_services_checks_pass_on_the_run() -> None:
    presented = checks.Presented(
        (f"DPoP {MADE['token']}",), (MADE["proof to service"],), "POST", AIR + "/bookings",
        action.parse(MADE["action"]), MADE["parameters"],
    )  # fmt: skip
    trust = checks.Trust(AIR, (bytes.fromhex(MADE["keys"]["txn key (hex)"]),), {APPROVE: keys("approval server")})
    held = checks.check_presented(presented, trust, T + 43)
    account = checks.Account("ada", (checks.Approver("ada", roster.parse(MADE["roster"])),))
    assert checks.check_approved(held, trust, account, T + 43).persons == ("ada",)


def test_the_receipt_of_the_run_covers_its_answer() -> None:
    found = receipt.check(MADE["receipt"], keys("service"))
    assert found.act_digest == MADE["act digest"]
    assert found.result_digest == receipt.result_digest(SALT, BODY.encode())
    assert canonical.parse(BODY.encode()) == canonical.parse(MADE["body"].encode())


@pytest.mark.parametrize(
    "name", ["offer", "token", "client assertion", "proof to server", "proof to service", "receipt"]
)
def test_what_is_sent_stands_in_the_text(name: str) -> None:
    assert MADE[name] in TEXT


def test_the_response_that_a_spend_keeps_is_the_one_of_the_run() -> None:
    assert f'"body_base64url": "{base64url.encode(BODY.encode())}"' in TEXT
    assert f'"salt": "{MADE["salt"]}"' in TEXT
