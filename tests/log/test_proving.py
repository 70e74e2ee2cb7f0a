"""Evidence: what it proves, and that every step can fail while all the others pass."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from oneact.errors import Reason
from oneact.log import checkpoint, proving
from oneact.log.checkpoint import Checkpoint, Verifier
from oneact.log.entry import Entry, Kind
from oneact.log.evidence import Evidence
from oneact.log.proving import Expected
from oneact.protocol import base64url, canonical, offer, token
from oneact.protocol.roster import SignedRoster
from oneact.protocol.token import Approval
from oneact.testing import SoftwarePasskey, new_key
from tests.log.acts import LOG_KEY, ORIGIN, Story, members, read
from tests.log.test_checkpoint import OTHER
from tests.protocol.flight import one_act
from tests.protocol.refusing import expect_refusal

Bent = Callable[[Story], Evidence]
STORY = Story()


def failed(found: Evidence, expected: Expected | None = None) -> list[tuple[int, Reason | None]]:
    """Give the steps that fail, after the file has been written and read again."""
    return [
        (step.number, step.reason) for step in proving.check(read(members(found)), expected) if step.result == "failed"
    ]


def results(found: Evidence) -> dict[str, str]:
    return {step.name: step.result for step in proving.check(read(members(found)))}


def test_every_step_over_an_executed_act_passes() -> None:
    assert results(STORY.executed()) == {
        "offer": "passed", "display": "passed", "statement": "passed", "passkey": "passed", "token": "passed",
        "receipt": "passed", "end": "absent", "log": "passed", "story": "passed",
    }  # fmt: skip


def test_every_step_over_a_denied_act_passes() -> None:
    assert results(STORY.denied()) == {
        "offer": "passed", "display": "passed", "statement": "absent", "passkey": "absent", "token": "absent",
        "receipt": "absent", "end": "passed", "log": "passed", "story": "passed",
    }  # fmt: skip


def test_what_a_file_says_is_read_back_as_it_was_written() -> None:
    for found in (STORY.executed(), STORY.denied(), replace(STORY.executed(), vouched=None)):
        assert read(members(found)).members() == found.members()


def _another_offer(**changes: Any) -> Bent:
    def bent(story: Story) -> Evidence:
        stated = replace(offer.parse(story.offer)[0], **changes)
        return replace(story.executed(), offer=offer.sign(stated, story.service))

    return bent


def _shown_otherwise(story: Story) -> Evidence:
    """A dishonest server leaves out a line, and has the passkey sign what is left."""
    story.lines = story.lines[:-1]
    return _approved_anew(story, display=story.lines)


def _approved_anew(story: Story, *, display: Any = None, **changes: Any) -> Evidence:
    """Approve with a statement that is bent, signed by the person's own passkey."""
    statement = story.approval.statement
    if display is not None:
        from oneact.protocol import approval  # noqa: PLC0415 - only here
        from oneact.protocol.display import digest  # noqa: PLC0415 - only here

        item = approval.item_hash(story.resource, story.approver.sub, story.txn, story.act.digest, digest(display))
        changes["acts"] = (item,)
    statement = statement._replace(**changes)
    return _with_approval(story, Approval(statement, story.approver.passkey.get(statement.challenge())))


def _with_approval(story: Story, given: Approval) -> Evidence:
    story.approval = given
    made = token.parse(story.token)[0]._replace(approvals=token.approvals_members([given]))
    return _with_token(story, made)


def _with_token(story: Story, made: token.ActionToken) -> Evidence:
    story.token = token.sign(made, story.approver.key)
    story.receipt = story.make_receipt()
    return story.executed()


def _bent_token(**changes: Any) -> Bent:
    return lambda story: _with_token(story, token.parse(story.token)[0]._replace(**changes))


def _bent_statement(**changes: Any) -> Bent:
    return lambda story: _approved_anew(story, **changes)


def _bent_receipt(**changes: Any) -> Bent:
    def bent(story: Story) -> Evidence:
        story.receipt = story.make_receipt(**changes)
        return story.executed()

    return bent


