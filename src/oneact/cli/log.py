"""`oneact log`: verify, export and watch the log that cannot be rewritten."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from oneact.cli.log_sources import Source
    from oneact.log.checkpoint import Checkpoint
    from oneact.log.replay import Replayed

app = typer.Typer(no_args_is_help=True, help="Verify, export and watch the log of an approval server.")

_Where = Annotated[
    str, typer.Argument(help="A database, an export, or a log's address; else ONEACT_DATABASE.", show_default=False)
]
_Database = Annotated[
    str, typer.Argument(help="The approval server's database; else ONEACT_DATABASE.", show_default=False)
]
_Keys = Annotated[list[str] | None, typer.Option("--key", help="The log's verifier key, or a file with it.")]

_ANY_NAME: Final = {"ignore_unknown_options": True}  # an identifier may begin with a hyphen


def _where(given: str) -> str:
    return given or os.environ.get("ONEACT_DATABASE", "var/oneact.db")


@app.command()
def verify(
    where: _Where = "",
    key: _Keys = None,
    against: Annotated[
        list[Path] | None, typer.Option(help="A checkpoint that somebody kept; may be repeated.")
    ] = None,
    entry: Annotated[
        int | None, typer.Option(min=0, help="Show the entry of this place, and prove that it is in the tree.")
    ] = None,
) -> None:
    """Work out the whole log anew and hold it against its checkpoint, and against older ones that somebody kept.

    On a database, live or copied, its states are also held against what the log tells.

    Exit status: 0 everything holds, 1 something does not, 2 something cannot be read.
    """
    from oneact.cli.log_sources import opened
    from oneact.errors import Reason, Refusal

    try:
        with opened(_where(where)) as source:
            lines = _verify(source, key or [], against or []) if entry is None else _entry(source, key or [], entry)
            for line in lines:
                typer.echo(line)
    except Refusal as refusal:
        typer.echo(f"failed  {refusal.reason.says} ({refusal})")
        unread = refusal.reason in {Reason.STORE_UNAVAILABLE, Reason.METADATA_UNREACHABLE, Reason.LOG_MALFORMED}
        raise typer.Exit(2 if unread else 1) from refusal


@app.command()
def export(
    where: _Where = "",
    public: Annotated[bool, typer.Option(help="Commitments alone, which tell nothing of what was logged.")] = False,
) -> None:
    """Write the log as lines of JSON to standard output, for `oneact log verify` on any machine."""
    from oneact.cli.log_sources import opened
    from oneact.errors import Refusal
    from oneact.log.export import Head, head_line, record_line

    out = sys.stdout.buffer
    try:
        with opened(_where(where)) as source:
            out.write(head_line(Head(source.keys, source.note)))
            for record in source.records:
                out.write(record_line(record, public=public))
            out.flush()
    except Refusal as refusal:
        typer.echo(f"oneact log export: {refusal}", err=True)
        raise typer.Exit(2) from refusal


@app.command(context_settings=_ANY_NAME)
def erase(
    account: Annotated[str, typer.Argument(help="The account's identifier.")],
    database: _Database = "",
    yes: Annotated[bool, typer.Option("--yes", help="Do it without asking.")] = False,
) -> None:
    """Erase a person on their request: their contents go, the log's commitments stay, and it goes on to verify."""
    import asyncio
    import time

    from oneact.errors import Refusal
    from oneact.server import erasing
    from oneact.store import SqliteStore

    async def run(file: Path) -> int:
        store = await SqliteStore.open(file)
        try:
            return await erasing.erase(store, account, int(time.time()))
        finally:
            await store.close()

    file = Path(_where(database))
    if not file.is_file():
        typer.echo(f"oneact log erase: {file} is not there", err=True)
        raise typer.Exit(2)
    if not yes:
        typer.confirm(f"Erase everything of account {account} from {file}? Nothing brings it back.", abort=True)
    try:
        typer.echo(f"erased: {asyncio.run(run(file))} entries of the log keep nothing but their commitment")
    except Refusal as refusal:
        typer.echo(f"oneact log erase: {refusal.reason.says} ({refusal})", err=True)
        raise typer.Exit(2) from refusal


