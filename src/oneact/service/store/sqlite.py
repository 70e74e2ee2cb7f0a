"""The service's store on SQLite: WAL, every commit synced, every single use one conditional statement."""

from __future__ import annotations

import asyncio
import os
import sqlite3
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, TypeVar

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, roster
from oneact.service import journal
from oneact.service.checks import Account, Approver
from oneact.service.store import candidates, journalling, statements, unlinkings
from oneact.service.store.contract import Delivery, Holder, Kept, Link, LinkState, Outcome, Spend, SpendKey
from oneact.service.store.sqlite_holding import HoldingRows

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oneact.protocol.canonical import Json
    from oneact.protocol.roster import Roster
    from oneact.service.journal import Draft, JournalEntry
    from oneact.service.store.contract import Unlinking, Vouched

_THREADS: Final = 4
_BUSY_SECONDS: Final = 5.0
_WAL_ATTEMPTS: Final = 50
_CREATING: Final = threading.Lock()
if hasattr(os, "register_at_fork"):  # a child never waits for a thread that it has not
    os.register_at_fork(before=_CREATING.acquire, after_in_parent=_CREATING.release, after_in_child=_CREATING.release)
_SHORT: Final = 4096  # characters of a roster of some passkeys; what persons make longer is not kept in memory

_T = TypeVar("_T")