def _foreign_passkey(story: Story) -> Evidence:
    other = SoftwarePasskey(story.approver.passkey.rp_id, story.approver.issuer)
    return _with_approval(story, story.approval._replace(webauthn=other.get(story.approval.statement.challenge())))


def _gesture_over_something_else(story: Story) -> Evidence:
    return _with_approval(story, story.approval._replace(webauthn=story.approver.passkey.get(b"c" * 32)))


def _roster_of_another_service(story: Story) -> Evidence:
    story.signed = story.approver.signed_roster("https://other.example")
    return story.executed()


def _roster_nobody_vouched_for(story: Story) -> Evidence:
    story.signed = SignedRoster(story.signed.roster, story.approver.passkey.get(b"c" * 32))
    return story.executed()


def _without(*kinds: Kind) -> Bent:
    def bent(story: Story) -> Evidence:
        told = [entry for entry in _told(story) if entry.kind not in kinds]
        return story.evidence(told)

    return bent


def _told(story: Story) -> list[Entry]:
    return story.told(Kind.SERVICE_LINKED, Kind.ASKED, Kind.SHOWN, Kind.APPROVED, Kind.TOKEN_ISSUED, Kind.RECEIPT)


def _telling(kind: Kind, **changes: Any) -> Bent:
    """The log says something else in its entry of this kind, and committed to that."""

    def bent(story: Story) -> Evidence:
        told = [
            replace(entry, content={**entry.content, **changes}) if entry.kind is kind else entry
            for entry in _told(story)
        ]
        return story.evidence(told)

    return bent


def _entry_of(**changes: Any) -> Bent:
    """One entry is another's."""
    return lambda story: story.evidence(
        [replace(entry, **changes) if entry.kind is Kind.SHOWN else entry for entry in _told(story)]
    )


def _logged(**changes: Any) -> Bent:
    def bent(story: Story) -> Evidence:
        found = story.executed()
        return replace(found, entries=(found.entries[0]._replace(**changes), *found.entries[1:]))

    return bent


def _unlogged(story: Story) -> Evidence:
    """An entry whose content was changed after the log had committed to it."""
    found = story.executed()
    changed = [
        logged._replace(entry=replace(logged.entry, at=1)) if logged.entry.kind is Kind.SHOWN else logged
        for logged in found.entries
    ]
    return replace(found, entries=tuple(changed))


def _forked(story: Story) -> Evidence:
    note = checkpoint.sign(Checkpoint(ORIGIN, 400, b"r" * 32), LOG_KEY)
    return replace(story.executed(), checkpoint=note)


def _signed_by_another_log(story: Story) -> Evidence:
    found = story.executed()
    return replace(found, checkpoint=checkpoint.sign(checkpoint.parse(found.checkpoint), OTHER))


