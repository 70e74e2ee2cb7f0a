from __future__ import annotations

from typing import Any

import pytest

from oneact.log.entry import Entry, Kind
from oneact.log.states import Told, differences

ASKED = {"service": "s", "txn": "t", "act_digest": "a", "display": "d"}
READS = {"service": "s", "display": "d", "details": {"type": "oneact_read"}}
AGENT = {"pairing": "p", "client_id": "c", "jkt": "j"}


def told(*entries: tuple[Kind, dict[str, Any]]) -> Told:
    found = Told()
    for kind, content in entries:
        found.tell(Entry(kind, 1, "ada", "r", content))
    return found


@pytest.mark.parametrize(
    ("entries", "states"),
    [
        ([(Kind.ACCOUNT_CREATED, {"name": "Ada"})], {("account", "ada"): "Ada"}),
        (
            [
                (Kind.PASSKEY_ADDED, {"passkey": {"id": "1", "public_key": "k"}}),
                (Kind.PASSKEY_ADDED, {"passkey": {"id": "2", "public_key": "l"}}),
                (Kind.PASSKEY_REMOVED, {"id": "1"}),
            ],
            {("passkey", "1"): "ada removed", ("passkey", "2"): "ada l"},
        ),
        ([(Kind.AGENT_PAIRED, AGENT)], {("pairing", "p"): "ada c j paired"}),
        ([(Kind.AGENT_PAIRED, AGENT), (Kind.AGENT_BLOCKED, AGENT)], {("pairing", "p"): "ada c j blocked"}),
        ([(Kind.AGENT_PAIRED, AGENT), (Kind.AGENT_REMOVED, AGENT)], {("pairing", "p"): "ada c j removed"}),
        (
            [
                (Kind.SERVICE_LINKED, {"link": "1", "service": "s", "roster": {"seq": 1}}),
                (Kind.SERVICE_LINKED, {"link": "2", "service": "s", "roster": {"seq": 2}}),
                (Kind.ROSTER_CHANGED, {"link": "2", "service": "s", "roster": {"seq": 3}}),
                (Kind.SERVICE_LINKED, {"link": "3", "service": "other", "roster": {"seq": 1}}),
                (Kind.SERVICE_UNLINKED, {"link": "3", "service": "other"}),
            ],
            {
                ("link", "1"): 'ada unlinked {"seq":1}',
                ("link", "2"): 'ada linked {"seq":3}',
                ("link", "3"): 'ada unlinked {"seq":1}',
            },
        ),
        ([(Kind.ASKED, ASKED), (Kind.SHOWN, {})], {("request", "r"): "ada pending s t a d"}),
        (
            [(Kind.ASKED, ASKED), (Kind.APPROVED, {}), (Kind.TOKEN_ISSUED, {}), (Kind.RECEIPT, {"receipt": "w"})],
            {("request", "r"): "ada issued s t a d", ("receipt", "r"): "w"},
        ),
        (
            [(Kind.FINDING, {"id": "f", "finding": "no_word", "service": "s", "txn": "t"})],
            {("finding", "f"): "ada no_word s t"},
        ),
        ([(Kind.ASKED, ASKED), (Kind.DENIED, {})], {("request", "r"): "ada denied s t a d"}),
        ([(Kind.ASKED, ASKED), (Kind.EXPIRED, {})], {("request", "r"): "ada expired s t a d"}),
        ([(Kind.ASKED, ASKED), (Kind.CANCELLED, {})], {("request", "r"): "ada cancelled s t a d"}),
        ([(Kind.READ_ASKED, READS), (Kind.READ_SHOWN, {})], {("read", "r"): 'ada pending d {"type":"oneact_read"}'}),
        (
            [(Kind.READ_ASKED, READS), (Kind.READ_OPENED, {}), (Kind.READ_TOKEN, {})],
            {("read", "r"): 'ada opened d {"type":"oneact_read"}'},
        ),
        ([(Kind.READ_ASKED, READS), (Kind.READ_DENIED, {})], {("read", "r"): 'ada denied d {"type":"oneact_read"}'}),
        (
            [(Kind.READ_ASKED, READS), (Kind.READ_OPENED, {}), (Kind.READ_ENDED, {"by": "person"})],
            {("read", "r"): 'ada ended d {"type":"oneact_read"}'},
        ),
    ],
)
def test_entries_come_to_the_states_that_the_database_has(
    entries: list[tuple[Kind, dict[str, Any]]], states: dict[tuple[str, str], str]
) -> None:
    found = told(*entries)
    assert found.states == states
    assert differences(found, [(*at, text) for at, text in states.items()]) == []


def test_a_state_without_entry_an_entry_without_state_and_another_state_are_told_apart() -> None:
    found = told((Kind.ASKED, ASKED), (Kind.RECEIPT, {"receipt": 1}))
    held = [("request", "r", "ada approved s t a d"), ("request", "other", "")]
    assert differences(found, held) == [
        "the request r is another in the database than the log tells",
        "the request other stands in the database, but the log never told of it",
        "the receipt r is gone from the database",
    ]