class SqliteStore(HoldingRows):
    """A store in one SQLite file, used by any number of processes of one machine and read by its owner alone."""

    def __init__(self, path: str | Path) -> None:
        self._path = Path(path)
        self._threads: ThreadPoolExecutor | None = None
        self._local = threading.local()
        self._connections: list[sqlite3.Connection] = []
        self._process = os.getpid()

    async def open(self) -> None:
        """Make the file where it is absent and bring it to the newest migration.

        Refuses in a process that was forked off while the file was open. SQLite there takes the locks of the other
        for its own: when that one closes the file, it deletes the log in which this one's commits stand.
        """
        if self._process != os.getpid():
            if self._connections:
                raise Refusal(Reason.STORE_UNAVAILABLE, f"{self._path} was open when this process was forked off")
            self._process, self._threads = os.getpid(), None
        if self._threads is None:
            self._threads = ThreadPoolExecutor(_THREADS, "oneact-service-store")
            self._local = threading.local()
        await self._run(self._migrate)

    async def close(self) -> None:
        """Wait for what is under way, then close every connection."""
        if self._threads is not None:
            await asyncio.get_running_loop().run_in_executor(None, self._threads.shutdown)
            self._threads = None
        while self._connections:
            self._connections.pop().close()

    async def spend(self, spend: Spend) -> bool:
        """Record a new spend, and in the journal that it was made; False where one of this key exists."""
        holder = spend.holder
        row = (
            *spend.key, spend.jti, holder.sub, holder.client_id, holder.jkt, holder.act_digest,
            spend.account, spend.action, spend.spent_at, spend.deadline_at,
        )  # fmt: skip
        return await self._run(lambda: self._recorded(statements.SPEND, row, journal.spent(spend, journalling.salt())))

    async def find_spend(self, key: SpendKey) -> Spend | None:
        """Give the spend of this key."""
        rows = await self._run(lambda: self._rows(statements.FIND_SPEND, key))
        return _spend(rows[0]) if rows else None

    async def finish(self, key: SpendKey, outcome: Outcome) -> bool:
        """Record what became of a spend and put its receipt in the outbox."""
        return await self._run(lambda: self._finish(key, outcome))

    async def overdue(self, now: int) -> list[Spend]:
        """Give spends whose deadline has passed without an outcome."""
        return [_spend(row) for row in await self._run(lambda: self._rows(statements.OVERDUE, (now,)))]

    async def forget_spends(self, before: int) -> None:
        """Delete finished spends from before that second whose receipt has been delivered."""
        await self._run(lambda: self._change(statements.FORGET_SPENDS, (before,)))

    async def account(self, iss: str, sub: str) -> Account | None:
        """Give the local account of a person, with all its approvers."""
        rows = await self._run(lambda: self._rows(statements.ACCOUNT, (iss, sub)))
        if not rows:
            return None
        approvers = tuple(Approver(f"{row['iss']} {row['sub']}", _roster(row["roster"])) for row in rows)
        return Account(rows[0]["account"], approvers, bool(rows[0]["unlinking"]))

    async def links(self, account: str) -> list[Link]:
        """Give the links of a local account."""
        return [_link(row) for row in await self._run(lambda: self._rows(statements.LINKS, (account,)))]

    async def issuer_is_linked(self, iss: str) -> bool:
        """Tell whether any account is linked at this approval server."""
        return bool(await self._run(lambda: self._rows(statements.ISSUER_IS_LINKED, (iss,))))

    async def find_link(self, iss: str, sub: str) -> Link | None:
        """Give the link of this person."""
        rows = await self._run(lambda: self._rows(statements.FIND_LINK, (iss, sub)))
        return _link(rows[0]) if rows else None

    async def link(self, link: Link) -> bool:
        """Record a link; False where the person is linked or the account has a link."""
        found = link.roster
        row = (found.iss, found.sub, link.account, _text(found), found.seq, link.linked_at)
        return await self._run(lambda: self._recorded(statements.LINK, row, journal.linked(link, journalling.salt())))

    async def propose(self, link: Link, code: str, now: int, expires: int, most: int) -> bool:
        """Keep a person who would be a further approver."""
        return await self._within(candidates.propose, link, code, now, expires, most)

    async def admit(self, account: str, iss: str, code: str, now: int, most: int) -> bool:
        """Link the person who is kept for the account under that code."""
        return await self._within(candidates.admit, account, iss, code, now, most)

    async def remove_approver(self, account: str, iss: str, sub: str, now: int) -> bool:
        """Delete this person's link to the account, unless it is the last."""
        return await self._within(candidates.remove, account, iss, sub, now)

    async def unlink(self, account: str, iss: str, now: int) -> bool:
        """Delete the account's links to that approval server."""
        return await self._run(lambda: self._unlink(account, iss, now))

    async def start_unlinking(self, account: str, now: int, cancelled: int, expired: int) -> bool:
        """Begin to wait for an unlinking without a passkey."""
        return await self._within(unlinkings.start, account, now, cancelled, expired)

    async def unlinking(self, account: str) -> Unlinking | None:
        """Give the wait of an account that nobody has cancelled."""
        return await self._run(lambda: unlinkings.find(self._connection(), account))

    async def claim_unlinkings(self, now: int, expired: int, until: int) -> list[str]:
        """Give accounts whose notice is due, and make it due again at `until`."""
        return await self._within(unlinkings.claim, now, expired, until)

    async def told_unlinking(self, account: str, now: int, again: int) -> None:
        """Record that a notice went out."""
        await self._within(unlinkings.told, account, now, again)

    async def cancel_unlinking(self, account: str, by: str, now: int) -> bool:
        """End a wait; False where none runs."""
        return await self._within(unlinkings.cancel, account, by, now)

    async def finish_unlinking(self, account: str, now: int, told_by: int, expired: int) -> bool:
        """Delete every link of the account and end the wait, where it is over."""
        return await self._within(self._finish_unlinking, account, now, told_by, expired)

    async def pin(self, roster: Roster, before: int, now: int, proof: Vouched = None) -> bool:
        """Replace the pinned roster, whose `seq` is `before`, by one of a higher `seq`."""
        return await self._run(lambda: self._pin(roster, before, now, proof))

    async def journal(self, after: int, limit: int) -> list[JournalEntry]:
        """Give entries of the journal in their order."""
        rows = await self._run(lambda: self._rows(statements.JOURNAL, (after, limit)))
        return [journal.parse(tuple(row.values())) for row in rows]

    async def keep_state(self, state: LinkState) -> None:
        """Record a linking under way and delete old ones."""
        row = (
            state.state, state.session, state.account, state.label, state.issuer, state.nonce, state.verifier,
            state.expires,
        )  # fmt: skip
        await self._run(lambda: self._keep_state(row))

    async def take_state(self, state: str) -> LinkState | None:
        """Give and delete a linking under way."""
        rows = await self._run(lambda: self._returning(statements.TAKE_STATE, (state,)))
        return LinkState(**rows[0]) if rows else None

    async def keep_action(self, digest: str, document: dict[str, Json], now: int) -> None:
        """Record the description of an action by its digest."""
        row = (digest, canonical.encode(document).decode(), now)
        await self._run(lambda: self._change(statements.KEEP_ACTION, row))

    async def find_action(self, digest: str) -> dict[str, Json] | None:
        """Give the description of that digest, of this release or an earlier one."""
        rows = await self._run(lambda: self._rows(statements.FIND_ACTION, (digest,)))
        found = canonical.parse(rows[0]["document"].encode()) if rows else None
        return found if isinstance(found, dict) else None

    async def claim_deliveries(self, now: int, until: int) -> list[Delivery]:
        """Give receipts that are due, and make them due again at `until`."""
        rows = await self._run(lambda: self._returning(statements.CLAIM_DELIVERIES, (now, until)))
        return [Delivery(**row) for row in rows]

    async def delivered(self, delivery: Delivery) -> None:
        """Take a receipt out of the outbox, unless another has taken its place."""
        await self._run(lambda: self._change(statements.DELIVERED, (delivery.id, delivery.receipt)))

    async def postpone(self, delivery: Delivery, due: int) -> None:
        """Count a failed attempt."""
        await self._run(lambda: self._change(statements.POSTPONE, (delivery.id, delivery.receipt, due)))

    async def _within(self, work: Callable[..., _T], *arguments: Any) -> _T:  # noqa: ANN401 - whatever the work takes
        """Do work in a transaction that writes."""

        def transact() -> _T:
            with self._transaction() as connection:
                return work(connection, *arguments)

        return await self._run(transact)

    async def _run(self, work: Callable[[], _T]) -> _T:
        if self._threads is None:
            raise Refusal(Reason.STORE_UNAVAILABLE, "the store is not open")
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except (sqlite3.Error, OSError, RuntimeError) as error:
            raise Refusal(Reason.STORE_UNAVAILABLE, repr(error)) from error

    def _connection(self) -> sqlite3.Connection:
        connection: sqlite3.Connection | None = getattr(self._local, "connection", None)
        if connection is None:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.row_factory = sqlite3.Row
            _use_wal(connection)
            connection.execute("PRAGMA synchronous=FULL")
            self._connections.append(connection)
            self._local.connection = connection
        return connection

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        connection = self._connection()
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise

    def _migrate(self) -> None:
        _create(self._path)
        with self._transaction() as connection:
            version: int = connection.execute("PRAGMA user_version").fetchone()[0]
            for number, text in migrations():
                if number > version:
                    for statement in text.split(";\n"):
                        connection.execute(statement)
                    connection.execute(f"PRAGMA user_version={number:d}")
                    if number == journalling.MIGRATION:
                        journalling.begin(connection)

    def _rows(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        return [dict(row) for row in self._connection().execute(statement, parameters)]

    def _returning(self, statement: str, parameters: tuple[Any, ...]) -> list[dict[str, Any]]:
        with self._transaction() as connection:
            return [dict(row) for row in connection.execute(statement, parameters).fetchall()]

    def _change(self, statement: str, parameters: tuple[Any, ...]) -> int:
        with self._transaction() as connection:
            return connection.execute(statement, parameters).rowcount

    def _recorded(self, statement: str, row: tuple[Any, ...], draft: Draft) -> bool:
        """Change one row and write the journal's entry of it, or neither."""
        with self._transaction() as connection:
            if connection.execute(statement, row).rowcount != 1:
                return False
            journalling.append(connection, draft)
            return True

    def _unlink(self, account: str, iss: str, now: int) -> bool:
        with self._transaction() as connection:
            rows = connection.execute(statements.UNLINK, (account, iss)).fetchall()
            self._end(connection, account, rows, now)
            return bool(rows)

    def _finish_unlinking(
        self, connection: sqlite3.Connection, account: str, now: int, told_by: int, expired: int
    ) -> bool:
        rows = unlinkings.finish(connection, account, told_by, expired)
        self._end(connection, account, rows, now)
        return bool(rows)

    @staticmethod
    def _end(connection: sqlite3.Connection, account: str, rows: list[Any], now: int) -> None:
        """Write the end of links into the journal; with them ends what there is of a wait."""
        for row in rows:
            draft = journal.unlinked(account, _roster(row["roster"]), now, journalling.salt())
            journalling.append(connection, draft)
        if rows:
            unlinkings.forget(connection, account)

    def _pin(self, later: Roster, before: int, now: int, proof: Vouched) -> bool:
        row = (later.iss, later.sub, _text(later), later.seq, before)
        with self._transaction() as connection:
            found = connection.execute(statements.PIN, row).fetchall()
            for row in found:
                draft = journal.roster_pinned(row["account"], later, proof, now, journalling.salt())
                journalling.append(connection, draft)
            return bool(found)

    def _keep_state(self, row: tuple[Any, ...]) -> None:
        with self._transaction() as connection:
            connection.execute(statements.FORGET_STATES, (row[-1],))
            connection.execute(statements.KEEP_STATE, row)

    def _finish(self, key: SpendKey, outcome: Outcome) -> bool:
        kept = outcome.kept
        answer = (kept.status, kept.content_type, kept.body, kept.salt) if kept else (None, None, None, None)
        with self._transaction() as connection:
            row = (*key, outcome.state, outcome.at, outcome.receipt, *answer)
            if connection.execute(statements.FINISH, row).rowcount != 1:
                return False
            connection.execute(statements.PUT_IN_OUTBOX, (key.iss, key.txn, outcome.receipt, outcome.at))
            journalling.append(connection, journal.finished(key, outcome, journalling.salt()))
            return True


def migrations() -> list[tuple[int, str]]:
    """Give the numbered migrations in their order."""
    folder = resources.files("oneact.service.store").joinpath("sql")
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".sql")), key=lambda file: file.name)
    return [(int(file.name.partition("_")[0]), file.read_text("utf-8")) for file in files]