BENT: dict[str, tuple[Bent, int, Reason]] = {
    "offer by another key": (
        lambda s: replace(s.executed(), offer=offer.sign(offer.parse(s.offer)[0], new_key())), 1, Reason.OFFER_KEY,
    ),
    "offer for another server": (_another_offer(aud="https://other.example"), 1, Reason.EVIDENCE_MISMATCH),
    "offer of another txn": (_another_offer(txn="t"), 1, Reason.EVIDENCE_MISMATCH),
    "offer of another act": (
        _another_offer(act=one_act(terms={"price": {"amount": "1", "currency": "USD"}})), 1, Reason.EVIDENCE_MISMATCH,
    ),
    "shown less than there is": (_shown_otherwise, 2, Reason.EVIDENCE_MISMATCH),
    "statement for another agent": (_bent_statement(client_id="another"), 3, Reason.EVIDENCE_MISMATCH),
    "statement for another key": (_bent_statement(jkt="J" * 43), 3, Reason.EVIDENCE_MISMATCH),
    "statement at another server": (_bent_statement(iss="http://other"), 3, Reason.EVIDENCE_MISMATCH),
    "statement over another act": (_bent_statement(acts=("I" * 43,)), 3, Reason.STATEMENT_ITEM),
    "statement that lives too long": (_bent_statement(exp=1_800_000_061), 3, Reason.STATEMENT_LIFETIME),
    "passkey not in the roster": (_foreign_passkey, 4, Reason.PASSKEY_NOT_PINNED),
    "gesture over something else": (_gesture_over_something_else, 4, Reason.ASSERTION_CHALLENGE),
    "roster of another service": (_roster_of_another_service, 4, Reason.EVIDENCE_MISMATCH),
    "roster nobody vouched for": (_roster_nobody_vouched_for, 4, Reason.ROSTER_SIGNATURE),
    "token by another key": (
        lambda s: replace(s.executed(), server_keys={"k": new_key().public}), 5, Reason.TOKEN_KEY,
    ),
    "token for another service": (_bent_token(aud="https://other.example"), 5, Reason.EVIDENCE_MISMATCH),
    "token for another agent": (_bent_token(client_id="another"), 5, Reason.EVIDENCE_MISMATCH),
    "token for another act": (
        _bent_token(details=one_act(parameters={"from": "LAX", "to": "NYC", "date": "2024-03-01"}).details()),
        5, Reason.EVIDENCE_MISMATCH,
    ),
    "token outside the statement's time": (_bent_token(exp=1_800_000_061), 5, Reason.STATEMENT_TIME),
    "token of another approval": (_bent_token(approvals=token.approvals_members(
        [Approval(STORY.approval.statement._replace(nonce="N" * 21 + "A"), STORY.approval.webauthn)]
    )), 5, Reason.EVIDENCE_MISMATCH),
    "receipt for another act": (_bent_receipt(act_digest="D" * 43), 6, Reason.EVIDENCE_MISMATCH),
    "receipt for another token": (_bent_receipt(jti="j"), 6, Reason.EVIDENCE_MISMATCH),
    "receipt of another service": (_bent_receipt(iss="https://other.example"), 6, Reason.EVIDENCE_MISMATCH),
    "checkpoint of another log": (_signed_by_another_log, 8, Reason.LOG_SIGNATURE),
    "checkpoint over another tree": (_forked, 8, Reason.LOG_INCLUSION),
    "entry in another place": (_logged(leaf=2), 8, Reason.LOG_INCLUSION),
    "entry with another salt": (_logged(salt=b"s" * 16), 8, Reason.LOG_INCLUSION),
    "entry changed afterwards": (_unlogged, 8, Reason.LOG_INCLUSION),
    "never asked": (_without(Kind.ASKED), 9, Reason.EVIDENCE_MISMATCH),
    "never shown": (_without(Kind.SHOWN), 9, Reason.EVIDENCE_MISMATCH),
    "approved, says the log, is nothing": (_without(Kind.APPROVED), 9, Reason.EVIDENCE_MISMATCH),
    "never linked": (_without(Kind.SERVICE_LINKED), 9, Reason.EVIDENCE_MISMATCH),
    "no token, says the log": (_without(Kind.TOKEN_ISSUED), 9, Reason.EVIDENCE_MISMATCH),
    "no receipt, says the log": (_without(Kind.RECEIPT), 9, Reason.EVIDENCE_MISMATCH),
    "asked by another agent": (_telling(Kind.ASKED, agent={"client_id": "x", "jkt": "x"}), 9, Reason.EVIDENCE_MISMATCH),
    "asked for another act": (_telling(Kind.ASKED, act_digest="x"), 9, Reason.EVIDENCE_MISMATCH),
    "shown otherwise, says the log": (_telling(Kind.SHOWN, display="x"), 9, Reason.EVIDENCE_MISMATCH),
    "entry of another request": (_entry_of(request="other"), 9, Reason.EVIDENCE_MISMATCH),
    "entry of another account": (_entry_of(account="other"), 9, Reason.EVIDENCE_MISMATCH),
}  # fmt: skip


@pytest.mark.parametrize("name", BENT)
def test_a_step_fails_by_its_name_while_all_others_pass(name: str) -> None:
    bent, number, reason = BENT[name]
    assert failed(bent(Story())) == [(number, reason)]


def test_a_roster_that_the_server_has_made_smaller_needs_nobody_to_vouch_for_it() -> None:
    story = Story()
    found = replace(story.executed(), vouched=None)
    assert failed(found) == []
    other = SoftwarePasskey(story.approver.passkey.rp_id, story.approver.issuer)
    later = replace(story.signed.roster, credentials=(other.credential,))
    assert failed(replace(found, roster=later)) == [(4, Reason.PASSKEY_NOT_PINNED), (9, Reason.EVIDENCE_MISMATCH)]
    assert failed(replace(found, roster=None)) == [(4, Reason.PASSKEY_NOT_PINNED)]


