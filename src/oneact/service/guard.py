"""The guard: its settings, what stands behind it, and its life from start to stop, without any framework."""

from __future__ import annotations

import asyncio
import functools
import inspect
import logging
import os
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import quote

from oneact.documents import CachedDocuments
from oneact.errors import Reason, Refusal
from oneact.fetch import LOCAL_NAMES, Fetcher
from oneact.protocol import metadata, token
from oneact.protocol.action import Rule
from oneact.service import account_page, keys, performing, rounds, settings, stating, unlinking
from oneact.service.act import Act, Asker, LocalAccount
from oneact.service.checks import Trust
from oneact.service.execution import Execution
from oneact.service.issuers import Issuers, Linked
from oneact.service.limits import RateLimit, SeenProofs
from oneact.service.offers import Offers
from oneact.service.once import Once
from oneact.service.outbox import Outbox
from oneact.service.receipts import Receipts
from oneact.service.store.contract import SpendKey
from oneact.service.store.owner import OwnerDatabase
from oneact.service.store.sqlite import SqliteStore
from oneact.service.threads import Threads
from oneact.service.tickets import Beside

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from oneact.protocol.asking import AskingToken
    from oneact.protocol.canonical import Json
    from oneact.protocol.jws import Jws
    from oneact.protocol.read_token import ReadToken
    from oneact.protocol.reading import Read
    from oneact.protocol.token import ActionToken
    from oneact.service.account_page import AccountLinks
    from oneact.service.approvals import Approvals
    from oneact.service.exchange import Answer, Request
    from oneact.service.guarded import Guarded
    from oneact.service.store.contract import State, Store

    Where = Literal["here", "thread", "place"]

_LEARNABLE: Final = frozenset({Reason.TOKEN_ISSUER, Reason.TOKEN_KEY})
_LOG: Final = logging.getLogger("oneact.service")


