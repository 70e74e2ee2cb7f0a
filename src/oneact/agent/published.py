"""What a service publishes for anyone to read: its actions, before an agent asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.agent import flow
from oneact.agent.client import Shell, check_url
from oneact.agent.errors import as_refused
from oneact.protocol.jwk import SigningKey

if TYPE_CHECKING:
    from collections.abc import Callable, Generator

    from oneact.agent.flow import Event, Step
    from oneact.protocol.action import Action
    from oneact.protocol.reading import Read

_T = TypeVar("_T")


async def published_actions(service: str) -> tuple[Action, ...]:
    """Give the actions of a service, each with its name, its intent and the schema of its parameters.

    `service` is its identifier, for example `https://air.example`. Needs no pairing. Raises `Refused` or `Unreachable`.
    """
    return await _told(service, flow.actions)


async def published_reads(service: str) -> tuple[Read, ...]:
    """Give the reads of a service, each with its name, its intent and its path; as `published_actions` does."""
    return await _told(service, flow.reads)


async def _told(service: str, asking: Callable[[str], Generator[Step, Event, _T]]) -> _T:
    service = check_url(service.rstrip("/"))
    shell = Shell(
        SigningKey(ec.generate_private_key(ec.SECP256R1())), service
    )  # to read needs no key: it signs nothing
    try:
        with as_refused():
            return await shell.run(asking(service))
    finally:
        await shell.close()