def _create(file: Path) -> None:
    """Make the file where it is absent, 0600; SQLite gives its journals the same mode.

    To close a file that is open elsewhere in the process would end SQLite's locks on it, hence one at a time.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    with _CREATING:
        if not file.exists():
            with suppress(FileExistsError):  # another process was faster
                file.touch(0o600, exist_ok=False)


def _use_wal(connection: sqlite3.Connection) -> None:
    """Turn to write-ahead logging; SQLite does not wait by itself where another process does the same."""
    for attempt in range(_WAL_ATTEMPTS):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if attempt == _WAL_ATTEMPTS - 1:
                raise
            time.sleep(_BUSY_SECONDS / _WAL_ATTEMPTS)
        else:
            return


def _text(found: Roster) -> str:
    return canonical.encode(found.members()).decode()


def _roster(text: str) -> Roster:
    """Read a stored roster; the common, short ones are read once."""
    return _short_roster(text) if len(text) <= _SHORT else _short_roster.__wrapped__(text)


@lru_cache(maxsize=1024)
def _short_roster(text: str) -> Roster:
    return roster.parse(canonical.parse(text.encode()))


def _link(row: dict[str, Any]) -> Link:
    return Link(row["account"], _roster(row["roster"]), row["linked_at"])


def _spend(row: dict[str, Any]) -> Spend:
    kept = None
    if row["status"] is not None:
        kept = Kept(row["status"], row["content_type"], row["body"], row["salt"])
    return Spend(
        key=SpendKey(row["aud"], row["iss"], row["txn"]),
        holder=Holder(row["sub"], row["client_id"], row["jkt"], row["act_digest"]),
        jti=row["jti"],
        account=row["account"],
        action=row["action"],
        spent_at=row["spent_at"],
        deadline_at=row["deadline_at"],
        state=row["state"],
        receipt=row["receipt"],
        kept=kept,
    )