class GuardCore:
    """What every face of the guard shares.

    `resource` is the service's identifier and the address under which all its paths lie, without a trailing slash.
    `key` is the key file. `store` is the path of an SQLite file, or a `Store`. `account` gives the signed-in
    `LocalAccount` of the framework's request, or None. `issuers` lists the accepted approval servers, or is
    `LINKED`, or is the service's own approval server, in this very process or `Beside` it. `private_hosts` are
    names that may have private addresses and be spoken to without TLS. `terms_per_minute` bounds for each client
    address how often terms are stated without an action token. `notify` is told of an account's id and of what
    became of its link. `approvers` is how many persons may be linked to one account. `allow_insecure_login_age`
    takes an `account` that gives a plain id, of which nobody knows when it signed in, for signed in right now.
    `spends` leads to the database in which handlers write their spends, as `OwnerDatabase` takes it. Raises
    ValueError for a setting that could not work.
    """

    def __init__(  # noqa: PLR0913 - the settings of a service, each by its name
        self,
        *,
        resource: str,
        name: str,
        key: str | Path,
        store: str | Path | Store,
        account: Callable[[Any], Any],
        issuers: Sequence[str] | Linked | Beside | Approvals,
        private_hosts: Collection[str] = (),
        login_uri: str | None = None,
        terms_per_minute: int = 600,
        notify: Callable[[str, str], Any] | None = None,
        approvers: int = 1,
        allow_insecure_login_age: bool = False,
        spends: Any = None,  # noqa: ANN401 - an engine, an alias, a callable: `OwnerDatabase` looks at it
        now: Callable[[], int] = lambda: int(time.time()),
    ) -> None:
        self.private_hosts = settings.hosts(private_hosts)
        self.resource = settings.identifier("resource=", resource.rstrip("/"), {*LOCAL_NAMES, *self.private_hosts})
        self.name, self.now = settings.name(name), now
        self.login_uri = settings.login_uri(login_uri)
        self.fetcher = Fetcher(self.resource, self.private_hosts)
        self.approvals = settings.approvals(issuers)
        if self.approvals is not None:
            self.fetcher = self.approvals.attach(self)
        self.beside = issuers if isinstance(issuers, Beside) else None
        accepted = settings.issuers(issuers, self.fetcher.excepted)
        self.approvers = settings.approvers(approvers, self.own_server)
        self.rate = RateLimit(settings.rate(terms_per_minute))
        self.keys = keys.load(key)
        self.store: Store = SqliteStore(store) if isinstance(store, str | Path) else store
        self.documents = CachedDocuments(self.fetcher)
        self.issuers = Issuers(accepted, self.store, self.documents)
        self.notify = notify
        self.actions: dict[str, Guarded] = {}
        self.reads: dict[str, Read] = {}
        self.threads = Threads()
        self._owner = None if spends is None else OwnerDatabase(spends)
        self.execution = self._execution()
        self.outbox = Outbox(self.store, self.issuers, now, self.fetcher)
        self.unlink_command = ""  # what the link page tells a person who owns this machine
        self._account = account
        self._insecure_login_age = allow_insecure_login_age
        address = metadata.well_known(self.resource, metadata.SERVICE_PATH)
        self.offers = Offers(self.resource, self.keys, address)
        self._proofs = SeenProofs()
        self._rounding: asyncio.Task[None] | None = None
        self._ending = asyncio.Event()
        self.loop: asyncio.AbstractEventLoop | None = None
        self._opening = asyncio.Lock()
        self._process = os.getpid()

    async def start(self) -> None:
        """Open the store, say `unknown` of what a crash cut off, and begin to deliver receipts; may be called again."""
        self._leave_what_another_process_began()
        if self._rounding is not None and not self._rounding.done():
            return
        async with self._opening:
            if self._rounding is not None and not self._rounding.done():
                return
            await self.store.open()
            for guarded in self.actions.values():
                await self.store.keep_action(guarded.action.digest, guarded.action.document, self.now())
            if self.approvals is not None:
                await self.approvals.start()
            await self.execution.recover()
            self.loop = asyncio.get_running_loop()
            self._ending = asyncio.Event()
            self._rounding = self.loop.create_task(rounds.make(self, self._ending))

    async def flush(self, seconds: float) -> None:
        """Finish the acts under way and try every receipt that waits once more, within so many seconds; then `stop`.

        For a process that may not run again for days; what has not arrived by then is kept.
        """
        until = time.monotonic() + seconds
        await self.execution.drain(seconds)
        self._ending.set()
        if self._rounding is not None:
            await asyncio.wait({self._rounding}, timeout=max(0.0, until - time.monotonic()))

    async def stop(self) -> None:
        """Finish the acts under way, stop delivering, let go of the store."""
        await self.execution.drain()
        if self._rounding is not None:
            self._rounding.cancel()
            await asyncio.wait({self._rounding})
            self._rounding = None
        self._opening = asyncio.Lock()  # a guard may be started again in another loop
        if self.approvals is not None:
            await self.approvals.stop()
        await self.store.close()

    async def call(self, function: Callable[[], Any], where: Where = "thread") -> Any:  # noqa: ANN401 - the owner's own
        """Call a function of the owner's and give what it returns: the one way to all of them.

        An asynchronous one is awaited. One that is not runs in the loop itself (`here`), in a thread, or, as a handler
        does, in the thread whose place has been taken before anything was spent (`place`).
        """
        if inspect.iscoroutinefunction(function):
            return await function()
        if where == "here":
            found = function()
        else:
            found = await (self.threads.run(function) if where == "place" else asyncio.to_thread(function))
        return await found if inspect.isawaitable(found) else found

    def check_owned(self, what: str, function: Callable[..., Any] | None) -> None:
        """Raise ValueError for a function of the owner's that this face of the guard cannot call; here it calls any."""

    def register(self, guarded: Guarded) -> None:
        """Add an action; raises ValueError for a name that is taken, and for a rule that nobody could meet.

        Any one of an account's approvers approves; no approval server collects the approvals of several yet.
        """
        if guarded.action.name in self.actions:
            raise ValueError(f"two actions are named {guarded.action.name}")
        if guarded.action.rule != Rule():
            raise ValueError(
                f"action {guarded.action.name}: {guarded.action.rule} cannot be met, since no approval server "
                "collects the approvals of several persons; leave rule= out"
            )
        if guarded.spends and not isinstance(self.execution, Once):
            raise ValueError(
                f"action {guarded.action.name}: spends=True needs the guard's spends=, a database to look in"
            )
        self.actions[guarded.action.name] = guarded

    def spend(self, session: Any, act: Act | None = None) -> None:  # noqa: ANN401 - the owner's own
        """Write the spend of the act under way in the handler's own transaction, which makes it exactly once.

        `session` is a DB-API connection, a session or connection of SQLAlchemy, a connection of Django or its alias.
        `act` is needed where the handler hands its work to a thread of its own. Raises RuntimeError outside of a
        transaction or of a handler with `spends=True`, TimeoutError past its deadline. Refuses `already_spent` where
        the act was executed before, and rolls the transaction back; let everything that is raised here pass.
        """
        if not isinstance(self.execution, Once):
            raise RuntimeError("guard.spend needs the guard's spends=, a database to look in")  # noqa: TRY004 - a setting
        self.execution.write(session, act)

    async def perform(self, guarded: Guarded, given: dict[str, Any], request: Request) -> Answer:
        """Answer one request to a guarded action whose parameters, flat, are `given`."""
        return await performing.perform(self, guarded, given, request)

    async def make_offer(self, guarded: Guarded, parameters: dict[str, Json], issuer: str, asker: Asker | None) -> str:
        """Make an offer for the approval server `issuer`, with the terms as they stand at this moment."""
        return await stating.offered(self, guarded, parameters, issuer, asker)

    async def settle(self, issuer: str, txn: str, state: State) -> bool:
        """Say what became of an act that is `unknown`, `executed` or `failed`, with a receipt; False if it is not."""
        await self.start()
        return await self.execution.settle(SpendKey(self.resource, issuer, txn), state)

    async def links_of(self, account: str) -> AccountLinks:
        """Give the links of a local account, for the owner's own account page."""
        await self.start()
        links, at = await self.store.links(account), await unlinking.ends(self, account)
        way = self.resource + unlinking.UNLINK_PATH if self.tells_later else None
        return account_page.read(links, f"{self.resource}/oneact/link", way, at)

    async def links_html(self, account: str) -> str:
        """Give the same as a piece of HTML without script and style, everything in it escaped."""
        return account_page.fragment(await self.links_of(account))

    async def unlink(self, account: str) -> bool:
        """Take every approval server off a local account, without any passkey; False where it has none.

        For the owner's own support, where all of a person's passkeys are lost. It is as strong a credential as any:
        who talks the support into it can link the account to an approval server of their own, or make a passkey.
        """
        await self.start()
        issuers = [link.roster.iss for link in await self.store.links(account)]
        gone = [await self.store.unlink(account, issuer, self.now()) for issuer in issuers]
        if any(gone):
            await self.tell(account, "unlinked")
        return any(gone)

    @property
    def tells_later(self) -> bool:
        """Tell whether notices reach the owner at any time, so also while no request is under way."""
        return self.notify is not None

    @property
    def own_server(self) -> str | None:
        """Give the issuer of the service's own approval server, whose persons are the accounts here; None without."""
        own = self.beside or self.approvals
        return None if own is None else own.issuer

    def sign_in(self, here: str) -> str | None:
        """Give the address of the service's sign-in; `{next}` in it stands for the path `here`, to come back to."""
        return None if self.login_uri is None else self.login_uri.replace("{next}", quote(here, safe=""))

    async def signed_in(self, native: object) -> LocalAccount | None:
        """Give the local account of the framework's request."""
        found = await self.call(functools.partial(self._account, native), "here")
        if isinstance(found, str) and self._insecure_login_age:
            return LocalAccount(found, found, self.now())
        if isinstance(found, str):
            return LocalAccount(found, found, 0)
        if found is not None and not isinstance(found, LocalAccount):
            raise TypeError("account= has to give a LocalAccount, a text or None")
        return found

    async def tell(self, account: str, event: str) -> bool:
        """Tell the owner what became of an account's link, who passes it on to the account's known address.

        Gives False where the owner has not taken it.
        """
        if self.notify is None:
            return False
        try:
            await self.call(functools.partial(self.notify, account, event), "here")
        except Exception:  # noqa: BLE001 - what stands stands, whether or not the notice went out
            _LOG.exception("notice of %s was not given", event)
            return False
        return True

    def trust(self) -> Trust:
        """Give what the service holds true at this moment."""
        return Trust(self.resource, self.keys.txn_keys, self.issuers.known())

    async def learn(
        self,
        token_text: str,
        reason: Reason,
        parse: Callable[[str], tuple[ActionToken | AskingToken | ReadToken, Jws]] = token.parse,
    ) -> bool:
        """Fetch the keys that a token needs, if its issuer is accepted; False where that changes nothing."""
        if reason not in _LEARNABLE:  # before the text is read: what made it too large is among the others
            return False
        issuer = parse(token_text)[0].iss
        if not await self.issuers.accepts(issuer):
            return False
        await self.issuers.keys(issuer, refresh=reason is Reason.TOKEN_KEY)
        return True

    def remember(self, jkt: str, jti: str, now: int) -> None:
        """See a proof once (check 5, its end)."""
        self._proofs.remember(jkt, jti, now)

    def _leave_what_another_process_began(self) -> None:
        """Begin anew in a process that was forked off: threads and tasks stay behind in the one that has them."""
        if self._process == os.getpid():
            return
        if self.approvals is not None and self._rounding is not None:
            raise Refusal(Reason.STORE_UNAVAILABLE, "the approval server runs in the process that forked this one off")
        self._process, self._rounding, self._opening = os.getpid(), None, asyncio.Lock()
        self.threads = Threads()
        self.execution = self._execution()

    def _execution(self) -> Execution:
        signer = Receipts(self.keys)
        if self._owner is None:
            return Execution(self.store, signer, self.now)
        return Once(self.store, signer, self.now, self._owner, self.resource)
