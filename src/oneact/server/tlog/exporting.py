"""Evidence out of the database: one act of one person, with the proofs of all its entries."""

from __future__ import annotations

import contextlib
import json
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint, tiles, tree
from oneact.log.entry import Kind
from oneact.log.evidence import Agent, Evidence, Logged
from oneact.protocol import act, action, approval, canonical, jwk, passkey, roster
from oneact.protocol.token import Approval
from oneact.server.tlog import head
from oneact.store import records

if TYPE_CHECKING:
    from oneact.log.checkpoint import Verifier
    from oneact.log.entry import Entry
    from oneact.log.tiles import Tile
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.passkey import Assertion
    from oneact.protocol.roster import Roster
    from oneact.store.contract import Row

_ROSTERS: Final = (Kind.SERVICE_LINKED, Kind.ROSTER_CHANGED)


async def export(store: head.Looking, request_id: str, account: str | None = None) -> Evidence:
    """Give the evidence of one request, of this person if `account` is given, as the database stands.

    Refuses `not_yours` where there is no such request, `log_empty` where an entry of it has no place in the tree yet.
    """
    row = await store.one("request_of_evidence", request_id)
    if row is None or account not in {None, row["account_id"]}:
        raise Refusal(Reason.NOT_YOURS, request_id)
    rows = await store.all("records_of_request", request_id)
    told = [records.entry(found) for found in rows]
    approvals = _approvals(told)
    linked = await _linked(store, row, rows) if approvals else None
    entries, note = await _proved(store, [*([linked] if linked else []), *rows])
    pinned, vouched = _roster(linked)
    issuer, server_keys, log_keys = await _keys(store)
    return Evidence(
        issuer=issuer,
        resource=row["resource"],
        sub=row["sub"],
        txn=row["txn"],
        agent=Agent(row["client_id"], row["jkt"]),
        action=action.parse(canonical.parse(row["action"].encode())),
        act=act.parse_details([canonical.parse(row["act"].encode())], Reason.ACT_MALFORMED),
        lines=tuple((line[0], line[1], line[2], line[3]) for line in json.loads(row["lines"])),
        offer=row["offer"] or None,
        approvals=approvals,
        roster=pinned,
        vouched=vouched,
        token=row["token"],
        ended=row["ended"],
        receipt=row["receipt"],
        entries=entries,
        checkpoint=note,
        server_keys=server_keys,
        service_keys=_service_keys(told),
        log_key=_signer(note, log_keys),
    )


def _approvals(told: list[Entry]) -> tuple[Approval, ...]:
    for entry in told:
        listed = entry.content.get("approvals") if entry.kind is Kind.APPROVED else None
        if isinstance(listed, list):
            return tuple([_approval(item) for item in listed if isinstance(item, dict)])
    return ()


def _approval(members: dict[str, Json]) -> Approval:
    return Approval(approval.parse(members["statement"]), passkey.parse_assertion(members["webauthn"]))


async def _linked(store: head.Looking, row: Row, rows: list[Row]) -> Row | None:
    """Give the entry of the roster that stood when this person approved."""
    approved = next(found["seq"] for found in rows if found["kind"] == Kind.APPROVED)
    before = await store.all("roster_entries_before", row["account_id"], approved)
    for found in before:
        if records.entry(found).content.get("link") == row["link_id"]:
            return found
    return None


def _roster(linked: Row | None) -> tuple[Roster | None, Assertion | None]:
    if linked is None:
        return None, None
    content = records.entry(linked).content
    given = content.get("webauthn")
    return roster.parse(content.get("roster")), None if given is None else passkey.parse_assertion(given)


async def _proved(store: head.Looking, rows: list[Row]) -> tuple[tuple[Logged, ...], str]:
    """Give entries with their audit paths to one checkpoint, and that checkpoint."""
    stands = await store.one("log_head")
    size, note = (stands["size"], stands["note"]) if stands else (0, "")
    if not all(row["leaf"] is not None and row["leaf"] < size for row in rows):
        raise Refusal(Reason.LOG_EMPTY, "an entry has no place in the tree yet")
    wanted = {tile for row in rows for tile in tiles.on_the_way(row["leaf"], size)}
    held: dict[Tile, bytes] = {tile: await head.octets(store, tile) for tile in wanted}
    read = tiles.reader(held.__getitem__, size)
    logged = [
        Logged(row["leaf"], row["salt"], records.entry(row), tuple(tree.inclusion(read, row["leaf"], size)))
        for row in rows
    ]
    return tuple(logged), note


async def _keys(store: head.Looking) -> tuple[str, dict[str, PublicKey], list[Verifier]]:
    """Give the issuer, and every key of the server and of its log that the log tells of."""
    issuer = ""
    keys: dict[str, PublicKey] = {}
    verifiers: list[Verifier] = []
    for row in await store.all("key_entries"):
        content = records.entry(row).content
        issuer = str(content.get("issuer", issuer))
        keys |= jwk.parse_set(dict(content), Reason.KEY_MALFORMED)
        verifiers += [checkpoint.parse_verifier(line) for line in records.keys(row["content"])]
    return issuer, keys, verifiers


def _signer(note: str, verifiers: list[Verifier]) -> Verifier:
    """Give the newest of the log's keys that has signed a checkpoint; refuses `log_signature` where none has."""
    for verifier in reversed(verifiers):
        with contextlib.suppress(Refusal):
            checkpoint.check(note, verifier)
            return verifier
    raise Refusal(Reason.LOG_SIGNATURE, "no key that the log tells of has signed its checkpoint")


def _service_keys(told: list[Entry]) -> dict[str, PublicKey]:
    """Give the keys by which offer and receipt were verified, as the log has kept them."""
    listed: list[Json] = []
    for entry in told:
        listed += [entry.content[name] for name in ("offer_key", "key") if name in entry.content]
    return jwk.parse_set({"keys": [key for at, key in enumerate(listed) if key not in listed[:at]]})
