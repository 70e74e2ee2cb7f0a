"""The journal as a pure form: one chain, in which nothing can be changed, taken out, put in or moved."""

import hashlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.protocol.refusing import expect_refusal

from oneact.errors import Reason
from oneact.protocol import base64url, canonical
from oneact.service import journal
from oneact.service.journal import Draft, JournalEntry, Kind
from oneact.service.store.contract import Holder, Link, Outcome, Spend, SpendKey
from oneact.testing import InProcessApprover

KEY = SpendKey("https://air.example", "https://approve.example", "txn")
SPEND = Spend(KEY, Holder("sub", "client", "jkt", "digest"), "jti", "alice", "do", 100, 130, token="a.b.c")
PERSON = InProcessApprover()
ROSTER, LATER = PERSON.roster(KEY.aud), PERSON.roster(KEY.aud, 2)
PROOF = PERSON.signed_roster(KEY.aud, 2).webauthn.members()
SALT = bytes(range(16))
DRAFTS = [
    journal.linked(Link("alice", ROSTER, 90), SALT),
    journal.spent(SPEND, SALT),
    journal.finished(KEY, Outcome("executed", "r", 101), SALT),
    journal.roster_pinned("alice", LATER, PROOF, 102, SALT),
    journal.unlinked("alice", LATER, 103, SALT),
]


def row(draft: Draft, seq: int = 1, before: str | None = None) -> tuple[Any, ...]:
    hashed = journal.hash_of(draft.kind, draft.at, draft.content_digest, seq, before)
    return seq, draft.at, draft.kind.value, draft.content, draft.content_digest, hashed


def chained(drafts: list[Draft]) -> list[JournalEntry]:
    entries: list[JournalEntry] = []
    for draft in drafts:
        before = entries[-1].hash if entries else None
        entries.append(journal.parse(row(draft, len(entries) + 1, before)))
    return entries


CHAIN = chained(DRAFTS)


def changed(name: str, value: Any, draft: Draft = DRAFTS[1]) -> tuple[Any, ...]:
    """A row whose content has one member of another kind, hashed as if it were right."""
    content = {**json.loads(draft.content), name: value}
    octets = canonical.encode({key: member for key, member in content.items() if member is not ...})
    return row(Draft(draft.kind, draft.at, octets.decode(), canonical.sha256(octets)))


def test_the_hash_is_that_of_its_definition() -> None:
    first, second = CHAIN[:2]
    assert first.content is not None
    digest = base64url.encode(hashlib.sha256(canonical.encode(first.content)).digest())
    assert first.content_digest == digest
    named = f'{{"at":90,"content_digest":"{digest}","kind":"linked","seq":1}}'.encode()
    octets = hashlib.sha256(b"oneact-journal-1\n" + bytes(32) + named).digest()
    assert first.hash == base64url.encode(octets)
    named = f'{{"at":100,"content_digest":"{second.content_digest}","kind":"spent","seq":2}}'.encode()
    octets = hashlib.sha256(b"oneact-journal-1\n" + octets + named).digest()
    assert second.hash == base64url.encode(octets)


def test_a_chain_is_whole_from_its_beginning_and_from_any_entry_on() -> None:
    assert [entry.kind for entry in CHAIN] == ["linked", "spent", "finished", "roster_pinned", "unlinked"]
    assert journal.check(CHAIN) == CHAIN[-1]
    assert journal.check(CHAIN[2:], CHAIN[1]) == CHAIN[-1]
    assert journal.check([]) is None


def test_an_entry_of_a_spend_holds_the_token_and_whose_it_was() -> None:
    assert CHAIN[1].content == {
        "aud": KEY.aud, "iss": KEY.iss, "txn": "txn", "jti": "jti", "sub": "sub", "client_id": "client", "jkt": "jkt",
        "act_digest": "digest", "account": "alice", "action": "do", "deadline_at": 130, "token": "a.b.c",
        "salt": base64url.encode(SALT),
    }  # fmt: skip


def test_an_erased_content_leaves_the_chain_whole() -> None:
    erased = [entry._replace(content=None) for entry in CHAIN]
    assert journal.check(erased) == erased[-1]
    seq, at, kind, _, digest, hashed = row(DRAFTS[1])
    assert journal.parse((seq, at, kind, None, digest, hashed)).content is None


def test_a_changed_content_is_refused() -> None:
    assert CHAIN[1].content is not None
    other = CHAIN[1]._replace(content={**CHAIN[1].content, "account": "mallory"})
    with expect_refusal(Reason.LOG_COMMITMENT):
        journal.check([CHAIN[0], other, *CHAIN[2:]])


@pytest.mark.parametrize(
    "change", [{"at": 1}, {"kind": Kind.FINISHED}, {"content": None, "content_digest": "A" * 43}, {"hash": "A" * 43}]
)
def test_any_other_change_is_refused(change: dict[str, Any]) -> None:
    with expect_refusal(Reason.LOG_CONSISTENCY):
        journal.check([CHAIN[0], CHAIN[1]._replace(**change), *CHAIN[2:]])


def test_a_change_with_its_hash_made_anew_is_refused_at_the_entry_after_it() -> None:
    other = journal.parse(row(DRAFTS[4], 2, CHAIN[0].hash))
    assert journal.check([CHAIN[0], other]) == other
    with expect_refusal(Reason.LOG_CONSISTENCY):
        journal.check([CHAIN[0], other, CHAIN[2]])


@given(st.permutations(range(len(CHAIN))), st.integers(1, len(CHAIN)))
def test_no_other_order_and_no_selection_is_a_chain(order: list[int], length: int) -> None:
    chosen = [CHAIN[index] for index in order[:length]]
    if chosen == CHAIN[:length]:
        assert journal.check(chosen) == CHAIN[length - 1]
        return
    with expect_refusal(Reason.LOG_CONSISTENCY):
        journal.check(chosen)


@pytest.mark.parametrize(
    "broken",
    [
        row(DRAFTS[1])[:5],
        ("1", *row(DRAFTS[1])[1:]),
        (0, *row(DRAFTS[1])[1:]),
        (1, -1, *row(DRAFTS[1])[2:]),
        (1, 100, "other", *row(DRAFTS[1])[3:]),
        (1, 100, 7, *row(DRAFTS[1])[3:]),
        (*row(DRAFTS[1])[:3], b"{}", *row(DRAFTS[1])[4:]),
        (*row(DRAFTS[1])[:3], DRAFTS[2].content, *row(DRAFTS[1])[4:]),
        (*row(DRAFTS[1])[:3], DRAFTS[1].content.replace(",", ", "), *row(DRAFTS[1])[4:]),
        (*row(DRAFTS[1])[:4], None, "A" * 43),
        (*row(DRAFTS[1])[:5], "A" * 42 + "B"),
        changed("txn", 7),
        changed("deadline_at", "130"),
        changed("deadline_at", True),
        changed("token", 7),
        changed("jti", ...),
        changed("more", "x"),
        changed("roster", [], DRAFTS[0]),
        changed("proof", 7, DRAFTS[0]),
    ],
)
def test_what_the_store_does_not_write_is_no_entry(broken: tuple[Any, ...]) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        journal.parse(broken)


def test_a_salt_has_its_length() -> None:
    with pytest.raises(ValueError, match="16 octets"):
        journal.spent(SPEND, b"short")
