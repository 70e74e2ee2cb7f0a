"""What the author of an agent uses: open once, then one act at a time."""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final, ParamSpec, Self, TypeVar
from urllib.parse import urlencode

from oneact.agent import flow, keys, opening
from oneact.agent.client import Shell, check_url
from oneact.agent.company import Company
from oneact.agent.errors import Refused, as_refused
from oneact.agent.integrations import tools
from oneact.agent.reads import Reads
from oneact.agent.result import Result, ended, is_still, strict
from oneact.errors import Reason
from oneact.protocol import canonical, jwk, metadata

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Generator, Mapping, Sequence

    from oneact.agent.company import Coming
    from oneact.agent.errors import AgentError
    from oneact.agent.integrations.local import Functions
    from oneact.agent.integrations.tools import Tool
    from oneact.agent.keys import Pairing
    from oneact.protocol.canonical import Json
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServerMetadata


_P = ParamSpec("_P")
_R = TypeVar("_R")
_TOGETHER: Final = 0.05  # seconds in which acts are started that a framework starts at once


class Agent:
    """An agent that is paired with one person at one approval server; made by `Agent.open`."""

    def __init__(self, shell: Shell, server: ServerMetadata, pairing_: Pairing, file: Path) -> None:
        self._shell = shell
        self._server = server
        self._pairing = pairing_
        self._folder = file.with_suffix(".functions")
        self._reads = Reads(shell)
        self._companies: dict[str, Company] = {}
        self._functions: Functions | None = None

    @classmethod
    async def open(
        cls,
        issuer: str,
        *,
        name: str = "An agent",
        key_file: str | Path | None = None,
        on_code: Callable[[str, str], None] | None = None,
        pairing_code: str = "",
        again: bool = False,
    ) -> Self:
        """Open the pairing with an approval server; on first use make the key, register it and pair.

        `name` is what the person sees when they pair. `key_file` keeps the pairing, by default one file for each server
        under ONEACT_HOME. `on_code(code, address)` shows the person what to type where; by default it is printed, with
        the fingerprint that their page will show. With `pairing_code`, which the person made at their own page, there
        is nothing to type: `on_code` gets an empty code, and the address where they confirm. `again` pairs anew, with
        the same key, where the person has removed or blocked the agent (`hint_unknown`), or the server has forgotten
        it (`client_unknown`). Raises `Denied`, `Expired`, `Unreachable`, or `Refused`, also for a key file that cannot
        be used.
        """
        issuer = check_url(issuer.rstrip("/"))
        file = Path(key_file) if key_file is not None else keys.default_file(issuer)
        shell, server, found = await opening.opened(issuer, file, name, on_code, pairing_code, again=again)
        return cls(shell, server, found, file)

    @property
    def fingerprint(self) -> str:
        """Give what the person sees beside the agent's name: the first of its key's thumbprint, in groups."""
        return jwk.fingerprint(self._pairing.key.public.thumbprint)

    async def act(  # noqa: PLR0913 - what is wanted, and how it is asked for
        self,
        service: str,
        action: str,
        parameters: dict[str, Json],
        *,
        reason: str = "",
        wait: int = 600,
        idempotency_key: str = "",
        keep: bool = False,
        together: bool = False,
        still: Callable[[], bool] | None = None,
    ) -> Result:
        """Have one act done by its name, and wait at most `wait` seconds for the person.

        `reason` is shown to the person as the agent's own words. With `keep` a request that nobody has decided by then
        is not taken back: that is `Undecided`, and the same call with the same `idempotency_key` goes on with it. Acts
        that are started `together`, within a twentieth of a second, are one page for the person, as in `batch`.
        Raises `Denied`, `Expired`, `Refused`, `Unreachable` or `OutcomeUnknown`; `Refused` with `act_mismatch` where
        `parameters` were changed while the person was asked, or `still` then says that something else is meant by now.
        """
        asker = self._asker(reason, wait, idempotency_key, keep=keep)
        coming = self._company(service).coming() if together else None
        return await self._act(service, action, parameters, asker, coming, still)

    async def batch(
        self,
        acts: Sequence[tuple[str, str, dict[str, Json]]],
        *,
        reason: str = "",
        wait: int = 600,
        idempotency_keys: Sequence[str] = (),
        keep: bool = False,
    ) -> list[Result | AgentError]:
        """Have several acts done, each `(service, action, parameters)`, with one page and one gesture for the person.

        Gives for each what `act` gives or raises, in their order: the person may deny some of them. There is a page for
        each service, and for each twenty of its acts. `idempotency_keys` name the wishes, one for each act. Raises
        `Refused` where there are no acts, or not as many keys.
        """
        keys_ = idempotency_keys or [""] * len(acts)
        if not acts or len(keys_) != len(acts):
            raise Refused(Reason.REQUEST_MALFORMED.value, "a batch has acts, and a key for each or none")
        askers = [self._asker(reason, wait, key, keep=keep) for key in keys_]
        company = Company(self._shell)
        coming = [company.coming() for _ in acts]
        ways = (self._act(*act, asker, one) for act, asker, one in zip(acts, askers, coming, strict=True))
        return await asyncio.gather(*map(ended, ways))

    async def call(  # noqa: PLR0913 - the parts of a request
        self,
        method: str,
        url: str,
        *,
        json: Mapping[str, Json] | None = None,
        form: Mapping[str, str] | None = None,
        service: str | None = None,
        reason: str = "",
        wait: int = 600,
        idempotency_key: str = "",
    ) -> Result:
        """Make one request to any guarded address; `service` is its identifier, by default the address's origin."""
        described, found = await self._discover(service or metadata.origin(check_url(url)))
        plain = None if json is None else strict(dict(json))
        body, kind = None, ""
        if plain is not None:
            body, kind = canonical.encode(plain), "application/json"
        elif form is not None:
            body, kind = urlencode(form).encode(), "application/x-www-form-urlencoded"
        wanted = flow.Wanted(described.resource, method.upper(), url, body, kind, None, plain)
        return await self._run(wanted, described, found, self._asker(reason, wait, idempotency_key), None)

    async def read(  # noqa: PLR0913 - what is read, and what a session is asked for with
        self,
        service: str,
        name: str,
        parameters: dict[str, Json] | None = None,
        *,
        reads: Sequence[str] = (),
        seconds: int = 3600,
        reason: str = "",
        wait: int = 600,
    ) -> Result:
        """Read once, by the read's name; where no session over it is open, the person is asked to open one.

        `parameters` go into the path where it names them, else into the query. `reads` are others to be opened with it,
        for 60 to 3,600 `seconds`. One over the same reads that is open already is taken up without asking. Raises
        `Denied`, `Expired`, `Unreachable` or `Refused`: with `read_ended` where the session is over or the person has
        ended it, after which the next call asks anew.
        """
        address, asker = check_url(service.rstrip("/")), self._asker(reason, wait, "")
        return await self._reads.read(address, (name, *reads), strict(parameters or {}), seconds, asker)

    async def tools(
        self, service: str, *, only: Collection[str] = (), reads: bool = True, reason: str = "", wait: int = 600
    ) -> list[Tool]:
        """Make a tool for a model of each action and read that a service publishes, or of those named in `only`.

        `reason` and `wait` are as in `act`. Raises `Unreachable`, or `Refused` where one of `only` is not published.
        """
        return await tools.of_service(self, check_url(service.rstrip("/")), only, reason, wait, reads=reads)

    def approved(
        self, intent: str = "", summary: str = "", *, reason: str = "", wait: int = 600
    ) -> Callable[[Callable[_P, Awaitable[_R] | _R]], Callable[_P, Awaitable[_R]]]:
        """Have each call of a function of this program approved: `@agent.approved("Send a mail", "To {to}")`.

        The person reads `intent` and `summary`, whose placeholders are arguments, and every argument by its name. The
        function becomes asynchronous, and raises what `act` raises. It is checked inside the agent, which stops the
        model and not a hostile program; the page says so. Needs the extra `functions`, and an approval server on this
        computer. Raises ValueError for arguments that could not be shown.
        """
        from oneact.agent.integrations import function  # noqa: PLC0415 - only here is the extra `functions` needed

        return function.approved(self.functions, intent, summary, {"reason": reason, "wait": wait})

    def functions(self, *, on_link: Callable[[str], None] | None = None) -> Functions:
        """Give the service of this program's own functions, which starts with the first call of one.

        `on_link` shows the person the address where they link it, once; by default it is printed to stderr. Keep it
        from the model.
        """
        from oneact.agent.integrations import local  # noqa: PLC0415 - as above

        if self._functions is None:
            self._functions = local.Functions(self, self._shell, self._folder, _print_link)
        self._functions.on_link = on_link or self._functions.on_link
        return self._functions

    async def close(self) -> None:
        """Close the connections, and end the service of this program's own functions; the pairing stays."""
        if self._functions is not None:
            await self._functions.close()
        await self._shell.close()

    async def __aenter__(self) -> Self:
        """Use the agent for the time of a block."""
        return self

    async def __aexit__(self, *_: object) -> None:
        """Close the connections."""
        await self.close()

    async def _discover(self, service: str) -> tuple[metadata.ServiceMetadata, dict[str, PublicKey]]:
        with as_refused():
            return await self._shell.run(flow.discover(check_url(service.rstrip("/"))))

    async def _act(
        self,
        service: str,
        action: str,
        parameters: dict[str, Json],
        asker: flow.Asker,
        coming: Coming | None,
        still: Callable[[], bool] | None = None,
    ) -> Result:
        """Go the way of one act by its name, alone or in the company in which it is coming."""
        with coming or contextlib.nullcontext():
            plain = strict(parameters)
            described, found = await self._discover(service)
            wanted = flow.by_name(described.resource, action, plain, described.act_uri)
            meant = replace(wanted, still=still or partial(is_still, parameters, plain))
            return await self._run(meant, described, found, asker, coming)

    async def _run(
        self,
        wanted: flow.Wanted,
        described: metadata.ServiceMetadata,
        found: dict[str, PublicKey],
        asker: flow.Asker,
        coming: Coming | None,
    ) -> Result:
        with as_refused():
            if coming is None:
                outcome = await self._shell.run(flow.act(wanted, asker, described, found))
            else:
                outcome = await self._run_together(flow.offered(wanted, asker, described, found), described, coming)
        await self._deliver(outcome)
        return Result(outcome.status, outcome.content_type, outcome.body, outcome.receipt, outcome.jws)

    async def _run_together(
        self,
        going: Generator[flow.Step, flow.Event, flow.Offered | flow.Outcome],
        described: metadata.ServiceMetadata,
        coming: Coming,
    ) -> flow.Outcome:
        """Go the way of one act in three stretches, the middle one together with others."""
        found = await self._shell.run(flow.linkable(described, going))
        if isinstance(found, flow.Outcome):
            return found
        asked = await coming.ask(described, found)
        return await self._shell.run(flow.linkable(described, flow.outcome(found, asked)))

    def _company(self, service: str) -> Company:
        """Give those that are asked about together at one service: no other, which may be slow, holds them up."""
        return self._companies.setdefault(service.rstrip("/"), Company(self._shell, _TOGETHER))

    def _asker(self, reason: str, wait: int, idempotency_key: str, *, keep: bool = False) -> flow.Asker:
        """Give who asks; raises `Refused` for a key that no header can hold."""
        if not idempotency_key.isascii() or not idempotency_key.isprintable():
            raise Refused(Reason.REQUEST_MALFORMED.value, "idempotency_key is not of printable ASCII")
        held = self._pairing
        return flow.Asker(
            self._server, held.hint, held.client_id, held.key.public.thumbprint,
            idempotency_key or secrets.token_urlsafe(16), reason, wait, keep,
        )  # fmt: skip

    async def _deliver(self, outcome: flow.Outcome) -> None:
        """Bring the receipt to the approval server too, for a service that cannot reach it; best effort."""
        if outcome.receipt is not None:
            address = self._server.endpoints["receipt_endpoint"]
            headers = {"Content-Type": "application/jwt"}
            await self._shell.call(flow.Call("POST", address, headers, body=outcome.jws.encode("ascii")))


def _print_link(address: str) -> None:
    print(f"To link this agent's own functions, open {address}", file=sys.stderr, flush=True)  # noqa: T201 - the person has to see it
