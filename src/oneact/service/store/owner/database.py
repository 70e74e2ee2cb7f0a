"""The owner's database: a handler writes its spend there, the guard looks there on connections of its own."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, Any, Final, NamedTuple, TypeVar

from oneact.errors import Reason, Refusal
from oneact.service.store.contract import Holder, Spend, SpendKey
from oneact.service.store.owner import statements
from oneact.service.store.owner.session import session

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from oneact.service.store.owner.session import Session

_THREADS: Final = 4
_T = TypeVar("_T")


class Written(NamedTuple):
    """A spend that has been committed, and which run of the handler wrote it."""

    spend: Spend
    run: str


class OwnerDatabase:
    """Looks into the owner's table of spends.

    `source` gives a connection: an SQLAlchemy engine, the alias of a Django database, or a callable that gives a
    new session or connection, which is closed after use. It has to lead where the handlers' transactions are
    committed, not to a replica. Whatever cannot be decided raises `Refusal(STORE_UNAVAILABLE)`.
    """

    def __init__(self, source: Any) -> None:  # noqa: ANN401 - the owner's own
        if not isinstance(source, str) and not callable(source) and not hasattr(source, "connect"):
            raise ValueError("spends= is an SQLAlchemy engine, a Django alias, or gives a new connection when called")
        self._source = source
        self._threads = ThreadPoolExecutor(_THREADS, "oneact-owner-database")

    async def find(self, key: SpendKey) -> Written | None:
        """Give the spend of this key, if it has been committed."""
        found = await self._run(lambda: self._rows(statements.FIND, key._asdict()))
        return found[0] if found else None

    async def is_taken(self, key: SpendKey) -> bool:
        """Tell whether a spend of this key has been committed, and not merely is not to be seen.

        It tries to write one, and rolls that back: whose transaction is still open holds the key against it. Refuses
        `store_unavailable` where that went on for too long.
        """
        return await self._run(lambda: self._is_taken(key))

    async def unrecorded(self, aud: str, before: int) -> list[Written]:
        """Give spends, some hundred at most, that the guard has not ticked off though their deadline lies before."""
        return await self._run(lambda: self._rows(statements.UNRECORDED, {"aud": aud, "before": before}))

    async def tick_off(self, keys: list[SpendKey]) -> None:
        """Note that the guard's own store has these spends with their outcome, and drop the tokens it has as well."""
        await self._run(lambda: self._change([(statements.RECORDED, key._asdict()) for key in keys]))

    async def forget(self, aud: str, before: int) -> None:
        """Delete spends from before that second that have been ticked off."""
        await self._run(lambda: self._change([(statements.FORGET, {"aud": aud, "before": before})]))

    async def _run(self, work: Callable[[], _T]) -> _T:
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        except Exception as error:  # each driver has errors of its own
            raise Refusal(Reason.STORE_UNAVAILABLE, f"the owner's database: {error!r}") from error

    @contextmanager
    def _opened(self, *, keep: bool = False) -> Iterator[Session]:
        """Open a transaction that is rolled back, or committed where nothing was raised."""
        opened = session(_opened(self._source))
        try:
            opened.begin()
            try:
                yield opened
            except BaseException:
                opened.end(keep=False)
                raise
            opened.end(keep=keep)
        finally:
            opened.close()

    def _rows(self, statement: str, values: dict[str, Any]) -> list[Written]:
        with self._opened() as opened:
            return [_written(row) for row in opened.rows(statement, values)]

    def _change(self, changes: list[tuple[str, dict[str, Any]]]) -> None:
        with self._opened(keep=True) as opened:
            for statement, values in changes:
                opened.execute(statement, values)

    def _is_taken(self, key: SpendKey) -> bool:
        with self._opened() as opened:
            if opened.is_postgresql:
                opened.execute(statements.BE_IMPATIENT)
            return opened.execute(statements.WRITE, _values(Spend(key, _NOBODY, "", "", "", 0, 0), "")) != 1


_NOBODY: Final = Holder("", "", "", "")


def write(native: Any, spend: Spend, run: str) -> None:  # noqa: ANN401 - the owner's own
    """Write a spend in the transaction of a handler.

    Raises RuntimeError outside of a transaction. Refuses `already_spent` where another has written it; the
    transaction is then rolled back, or will be.
    """
    found = session(native)
    if found.commits_each():
        raise RuntimeError("guard.spend needs a transaction: this connection commits each statement by itself")
    if found.execute(statements.WRITE, _values(spend, run)) != 1:
        with suppress(Exception):  # a driver that forbids it within a block of its own rolls back as this leaves it
            found.spoil()
        raise Refusal(Reason.ALREADY_SPENT, spend.key.txn)


def _opened(source: Any) -> Any:  # noqa: ANN401 - as for the class
    if isinstance(source, str):
        return source
    return source.connect() if hasattr(source, "connect") else source()


def _values(spend: Spend, run: str) -> dict[str, str | int | None]:
    holder = spend.holder
    return {
        **spend.key._asdict(),
        "run": run,
        "jti": spend.jti,
        "sub": holder.sub,
        "client_id": holder.client_id,
        "jkt": holder.jkt,
        "act_digest": holder.act_digest,
        "account": spend.account,
        "action": spend.action,
        "spent_at": spend.spent_at,
        "deadline_at": spend.deadline_at,
        "token": spend.token,
    }


def _written(row: tuple[Any, ...]) -> Written:
    found = dict(zip(statements.COLUMNS, row, strict=True))
    key = SpendKey(found["aud"], found["iss"], found["txn"])
    holder = Holder(found["sub"], found["client_id"], found["jkt"], found["act_digest"])
    spend = Spend(
        key, holder, found["jti"], found["account"], found["action"], found["spent_at"], found["deadline_at"],
        token=found["token"],
    )  # fmt: skip
    return Written(spend, found["run"])
