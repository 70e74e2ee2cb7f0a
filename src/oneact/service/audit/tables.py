"""The service's tables, held against its journal.

5. Outcomes, their end: none is wanting past the deadline.
7. Table of spends: each row is what the journal says; none is wanting that has to be kept.
8. Tables of links and waits: each account's roster is the one pinned last, and who waits for an unlinking has asked;
   every roster is vouched for as it was when it was pinned.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.protocol import canonical, receipt
from oneact.service.audit.finding import Fault, Finding
from oneact.service.journal import Kind

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from oneact.service.audit.record import Act, Ended, Key, Record

KEPT: Final = 24 * 3600  # seconds for which a spend stays in its table at least (specification, section "Checks")
SLACK: Final = 60  # seconds past a deadline in which a running service has said `unknown`
_COMPARED: Final = ("jti", "sub", "client_id", "jkt", "act_digest", "account", "action", "deadline_at")


def compare(
    record: Record, spends: Iterable[Mapping[str, object]], links: Iterable[Mapping[str, object]], now: int
) -> Iterator[Finding]:
    """Hold the tables, a mapping of columns for each row, against the journal at second `now`."""
    yield from _overdue(record, now)
    seen = set()
    for row in spends:
        key = (str(row["aud"]), str(row["iss"]), str(row["txn"]))
        seen.add(key)
        yield from (Finding(Fault.TABLE, f"act {key[2]}", says) for says in _spend_row(record, key, row))
    for key, act in record.acts.items():
        if key not in seen and _has_to_be_kept(record, act, now):
            yield Finding(Fault.TABLE, f"act {key[2]}", "it is in the journal, but gone from the table of spends")
    yield from _link_rows(record, links)


def _has_ended(record: Record, act: Act) -> bool:
    return bool(act.ended) or record.may_be_erased(Kind.FINISHED, act.since)


def _has_to_be_kept(record: Record, act: Act, now: int) -> bool:
    return act.spent is not None and (act.since > now - KEPT or not _has_ended(record, act))


def _overdue(record: Record, now: int) -> Iterator[Finding]:
    for key, act in record.acts.items():
        if act.ended or act.spent is None or record.may_be_erased(Kind.FINISHED, act.since):
            continue
        deadline = act.spent["deadline_at"]
        if isinstance(deadline, int) and deadline + SLACK < now:
            yield Finding(
                Fault.OUTCOME, f"act {key[2]}", "it was spent, its deadline has passed, and it has no outcome"
            )


def _spend_row(record: Record, key: Key, row: Mapping[str, object]) -> Iterator[str]:
    spent_at = row["spent_at"]
    act = record.acts.get(key)
    if act is None or act.spent is None:
        if not (isinstance(spent_at, int) and record.may_be_erased(Kind.SPENT, spent_at)):
            yield "it is in the table of spends, but not in the journal"
        return
    expected: dict[str, object] = {"spent_at": act.since}
    expected.update({name: act.spent[name] for name in _COMPARED})
    if act.ended:
        ended = act.ended[-1]
        expected |= {"state": ended.state, "receipt": ended.receipt, "finished_at": ended.at}
        if not _answer_fits(row, ended):
            yield "the answer that was kept is not the one of its receipt"
    elif not _has_ended(record, act):
        expected |= {"state": "spent", "receipt": None, "finished_at": None}
    differing = [name for name, value in expected.items() if row[name] != value]
    if differing:
        yield f"the table of spends and the journal differ: {', '.join(differing)}"


def _answer_fits(row: Mapping[str, object], ended: Ended) -> bool:
    body, salt = row["body"], row["salt"]
    if body is None or ended.said is None:
        return True
    if not isinstance(body, bytes) or not isinstance(salt, bytes):
        return False
    return ended.said.result_digest == receipt.result_digest(salt, body)


def _link_rows(record: Record, rows: Iterable[Mapping[str, object]]) -> Iterator[Finding]:
    """Make check 8."""
    wanted = dict(record.links)
    for row in rows:
        person, linked_at = (str(row["iss"]), str(row["sub"])), row["linked_at"]
        held = wanted.pop(person, None)
        if held is None:
            if not (isinstance(linked_at, int) and record.may_be_erased(Kind.LINKED, linked_at)):
                yield Finding(Fault.LINK, f"link {person[1]}", "it is in the table of links, but not in the journal")
        elif (row["account"], row["roster"]) != (held[0], canonical.encode(held[1].members()).decode()):
            yield Finding(Fault.LINK, f"link {person[1]}", "its account or roster is not the one in the journal")
    if not record.may_be_erased(Kind.UNLINKED, 0):
        for _, sub in wanted:
            yield Finding(Fault.LINK, f"link {sub}", "it is in the journal, but gone from the table of links")


def compare_waits(record: Record, rows: Iterable[Mapping[str, object]]) -> Iterator[Finding]:
    """Hold the table of waits for an unlinking without a passkey against the journal (check 8)."""
    wanted = dict(record.waits)
    for row in rows:
        account, asked_at = str(row["account"]), row["asked_at"]
        since = wanted.pop(account, None)
        erased = isinstance(asked_at, int) and record.may_be_erased(Kind.UNLINK_STARTED, asked_at)
        if (None if row["cancelled_at"] is not None else asked_at) != since and not erased:
            yield Finding(Fault.LINK, f"unlinking of {account}", "the table and the journal differ on whether it waits")
    if not record.may_be_erased(Kind.UNLINK_CANCELLED, 0) and not record.may_be_erased(Kind.UNLINKED, 0):
        for account in wanted:
            yield Finding(Fault.LINK, f"unlinking of {account}", "it waits in the journal, but not in the table")
