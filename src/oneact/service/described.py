"""Actions that a schema describes: what the guard's faces without pydantic share."""

from __future__ import annotations

import functools
import inspect
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Final, Generic, TypeVar, Unpack

from oneact.protocol.action import Rule
from oneact.service import actions, approvers, endpoints, exchange, readers, reading
from oneact.service.askers import asker_argument
from oneact.service.declaring import Options, published, takes
from oneact.service.guard import GuardCore
from oneact.service.guarded import DEADLINE, Guarded, by_schema

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from oneact.protocol.canonical import Json
    from oneact.service.act import Act, Reading
    from oneact.service.exchange import Answer, Request

UNLINK: Final = "oneact.unlink"

E = TypeVar("E")


class DescribedGuard(GuardCore, ABC, Generic[E]):
    """The guard with actions whose schemas are written down; `E` is what a face gives for the route of one."""

    def __init__(self, **settings: Any) -> None:  # noqa: ANN401 - they are named and typed at GuardCore
        super().__init__(**settings)
        action = actions.describe(
            UNLINK,
            intent="Unlink the account",
            summary="Take {issuer} off this account; its agents can do nothing here any more",
            schema={"type": "object", "properties": {"issuer": {"type": "string"}}, "required": ["issuer"]},
            terms=None,
            sources={},
            display=None,
            reversible=True,
            rule=Rule(),
            method="POST",
            path=endpoints.ACT_PATH,
        )
        self.register(Guarded(action, by_schema(action.schema), self._unlink))
        if self.approvers > 1:
            approvers.register(self, endpoints.ACT_PATH)

    @abstractmethod
    def _endpoint(self, name: str) -> E:
        """Give what stands at the route of the action `name`."""

    @takes(Options)
    def described(
        self,
        name: str,
        *,
        schema: Mapping[str, Json],
        sources: Mapping[str, str] | None = None,
        method: str = "POST",
        path: str = endpoints.ACT_PATH,
        **said: Unpack[Options],
    ) -> Callable[[Callable[[dict[str, Any], Act], Any]], E]:
        """Guard `handler(parameters, act)` and give the endpoint for its route.

        `schema` describes the parameters, `sources` where each comes from (`body` where nothing is said, `path`,
        `query` or `form`). `terms(parameters)` states the terms, described by `terms_schema`, and also runs for
        callers who are not known; `terms_hold(parameters, terms)` tells whether terms stated earlier still stand. Where
        either has one more argument annotated `Asker`, the terms are told to the agent of a linked person alone.
        `display` gives labels, or labels with formats. `deadline` is in seconds, `spends` says that the handler calls
        `guard.spend`. An action without a route of its own runs by its name at `/oneact/act` alone. The handler gives
        JSON, octets, an `Answer`, or `(status, headers, body)`.
        """
        action = actions.describe(
            name,
            **published(said),
            schema=schema,
            terms=_terms_schema(name, said),
            sources=sources or {},
            method=method,
            path=path,
        )
        terms, terms_hold = said.get("terms"), said.get("terms_hold")
        deadline, spends = said.get("deadline", DEADLINE), said.get("spends", False)

        def decorate(handler: Callable[[dict[str, Any], Act], Any]) -> E:
            for what, owned in (("the handler", handler), ("terms=", terms), ("terms_hold=", terms_hold)):
                self.check_owned(f"action {name}: {what}", owned)

            async def run(parameters: dict[str, Any], act: Act) -> Answer:
                return exchange.of_result(await self.call(functools.partial(handler, parameters, act), "place"))

            personal = any(asker_argument(function) for function in (terms, terms_hold))
            quote, holds = self._called(terms, personal=personal), self._called(terms_hold, personal=personal)
            blocking = not inspect.iscoroutinefunction(handler)
            normalise = by_schema(action.schema)
            self.register(Guarded(action, normalise, run, quote, holds, deadline, blocking, spends, personal))
            return self._endpoint(name)

        return decorate

    async def acted(self, name: str, path: Mapping[str, str], request: Request) -> Answer:
        """Answer one request to the route of the action `name`, of whose path a router has read `path`."""
        guarded = self.actions[name]
        if request.method != guarded.action.method:
            return exchange.of_other_method(request, [guarded.action.method])
        given = reading.typed(guarded, reading.given(guarded, request, path))
        return await self.perform(guarded, given, request)

    def publish_read(self, name: str, intent: str, path: str) -> None:
        """Publish a read at its path; raises ValueError for a name that is taken, or what cannot be published."""
        if name in self.reads:
            raise ValueError(f"two reads are named {name}")
        self.reads[name] = readers.describe(name, intent, path)

    async def read_by(self, name: str, handler: Callable[[Request, Reading], Any], request: Request) -> Answer:
        """Answer one request to the route of the read `name`, a GET, for whoever a person has opened it to."""
        if request.method != "GET":
            return exchange.of_other_method(request, ["GET"])
        found = await readers.reading_of(self, name, request)
        return exchange.of_result(await self.call(functools.partial(handler, request, found)))

    def _called(self, function: Callable[..., Any] | None, *, personal: bool) -> Callable[..., Awaitable[Any]] | None:
        """Give the owner's function as the guard calls it: where terms are personal, with who asks as last argument."""
        if function is None:
            return None
        if not personal:
            return lambda *arguments: self.call(functools.partial(function, *arguments))
        by = asker_argument(function)

        def call(*arguments: Any) -> Awaitable[Any]:  # noqa: ANN401 - parameters, terms, who asks
            *given, asker = arguments
            return self.call(functools.partial(function, *given, **({by: asker} if by else {})))

        return call

    async def _unlink(self, parameters: dict[str, Any], act: Act) -> Answer:
        if not await self.store.unlink(act.account, parameters["issuer"], self.now()):
            return exchange.of_json({"error": "not_linked"}, 404)
        await self.tell(act.account, "unlinked")
        return exchange.of_json({"unlinked": parameters["issuer"]})


def _terms_schema(name: str, said: Options) -> Mapping[str, Json] | None:
    schema = said.get("terms_schema")
    if (said.get("terms") is None) != (schema is None):
        raise ValueError(f"action {name}: terms= and terms_schema= come together")
    return schema
