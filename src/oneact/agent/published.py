"""What a service publishes for anyone to read: its actions, before an agent asks for one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.agent import flow
from oneact.agent.client import Shell, check_url
from oneact.agent.errors import as_refused
from oneact.protocol.jwk import SigningKey

if TYPE_CHECKING:
    from oneact.protocol.action import Action


async def published_actions(service: str) -> tuple[Action, ...]:
    """Give the actions of a service, each with its name, its intent and the schema of its parameters.

    `service` is its identifier, for example `https://air.example`. Needs no pairing. Raises `Refused` or `Unreachable`.
    """
    service = check_url(service.rstrip("/"))
    shell = Shell(
        SigningKey(ec.generate_private_key(ec.SECP256R1())), service
    )  # to read needs no key: it signs nothing
    try:
        with as_refused():
            return await shell.run(flow.actions(service))
    finally:
        await shell.close()
