"""Whatever is done to a service's database afterwards, its audit finds; an untouched copy passes."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from tests.log.acts import Story
from tests.service.audited import ACTION, RESOURCE, Books

from oneact import keyfile
from oneact.errors import Refusal
from oneact.protocol import canonical, roster
from oneact.protocol.roster import Roster
from oneact.service.audit import evidence, record
from oneact.service.store.contract import Link
from oneact.service.store.snapshot import snapshot
from oneact.service.store.sqlite import SqliteStore
from oneact.testing import InProcessApprover, SoftwarePasskey, new_key


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Books:
    found = Books(tmp_path_factory.mktemp("filled"))
    asyncio.run(found.fill())
    return found


@pytest.fixture
def books(filled: Books, tmp_path: Path) -> Books:
    """The entries: 1 and 2 link, 3 and 4 paris, 5 to 7 rome, 8 pins, 9 unlinks, 10 and 11 oslo, 12 running."""
    return filled.copy(tmp_path / "books")


Tamper = Callable[[Books], object]


def faults_after(books: Books, tamper: Tamper, *evidence: Any, more: tuple[str, ...] = ()) -> set[str]:
    """Give what the audit of a tampered copy finds, once the untampered one has passed."""
    copy = books.copy(books.folder / "tampered")
    assert books.faults(*evidence, more=more) == set()
    tamper(copy)
    return copy.faults(*evidence, more=more)


def sql(*statements: str) -> Tamper:
    return lambda books: books.execute(*statements)


# 1. The chain.


def test_a_changed_content_is_found(books: Books) -> None:
    found = faults_after(books, sql("UPDATE journal SET content = replace(content, 'alice', 'bobby') WHERE seq = 3"))
    assert found >= {"chain"}


def test_a_changed_content_with_its_digest_made_anew_is_found(books: Books) -> None:
    def tamper(copy: Books) -> None:
        content = canonical.encode(copy.contents()[3] | {"state": "failed"})
        copy.execute(
            f"UPDATE journal SET content = '{content.decode()}', content_digest = '{canonical.sha256(content)}'"
            " WHERE seq = 4"
        )

    assert faults_after(books, tamper) >= {"chain"}


def test_a_changed_time_is_found(books: Books) -> None:
    assert faults_after(books, sql("UPDATE journal SET at = at - 5 WHERE seq = 11")) >= {"chain"}


def test_a_deleted_entry_is_found(books: Books) -> None:
    assert faults_after(books, sql("DELETE FROM journal WHERE seq = 9")) >= {"chain"}


def test_deleted_last_entries_are_found_by_the_table_of_spends(books: Books) -> None:
    assert faults_after(books, sql("DELETE FROM journal WHERE seq >= 10")) == {"table"}


def test_an_inserted_entry_is_found(books: Books) -> None:
    tamper = sql(
        "UPDATE journal SET seq = seq + 1000 WHERE seq > 4",
        "UPDATE journal SET seq = seq - 999 WHERE seq > 1000",
        "INSERT INTO journal SELECT 5, at, kind, content, content_digest, hash FROM journal WHERE seq = 4",
    )
    assert faults_after(books, tamper) >= {"chain"}


def test_reordered_entries_are_found(books: Books) -> None:
    tamper = sql(
        "UPDATE journal SET seq = 1000 WHERE seq = 3",
        "UPDATE journal SET seq = 3 WHERE seq = 1",
        "UPDATE journal SET seq = 1 WHERE seq = 1000",
    )
    assert faults_after(books, tamper) >= {"chain"}


@pytest.mark.parametrize("column", ["content = x'00'", "kind = 'other'", "hash = ''", "at = 'now'"])
def test_what_is_no_entry_is_found(books: Books, column: str) -> None:
    assert faults_after(books, sql(f"UPDATE journal SET {column} WHERE seq = 4")) >= {"chain"}


# 2. The head.


def test_a_journal_written_anew_is_found_by_a_head_that_was_kept(books: Books) -> None:
    head = books.audit()["head"]
    assert head.startswith("12:")
    assert faults_after(books, lambda copy: copy.rewrite(1), more=("--head", head)) == {"head"}


def test_a_journal_cut_short_with_its_tables_is_found_by_a_head_that_was_kept(books: Books) -> None:
    tamper = sql("DELETE FROM journal WHERE seq > 9", "DELETE FROM spends WHERE txn IN ('oslo', 'running')")
    assert faults_after(books, tamper, more=("--head", books.audit()["head"])) == {"head"}


def test_an_empty_journal_ends_before_any_head(books: Books) -> None:
    tamper = sql("DELETE FROM journal", "DELETE FROM spends", "DELETE FROM links")
    assert faults_after(books, tamper, more=("--head", books.audit()["head"])) == {"head"}


async def test_a_head_holds_when_entries_have_come_after_it(books: Books) -> None:
    head = books.audit()["head"]
    store = SqliteStore(books.file)
    await store.open()
    await books.spend(store, "later", books.executed("later"))
    await store.close()
    assert books.faults(more=("--head", head)) == set()


# 3 and 4. Spends and their approvals, where whoever owns the file has made every hash anew.


def test_a_second_spend_of_one_key_is_found(books: Books) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(10, txn="paris")) >= {"spend"}


def test_a_token_of_another_act_is_found(books: Books) -> None:
    token = books.acts["rome"]["token"]
    assert faults_after(books, lambda copy: copy.rewrite(3, token=token)) == {"spend"}


def test_a_token_that_is_none_is_found(books: Books) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(3, token="a.b.c")) == {"spend"}


def test_a_token_that_no_pinned_passkey_signed_is_found(books: Books) -> None:
    forger = replace(books, person=InProcessApprover())
    token = forger.approved("paris").token
    assert faults_after(books, lambda copy: copy.rewrite(3, token=token)) == {"approval"}


def test_an_approval_borrowed_from_another_agents_token_is_found(books: Books) -> None:
    token = replace(books, agent=replace(books.agent, key=new_key())).approved("paris", jkt=books.agent.jkt).token
    assert faults_after(books, lambda copy: copy.rewrite(3, token=token)) == {"approval"}


def test_a_pinned_passkeys_signature_over_something_else_is_found(books: Books) -> None:
    signed = books.person.passkey.get(b"another challenge".ljust(32))
    statement = books.person.statement(books.asked("paris"), ACTION, books.agent, books.now, "paris")
    broken = [{"statement": statement.members(), "webauthn": signed.members()}]
    token = books.approved("paris", approvals=broken).token
    assert faults_after(books, lambda copy: copy.rewrite(3, token=token)) == {"approval"}


def test_a_spend_for_an_account_that_was_never_linked_is_found(books: Books) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(3, account="carol")) == {"approval", "table"}


def pin_instead(copy: Books, later: Roster, proof: Any) -> None:
    """Have entry 8 and the table say that this roster was pinned, vouched for by that."""
    copy.rewrite(8, roster=later.members(), proof=proof)
    copy.execute(f"UPDATE links SET roster = '{canonical.encode(later.members()).decode()}'")


def test_a_passkey_that_was_removed_later_still_counts(books: Books) -> None:
    def later(copy: Books) -> None:
        another = SoftwarePasskey("localhost", books.person.issuer).credential
        pinned = replace(books.person.roster(RESOURCE, 2), credentials=(another,))
        pin_instead(copy, pinned, books.person.passkey.get(pinned.challenge()).members())

    assert faults_after(books, later) == set()


@pytest.mark.parametrize(
    "vouched", ["by itself", "by the first for another", "by the server", "by the server for less"]
)
def test_a_roster_that_no_pinned_passkey_vouches_for_is_found(books: Books, vouched: str) -> None:
    def tamper(copy: Books) -> None:
        person, thief = books.person, SoftwarePasskey("localhost", books.person.issuer)
        old = person.roster(RESOURCE, 2)
        pinned = replace(old, credentials=(*old.credentials, thief.credential))
        proofs: dict[str, Any] = {
            "by itself": thief.get(pinned.challenge()).members(),
            "by the first for another": person.passkey.get(old.challenge()).members(),
            "by the server": roster.sign_removal(pinned, person.key),
            "by the server for less": roster.sign_removal(old, person.key),
        }
        pin_instead(copy, pinned, proofs[vouched])

    assert faults_after(books, tamper) == {"link"}


@pytest.mark.parametrize(("signed_seq", "found"), [(2, set()), (3, {"link"})])
async def test_a_removal_is_in_order_if_the_server_signed_that_very_one(
    tmp_path: Path, signed_seq: int, found: set[str]
) -> None:
    books, store = Books(tmp_path), SqliteStore(tmp_path / "air.db")
    await store.open()
    old, other = books.person.roster(RESOURCE), SoftwarePasskey("localhost", books.person.issuer)
    both = replace(old, credentials=(*old.credentials, other.credential))
    await store.link(Link("alice", both, books.now, books.person.passkey.get(both.challenge()).members()))
    less = replace(old, seq=2)
    await store.pin(less, 1, books.now, roster.sign_removal(replace(less, seq=signed_seq), books.person.key))
    await store.close()
    keyfile.load_or_create(books.key)
    assert books.faults() == found


# 5. Outcomes.


def test_an_outcome_without_a_spend_is_found(books: Books) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(11, txn="other")) >= {"outcome", "receipt"}


def test_two_receipts_for_one_spend_are_found(books: Books) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(6, **books.contents()[6])) == {"outcome"}
    copy = books.copy(books.folder / "again")
    copy.rewrite(11, **books.contents()[3])
    assert copy.faults() >= {"outcome"}


def test_a_spend_without_an_outcome_is_found_once_its_deadline_has_passed(books: Books) -> None:
    def tamper(copy: Books) -> None:
        past = books.now - 61
        copy.rewrite(12, deadline_at=past)
        copy.execute(f"UPDATE spends SET deadline_at = {past} WHERE txn = 'running'")

    assert faults_after(books, tamper) == {"outcome"}


def test_an_outcome_that_the_table_has_and_the_journal_has_not_is_found(books: Books) -> None:
    tamper = sql(
        "UPDATE spends SET state = 'executed', receipt = (SELECT receipt FROM spends WHERE txn = 'paris'),"
        " finished_at = 1 WHERE txn = 'running'"
    )
    assert faults_after(books, tamper) == {"table"}


# 6. Receipts.


def test_swapped_receipts_are_found_in_the_table(books: Books) -> None:
    tamper = sql("UPDATE spends SET receipt = (SELECT receipt FROM spends WHERE txn = 'paris') WHERE txn = 'rome'")
    assert faults_after(books, tamper) == {"table"}


def test_swapped_receipts_are_found_in_a_journal_that_was_written_anew(books: Books) -> None:
    receipt = books.acts["rome"]["receipt"]

    def tamper(copy: Books) -> None:
        copy.rewrite(4, receipt=receipt)
        copy.execute(f"UPDATE spends SET receipt = '{receipt}', body = NULL WHERE txn = 'paris'")

    assert faults_after(books, tamper) == {"receipt"}


def test_a_receipt_that_says_otherwise_than_its_entry_is_found(books: Books) -> None:
    def tamper(copy: Books) -> None:
        copy.rewrite(4, state="failed")
        copy.execute("UPDATE spends SET state = 'failed' WHERE txn = 'paris'")

    assert faults_after(books, tamper) == {"receipt"}


def test_a_receipt_that_is_none_is_found(books: Books) -> None:
    def tamper(copy: Books) -> None:
        copy.rewrite(4, receipt="a.b.c")
        copy.execute("UPDATE spends SET receipt = 'a.b.c' WHERE txn = 'paris'")

    assert faults_after(books, tamper) == {"receipt"}


@pytest.mark.parametrize("kid", ["its own", "the service's"])
def test_a_receipt_by_another_key_is_found(books: Books, kid: str) -> None:
    forger = new_key()
    if kid == "the service's":
        forger.__dict__["public"] = replace(forger.public, kid=books.receipts.keys.signing.public.kid)
    outcome = replace(books.receipts, keys=SimpleNamespace(signing=forger)).unknown(
        books.approved("oslo"), books.now + 4
    )

    def tamper(copy: Books) -> None:
        copy.rewrite(11, receipt=outcome.receipt)
        copy.execute(f"UPDATE spends SET receipt = '{outcome.receipt}' WHERE txn = 'oslo'")

    assert faults_after(books, tamper) == {"receipt"}


# 7. The table of spends.


@pytest.mark.parametrize(
    "change",
    [
        "jti = 'x'", "sub = 'x'", "client_id = 'x'", "jkt = 'x'", "act_digest = 'x'", "account = 'x'", "action = 'x'",
        "spent_at = spent_at - 1", "deadline_at = deadline_at + 1", "state = 'failed'", "finished_at = 1",
        "receipt = NULL", "body = x'00'", "body = 'text'", "salt = NULL",
    ],
)  # fmt: skip
def test_a_changed_row_of_a_spend_is_found(books: Books, change: str) -> None:
    assert faults_after(books, sql(f"UPDATE spends SET {change} WHERE txn = 'paris'")) == {"table"}


@pytest.mark.parametrize("change", ["aud = 'x'", "iss = 'x'", "txn = 'x'"])
def test_a_row_under_another_key_is_found(books: Books, change: str) -> None:
    assert faults_after(books, sql(f"UPDATE spends SET {change} WHERE txn = 'paris'")) == {"table"}


def test_a_spend_without_an_entry_is_found(books: Books) -> None:
    tamper = sql(
        "INSERT INTO spends SELECT aud, iss, 'other', jti, sub, client_id, jkt, act_digest, account, action, spent_at,"
        " deadline_at, state, finished_at, receipt, status, content_type, body, salt FROM spends WHERE txn = 'paris'"
    )
    assert faults_after(books, tamper) == {"table"}


@pytest.mark.parametrize("txn", ["paris", "running"])
def test_a_spend_that_is_gone_before_its_time_is_found(books: Books, txn: str) -> None:
    assert faults_after(books, sql(f"DELETE FROM spends WHERE txn = '{txn}'")) == {"table"}


async def test_a_spend_that_was_forgotten_in_its_time_is_not_missed(tmp_path: Path) -> None:
    books = Books(tmp_path)
    books.now -= 8 * 24 * 3600
    store = SqliteStore(books.file)
    await store.open()
    signed = books.person.signed_roster(RESOURCE)
    await store.link(Link("alice", signed.roster, books.now, signed.webauthn.members()))
    await books.spend(store, "paris", books.executed("paris"))
    for due in await store.claim_deliveries(books.now + 2, books.now + 3):
        await store.delivered(due)
    await store.forget_spends(books.now + 2)
    await store.close()
    with books.opened() as connection:
        assert connection.execute("SELECT count(*) FROM spends").fetchone()[0] == 0
    assert books.audit(books.acts["paris"])["findings"] == []


# 8. The table of links.


@pytest.mark.parametrize("change", ["account = 'mallory'", "roster = replace(roster, '\"seq\":2', '\"seq\":3')"])
def test_a_changed_link_is_found(books: Books, change: str) -> None:
    assert faults_after(books, sql(f"UPDATE links SET {change}")) == {"link"}


def test_a_passkey_put_under_a_link_is_found(books: Books) -> None:
    mine = canonical.encode(InProcessApprover().roster(RESOURCE, 2).members()).decode()
    assert faults_after(books, sql(f"UPDATE links SET roster = '{mine}'")) == {"link"}


def test_a_link_that_is_gone_or_was_put_in_is_found(books: Books) -> None:
    assert faults_after(books, sql("DELETE FROM links")) == {"link"}
    copy = books.copy(books.folder / "inserted")
    copy.execute("INSERT INTO links SELECT iss, 'mallory', account, roster, seq, linked_at FROM links")
    assert copy.faults() == {"link"}


@pytest.mark.parametrize(
    ("seq", "changes"),
    [
        (8, {"account": "mallory"}),
        (8, {"roster": InProcessApprover().roster(RESOURCE).members()}),
        (8, {"roster": InProcessApprover(sub="nobody").roster(RESOURCE).members()}),
        (9, {"account": "mallory"}),
        (2, {"roster": InProcessApprover().roster(RESOURCE).members()}),
    ],
)
def test_links_that_do_not_follow_one_from_the_other_are_found(books: Books, seq: int, changes: dict[str, Any]) -> None:
    assert faults_after(books, lambda copy: copy.rewrite(seq, **changes)) >= {"link"}


# What was erased is not missed, and hides nothing of later.


def test_contents_may_be_erased_up_to_any_second(books: Books) -> None:
    for seconds in range(-10, 6):
        copy = books.copy(books.folder / f"erased{seconds}")
        copy.execute(f"UPDATE journal SET content = NULL WHERE at <= {books.now + seconds} OR seq = 1")
        found = copy.audit(*books.acts.values())
        assert found["findings"] == [], seconds
        assert found["erased"] >= 1


def test_contents_are_erased_as_the_documentation_says(books: Books) -> None:
    text = (Path(__file__).parents[2] / "docs" / "service.md").read_text()
    erase, vacuum, _ = text.partition("```sql\n")[2].partition("```")[0].split("\n")
    assert books.acts["paris"]["token"][-40:].encode() in books.file.read_bytes()
    with books.opened() as connection:
        connection.execute(erase.replace("-2 years", "+1 day"))
    with books.opened() as connection:
        connection.execute(vacuum)
    found = books.audit(*books.acts.values())
    assert (found["findings"], found["erased"]) == ([], 8)
    assert books.acts["paris"]["token"][-40:].encode() not in books.file.read_bytes()


def test_an_outcome_may_be_erased_alone(books: Books) -> None:
    books.execute("UPDATE journal SET content = NULL WHERE seq = 11")
    assert books.faults(*books.acts.values()) == set()


def test_erasing_what_is_old_hides_nothing_of_what_is_new(books: Books) -> None:
    books.execute(f"UPDATE journal SET content = NULL WHERE at < {books.now}")
    assert faults_after(books, sql("UPDATE spends SET account = 'x' WHERE txn = 'paris'")) == {"table"}


# 9. What the persons hold.


def test_all_that_the_person_holds_agrees(books: Books) -> None:
    found = books.audit(*books.acts.values())
    assert (found["findings"], found["bundles"]) == ([], 4)


def test_an_act_without_an_offer_agrees_too(books: Books) -> None:
    assert books.faults({**books.acts["paris"], "offer": None}) == set()


def test_an_approval_that_was_never_used_is_no_finding(books: Books) -> None:
    unused = {"token": books.approved("unused").token, "receipt": None, "offer": books.offered("unused", "unused")}
    denied = {**unused, "token": None}
    assert books.faults(unused, denied) == set()


def test_an_act_that_the_service_has_taken_out_of_everything_is_found_by_the_persons_receipt(books: Books) -> None:
    tamper = sql("DELETE FROM journal WHERE seq >= 10", "DELETE FROM spends WHERE txn IN ('oslo', 'running')")
    assert faults_after(books, tamper, books.acts["oslo"]) == {"only_person"}


def test_an_outcome_that_the_service_has_taken_out_is_found_by_the_persons_receipt(books: Books) -> None:
    def tamper(copy: Books) -> None:
        copy.execute("DELETE FROM journal WHERE seq > 10", "DELETE FROM spends WHERE txn = 'running'")
        copy.execute("UPDATE spends SET state = 'spent', receipt = NULL, finished_at = NULL WHERE txn = 'oslo'")

    assert faults_after(books, tamper, books.acts["oslo"]) == {"only_person"}


def test_a_receipt_that_the_person_has_not_is_told(books: Books) -> None:
    assert books.faults({**books.acts["paris"], "receipt": None}) == {"only_service"}


def test_a_later_receipt_that_the_person_has_not_is_told(books: Books) -> None:
    earlier = books.contents()[5]["receipt"]
    assert books.faults({**books.acts["rome"], "receipt": earlier}) == {"only_service"}


def test_a_spend_of_which_the_person_has_neither_token_nor_receipt_is_told(books: Books) -> None:
    assert books.faults({**books.acts["running"], "token": None}) == {"only_service"}
    assert books.faults({**books.acts["paris"], "token": None}) == set()


def test_a_spend_of_an_act_that_the_person_denied_is_told(books: Books) -> None:
    named = {"resource": RESOURCE, "issuer": books.person.issuer}
    denied = {"token": None, "receipt": None, "offer": None, **named}
    assert books.faults({**denied, "txn": "denied"}) == set()
    assert books.faults({**denied, "txn": "paris"}) == {"only_service"}


def test_another_receipt_of_the_same_act_is_found(books: Books) -> None:
    other = books.receipts.settled(books.approved("paris"), "failed", books.now + 1).receipt
    assert books.faults({**books.acts["paris"], "receipt": other}) == {"evidence"}


def test_a_receipt_and_an_offer_that_the_service_did_not_sign_are_found(books: Books) -> None:
    forger = books.copy(books.folder / "forger")
    forger.key.unlink()
    forged = forger.receipts.settled(books.approved("unused"), "executed", books.now).receipt
    bundle = {"token": None, "receipt": forged, "offer": None}
    assert books.faults(bundle) == {"evidence", "only_person"}
    header, claims, signature = books.acts["paris"]["offer"].split(".")
    broken = ".".join((header, claims, signature[:-6] + "AAAAAA"))
    assert books.faults({**books.acts["paris"], "offer": broken}) == {"evidence"}


@pytest.mark.parametrize(
    "changes", [{"jti": "other"}, {"client_id": "other"}, {"jkt": "A" * 43}, {"sub": "other"}, {"exp": 7}]
)
def test_a_token_that_is_not_the_spends_is_found(books: Books, changes: dict[str, Any]) -> None:
    other = books.approved("paris", **changes).token
    assert books.faults({**books.acts["paris"], "token": other}) == {"evidence"}


def test_a_token_for_another_act_is_found(books: Books) -> None:
    details = books.asked("elsewhere").details(inline=True)
    other = books.approved("paris", details=details).token
    assert books.faults({**books.acts["paris"], "token": other}) == {"evidence"}


def test_parts_of_several_acts_are_no_evidence(books: Books) -> None:
    mixed = {**books.acts["paris"], "offer": books.acts["rome"]["offer"]}
    assert books.faults(mixed) == {"evidence"}
    named = {"resource": RESOURCE, "issuer": books.person.issuer}
    assert books.faults({**books.acts["paris"], **named, "txn": "paris"}) == set()
    assert books.faults({**books.acts["paris"], **named, "txn": "rome"}) == {"evidence"}


def test_an_offer_of_another_act_under_the_same_transaction_is_found(books: Books) -> None:
    bundle = {**books.acts["paris"], "offer": books.offered("paris", "elsewhere")}
    assert books.faults(bundle) == {"evidence"}


def test_evidence_of_another_service_is_passed_over(books: Books) -> None:
    other = {"token": books.approved("x", aud="http://localhost:2").token, "receipt": None, "offer": None}
    found = books.audit(other, books.acts["paris"])
    assert (found["findings"], found["bundles"], found["bundles_of_other_services"]) == ([], 1, 1)


@pytest.mark.parametrize("story", ["executed", "denied"])
def test_evidence_as_an_approval_server_gives_it_is_read(story: str) -> None:
    told = Story()
    found = told.executed() if story == "executed" else told.denied()
    (bundle,) = evidence.parse_file(canonical.encode(found.members()))
    assert bundle.acts() == {(told.resource, told.approver.issuer, told.txn)}
    assert (bundle.token_text, bundle.receipt_text) == (found.token, found.receipt)


def test_one_bundle_in_many_lines_is_one_bundle(books: Books) -> None:
    file = books.folder / "one.json"
    file.write_text(json.dumps(books.acts["paris"], indent=2))
    assert books.audit(more=("--evidence", str(file)))["bundles"] == 1


# What cannot be read, and what is not looked at.


@pytest.mark.parametrize(
    "octets",
    [
        b"", b"{", b"[]", b"{}", b'{"token":null,"receipt":null}', b'{"token":null,"receipt":null,"offer":null}',
        b'{"token":7,"receipt":null,"offer":null}', b'{"token":"","receipt":null,"offer":null}',
        b'{"token":"a.b.c","receipt":null,"offer":null}', b'{"token":null,"receipt":"a.b.c","offer":null}',
        b'{"token":null,"receipt":null,"offer":null,"resource":7,"issuer":"b","txn":"c"}',
        b'{"token":null,"receipt":null,"offer":"a.b.c"}', b"{\n}\n{\n}", b'{"token":1.5}\n',
    ],
)  # fmt: skip
def test_what_is_no_bundle_is_refused(octets: bytes) -> None:
    with pytest.raises(Refusal):
        evidence.parse_file(octets)


def test_a_token_with_more_than_one_act_is_no_evidence(books: Books) -> None:
    bundle = {"token": books.approved("paris", details=[]).token, "receipt": None, "offer": None}
    with pytest.raises(Refusal):
        evidence.parse_file(json.dumps(bundle).encode())


def test_a_bundle_that_cannot_be_read_is_named_by_its_line(books: Books) -> None:
    lines = json.dumps(books.acts["paris"]) + "\n\n" + json.dumps({"token": None}) + "\n"
    with pytest.raises(Refusal, match="line 3"):
        evidence.parse_file(lines.encode())


def test_signatures_are_left_out_where_no_key_is_given(books: Books) -> None:
    books.key.unlink()
    forged = books.receipts.unknown(books.approved("oslo"), books.now + 4).receipt
    books.rewrite(11, receipt=forged)
    with snapshot(books.file) as opened:
        assert record.read(opened.journal(), None).findings == []


async def test_a_journal_that_began_on_an_old_database_is_whole_without_tokens(tmp_path: Path) -> None:
    books = Books(tmp_path)
    await books.fill()
    with books.opened() as connection:
        connection.execute("DROP TABLE journal")
        connection.execute("DROP TABLE unlinkings")
        connection.execute("DROP TABLE candidates")
        connection.execute("DROP TABLE held")
        connection.execute("PRAGMA user_version=1")
    store = SqliteStore(books.file)
    await store.open()
    await store.close()
    found = books.audit(*books.acts.values())
    assert (found["findings"], found["acts"]) == ([], 4)