@app.command()
def findings(database: _Database = "") -> None:
    """List what was found where approvals and receipts do not fit, newest first.

    Exit status: 0 nothing is open, 1 something is, 2 the database cannot be read.
    """
    from datetime import UTC, datetime

    from oneact.errors import Refusal
    from oneact.server import reconciling
    from oneact.store.snapshot import Snapshot

    still = 0
    try:
        with Snapshot(Path(_where(database))) as snapshot:
            for row in snapshot.rows("findings"):
                answered = reconciling.settled(row)
                still += not answered
                at = datetime.fromtimestamp(row["found_at"], UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
                state = f"settled: {row['receipt_status']}" if answered else "open"
                typer.echo(f"{at}  {row['kind']:13} {state:18} {row['resource']}  {row['txn']}  {row['request_id']}")
    except Refusal as refusal:
        typer.echo(f"oneact log findings: {refusal}", err=True)
        raise typer.Exit(2) from refusal
    if still:
        raise typer.Exit(1)
    typer.echo("nothing is open")


@app.command(context_settings=_ANY_NAME)
def evidence(
    request: Annotated[str, typer.Argument(help="The request's identifier, as it stands in the address of its page.")],
    database: _Database = "",
) -> None:
    """Write everything about one act as one file to standard output, for `oneact verify` on any machine."""
    from oneact.cli import log_evidence
    from oneact.errors import Refusal

    try:
        sys.stdout.buffer.write(log_evidence.evidence(Path(_where(database)), request))
        sys.stdout.buffer.flush()
    except Refusal as refusal:
        typer.echo(f"oneact log evidence: {refusal.reason.says} ({refusal})", err=True)
        raise typer.Exit(2) from refusal


@app.command()
def watch(
    address: Annotated[str, typer.Argument(help="The log's address: the approval server's, with /log behind it.")],
    keep: Annotated[Path, typer.Option(help="The file that holds the last checkpoint seen.")],
    key: _Keys = None,
    every: Annotated[int, typer.Option(help="Look again after so many seconds, for ever; 0 looks once.")] = 0,
) -> None:
    """Be a witness: fetch the log's checkpoint, and keep it if it continues the one that was kept.

    The first time, the key has to be given, or is taken on trust and printed.

    Exit status: 0 it continues, 1 the log contradicts the kept checkpoint, which stays, or cannot be reached.
    """
    import time

    from oneact.cli import log_watch
    from oneact.errors import Reason, Refusal

    while True:
        try:
            typer.echo(log_watch.look(address.rstrip("/"), keep, key or []))
        except Refusal as refusal:
            typer.echo(f"failed  {refusal.reason.says} ({refusal})")
            if not every or refusal.reason is not Reason.METADATA_UNREACHABLE:
                raise typer.Exit(1) from refusal
        if not every:
            return
        time.sleep(every)


def _verify(source: Source, keys: list[str], against: list[Path]) -> Iterator[str]:
    from oneact.log.replay import Replay, judge
    from oneact.log.states import Told, differences

    latest, older = _points(source, keys, against)
    replay, told = Replay({point.size for point in older}), Told()
    for record in source.records:
        replay.add(record)
        if record.entry is not None:
            told.tell(record.entry)
    found = replay.finish()
    judge(found, latest, older)
    yield from _found(found, latest, older, named=bool(keys))
    if source.database is not None:
        rows = source.database.rows("states")
        differing = differences(told, ((row["room"], row["id"], row["value"]) for row in rows))
        yield from _states(differing, len(told.states))


def _points(source: Source, keys: list[str], against: list[Path]) -> tuple[Checkpoint, list[Checkpoint]]:
    """Verify the log's checkpoint and the older ones by the keys given, or else by those that the log names."""
    from oneact.cli.log_sources import read_keys, verified
    from oneact.errors import Reason, Refusal

    lines = [verifier.line() for verifier in read_keys(keys)] or list(source.keys)
    if not source.note:
        raise Refusal(Reason.LOG_EMPTY, "there is no checkpoint yet")
    if not lines:
        raise Refusal(Reason.LOG_SIGNATURE, "name the log's key with --key: this source names none")
    return verified(source.note, lines), [verified(file.read_text(), lines) for file in against]


def _found(found: Replayed, latest: Checkpoint, older: list[Checkpoint], *, named: bool) -> Iterator[str]:
    by = "the key given" if named else "a key that the log names itself"
    yield f"passed  signature: checkpoint of {latest.size} entries, by {by}"
    yield f"passed  entries: {found.size} in their places, each what was committed to ({found.erased} erased)"
    yield "passed  root: they make up the tree of the checkpoint"
    for point in older:
        yield f"passed  consistency: the log begins with the {point.size} entries of an older checkpoint"
    if not older:
        yield "not checked: whether it was rewritten as a whole; give a checkpoint kept elsewhere with --against"
    if found.waiting:
        yield f"{found.waiting} newer entries have no place in the tree yet"


def _states(differing: list[str], count: int) -> Iterator[str]:
    from oneact.errors import Reason, Refusal

    yield from (f"failed  {line}" for line in differing)
    if differing:
        raise Refusal(Reason.LOG_STATE, f"{len(differing)} of {count}")
    yield f"passed  states: {count} in the database, each as the log tells"


def _entry(source: Source, keys: list[str], leaf: int) -> Iterator[str]:
    """Show one entry, with its audit path checked against the checkpoint."""
    from oneact.errors import Reason, Refusal
    from oneact.log import replay, tiles, tree
    from oneact.protocol import base64url, canonical
    from oneact.store import records

    latest, _ = _points(source, keys, [])
    if source.database is None:
        raise Refusal(Reason.LOG_MALFORMED, "one entry is shown from a database")
    database, row = source.database, source.database.one("record", leaf)
    if row is None or leaf >= latest.size:
        raise Refusal(Reason.LOG_EMPTY, f"there is no entry at place {leaf}")
    record = records.record(row)
    replay.check_record(record)

    def octets(tile: tiles.Tile) -> bytes:
        held = database.one("tile", tile.level, tile.number)
        return held["hashes"][: tile.width * tree.HASH_OCTETS] if held else b""

    proof = tree.inclusion(tiles.reader(octets, latest.size), leaf, latest.size)
    hashed = tree.leaf_hash(base64url.decode(record.commitment, Reason.LOG_COMMITMENT))
    tree.check_inclusion(hashed, leaf, latest.size, proof, latest.root)
    yield "erased" if record.entry is None else canonical.encode(record.entry.members()).decode()
    yield f"passed  place {leaf} of {latest.size}: its audit path of {len(proof)} hashes leads to the checkpoint's root"
    yield from (f"        {base64url.encode(sibling)}" for sibling in proof)