def test_a_roster_vouched_for_by_a_passkey_it_no_longer_names_is_taken_from_the_log() -> None:
    story = Story()
    gone = SoftwarePasskey(story.approver.passkey.rp_id, story.approver.issuer)
    story.signed = SignedRoster(story.signed.roster, gone.get(story.signed.roster.challenge()))
    assert failed(story.executed()) == []


def test_a_denial_that_is_another_requests_or_has_a_receipt_is_none() -> None:
    story = Story()
    found = story.denied()
    assert failed(replace(found, ended=story.make_end(txn="t")))[0] == (7, Reason.EVIDENCE_MISMATCH)
    assert failed(replace(found, server_keys={"k": new_key().public})) == [(7, Reason.KEY_MALFORMED)]
    assert failed(replace(found, receipt=story.receipt)) == [
        (6, Reason.EVIDENCE_MISMATCH), (7, Reason.EVIDENCE_MISMATCH), (9, Reason.EVIDENCE_MISMATCH),
    ]  # fmt: skip


def test_parameters_that_a_file_holds_by_their_digest_alone_show_nothing() -> None:
    found = STORY.executed()
    bare = found.act._replace(parameters=None)
    assert failed(replace(found, act=bare)) == [(2, Reason.EVIDENCE_MISMATCH)]


def _expected(**changes: Any) -> Expected:
    found = STORY.executed()
    credential = STORY.signed.roster.credentials[0]
    known = {
        "server": {STORY.approver.key.public.thumbprint},
        "service": {STORY.service.public.thumbprint},
        "log": {found.log_key.line()},
        "passkeys": {canonical.sha256(base64url.decode(credential.public_key))},
    }
    return Expected(**(known | changes))


@pytest.mark.parametrize(("name", "steps"), [("server", [5]), ("service", [1, 6]), ("log", [8]), ("passkeys", [4])])
def test_keys_that_are_expected_are_compared(name: str, steps: list[int]) -> None:
    found = STORY.executed()
    assert failed(found, _expected()) == []
    other = Verifier(ORIGIN, OTHER.public_key()).line() if name == "log" else "other"
    assert failed(found, _expected(**{name: {other}})) == [(step, Reason.EVIDENCE_KEY) for step in steps]


@pytest.mark.parametrize(
    "changes",
    [
        {"oneact_evidence": "2"}, {"more": 1}, {"agent": {}}, {"keys": {}}, {"lines": [["a", "b", "c"]]},
        {"lines": [["a", "b", "c", 1]]}, {"lines": 1}, {"lines": [[]] * 300}, {"entries": [{}]}, {"approvals": [1]},
        {"roster": {}}, {"offer": 1}, {"offer": ""}, {"act": {}}, {"checkpoint": ""},
    ],
)  # fmt: skip
def test_what_is_no_evidence_is_refused(changes: dict[str, Any]) -> None:
    with expect_refusal(Reason.EVIDENCE_MALFORMED):
        read({**members(STORY.executed()), **changes})


@pytest.mark.parametrize(
    "changes",
    [
        {"salt": base64url.encode(b"s" * 15)}, {"leaf": -1}, {"proof": ["x"]}, {"entry": {}},
        {"entry": {"kind": "no", "at": 1, "account": "", "request": "", "content": {}}},
        {"entry": {"kind": "asked", "at": 1, "account": 1, "request": "", "content": {}}},
        {"entry": {"kind": "asked", "at": 1, "account": "", "request": "", "content": 1}},
        {"entry": {"kind": ["asked"], "at": 1, "account": "", "request": "", "content": {}}},
    ],
)  # fmt: skip
def test_what_is_no_entry_is_refused(changes: dict[str, Any]) -> None:
    bent = members(STORY.executed())
    bent["entries"][0] |= changes
    with expect_refusal(Reason.EVIDENCE_MALFORMED):
        read(bent)
