"""A guarded service as tools for a model: names, descriptions, schemas and a callable, for any framework or none."""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from oneact.agent import published
from oneact.agent.errors import AgentError, Refused, Undecided
from oneact.agent.integrations.telling import Told, told
from oneact.errors import Reason
from oneact.protocol import canonical, reading
from oneact.protocol.action import Action
from oneact.protocol.reading import Read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping

    from oneact.agent.agent import Agent
    from oneact.protocol.canonical import Json

_PLACE: Final = re.compile(r"\{([^{}]+)\}")
_OWN: Final = "oneact."  # the protocol's own actions, such as to unlink the account, are nothing to offer a model
_ASKED: Final = "Each call is shown to a person, who approves or denies it; that can take minutes."
_OPENED: Final = "A person is asked once before it can be read."


@dataclass(frozen=True, slots=True)
class Tool:
    """One action or read of a service. `schema` is the JSON Schema of its arguments; `name` fits any model."""

    name: str
    description: str
    schema: dict[str, Json]
    service: str
    published: str
    agent: Agent = field(repr=False)
    wait: int = 600
    reason: str = ""
    reads: tuple[str, ...] | None = None

    async def __call__(self, **arguments: Json) -> str:
        """Have it done and give what a model is told."""
        return (await self.call(arguments)).text

    async def call(
        self, arguments: Mapping[str, Any], *, key: str = "", keep: bool = False, wait: int | None = None
    ) -> Told:
        """Have it done, and give what a model is told of it; raises what it must not be told, see `told`.

        `key` names this one call, so that the same again goes on with it and never asks anew. `keep` raises `Undecided`
        where the person has not decided after `wait` seconds, and leaves the request standing. Calls that start at once
        are one page for the person.
        """
        patience = self.wait if wait is None else wait
        given = arguments if isinstance(arguments, dict) else dict(arguments)  # itself: what changes later is noticed
        try:
            if self.reads is not None:
                ended = await self.agent.read(
                    self.service, self.published, given, reads=self.reads, reason=self.reason, wait=patience
                )
            else:
                ended = await self.agent.act(
                    self.service, self.published, given,
                    reason=self.reason, wait=patience, idempotency_key=key, keep=keep, together=True,
                )  # fmt: skip
        except Undecided:
            raise
        except AgentError as error:
            return told(error)
        return told(ended)


def wish(*parts: str) -> str:
    """Give the idempotency key of one call, out of what a framework calls it by: its run, the call, in that order."""
    return canonical.sha256(b"oneact-call-1\n" + canonical.encode(list(parts)))


def distinct(of: Iterable[Tool]) -> list[Tool]:
    """Give tools of which no two have one name; raises ValueError where one service's would stand in for another's."""
    found = list(of)
    for name, times in Counter(tool.name for tool in found).items():
        if times > 1:
            services = ", ".join(tool.service for tool in found if tool.name == name)
            raise ValueError(f"{name} is the name of several tools, of {services}: rename one with dataclasses.replace")
    return found


async def of_service(
    agent: Agent, service: str, only: Collection[str], reason: str, wait: int, *, reads: bool
) -> list[Tool]:
    """Make a tool of each action and read that a service publishes, or of those in `only`."""
    found: list[Action | Read] = [*await published.published_actions(service)]
    if reads:
        found += await published.published_reads(service)
    wanted = [each for each in found if (each.name in only if only else not each.name.startswith(_OWN))]
    if missing := set(only) - {each.name for each in wanted}:
        raise Refused(Reason.ACTION_UNKNOWN.value, f"{service} publishes no {', '.join(sorted(missing))}")
    if len({_name(each.name) for each in wanted}) < len(wanted):
        raise Refused(Reason.ACTION_INVALID.value, f"{service} publishes two names that are one to a model")
    together = tuple(each.name for each in wanted if isinstance(each, Read))
    return [
        _of_action(each, agent, service, reason, wait)
        if isinstance(each, Action)
        else _of_read(each, agent, service, reason, wait, together)
        for each in wanted
    ]


def _of_action(action: Action, agent: Agent, service: str, reason: str, wait: int) -> Tool:
    described = ". ".join(text.rstrip(".") for text in (action.intent, _plain(action.summary)) if text)
    return Tool(_name(action.name), f"{described}. {_ASKED}", action.schema, service, action.name, agent, wait, reason)


def _of_read(read: Read, agent: Agent, service: str, reason: str, wait: int, together: tuple[str, ...]) -> Tool:
    """Make a tool of a read: what its path names is required, what else is given goes into the query."""
    named: dict[str, Json] = {name: {"type": "string"} for name in _PLACE.findall(read.path)}
    schema: dict[str, Json] = {"type": "object", "properties": named, "required": list(named)}
    described = f"{read.intent.rstrip('.')}. Further arguments are sought by. {_OPENED}"
    beside = tuple(name for name in together if name != read.name)[: reading.MAX_READS - 1]
    return Tool(_name(read.name), described, schema, service, read.name, agent, wait, reason, beside)


def _name(published: str) -> str:
    return published.replace(".", "_")


def _plain(summary: str) -> str:
    """Give a summary with the names of its placeholders in place of their pointers."""
    return _PLACE.sub(lambda found: "{" + found[1].rpartition("/")[2] + "}", summary)
