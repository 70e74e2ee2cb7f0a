"""A proxy as a process: its place among those of this user, its approval server, its clients."""

from __future__ import annotations

import asyncio
import contextlib
import getpass
import signal
import time
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp import door as doors
from oneact.gateway.mcp import personal, places, reaching
from oneact.gateway.mcp.door import Door
from oneact.gateway.mcp.lines import Standard
from oneact.gateway.mcp.messages import INVALID_REQUEST, Invalid, Lost, failure
from oneact.gateway.mcp.proxy import Proxy
from oneact.gateway.mcp.relay import Relay

if TYPE_CHECKING:
    import socket
    from collections.abc import AsyncIterator
    from pathlib import Path

    from oneact.gateway.mcp.policy import Policy

_SESSION: Final = "standard"  # over standard input there is one client, also after a restart


@dataclass(frozen=True, slots=True)
class Options:
    """How a proxy is run: the approval server, the person's own where it is empty; whether pages are opened.

    `accept` takes the server's tools as they are now. `public_url` is the proxy's own address, where the approval
    server is not on this machine; `private_hosts` are names on a private network that it may ask.
    """

    server: str = ""
    opens: bool = False
    accept: bool = False
    public_url: str = ""
    private_hosts: tuple[str, ...] = ()


def named(policy: Policy) -> Policy:
    """Give the policy with a name for its server; raises ValueError where nothing says how it is reached."""
    if not policy.command and not policy.url:
        raise ValueError("say how the server is started, after --, or where it is, by --url or in the policy")
    return policy if policy.name else replace(policy, name=places.name_of(policy.command, policy.url))


@contextlib.asynccontextmanager
async def proxying(policy: Policy, options: Options) -> AsyncIterator[Proxy]:
    """Run the proxy of a policy for as long; raises OSError or ValueError where it cannot."""
    policy = named(policy)
    folder = places.server_folder(policy.name)
    with places.slot(folder, 1 if options.public_url else places.MOST) as place:  # one address is one proxy's
        listening = _listening(place)
        port = listening.getsockname()[1]
        own = options.public_url or f"http://localhost:{port}"
        door = Door(own, port, f"{policy.name} of {getpass.getuser()}", lambda: int(time.time()))
        proxy = Proxy(
            policy,
            name=policy.name,
            folder=folder,
            place=place,
            door=door,
            issuer=options.server or personal.issuer(),
            private_hosts=options.private_hosts,
            opens=options.opens,
        )
        if options.accept:
            proxy.pins.accept()
        if options.public_url:
            proxy.say(f"{options.public_url} has to lead to http://localhost:{port}")
        async with proxy.running(listening):
            beginning = asyncio.get_running_loop().create_task(_begin(proxy, options))
            try:
                yield proxy
            finally:
                beginning.cancel()
                await asyncio.gather(beginning, return_exceptions=True)


async def over_standard(policy: Policy, options: Options) -> None:
    """Run the proxy for the client at standard input, until it is gone or the process is told to end."""
    connect = reaching.connecting(policy)
    client = Standard.claim()
    async with proxying(policy, options) as proxy:
        relay = Relay(proxy, _SESSION, connect, client.send)
        reading = asyncio.get_running_loop().create_task(_read(client, relay))
        for number in (signal.SIGTERM, signal.SIGINT):
            with contextlib.suppress(NotImplementedError):  # on Windows
                asyncio.get_running_loop().add_signal_handler(number, reading.cancel)
        with contextlib.suppress(asyncio.CancelledError):
            await reading
        await relay.close()


async def _read(client: Standard, relay: Relay) -> None:
    while True:
        try:
            message = await client.receive()
        except Invalid as error:
            await client.send(failure(None, INVALID_REQUEST, str(error)))
            continue
        except Lost:
            return
        await relay.from_client(message)


async def _begin(proxy: Proxy, options: Options) -> None:
    """See that the person's own approval server runs, then lead them to the start page."""
    if not options.server:
        try:
            await asyncio.to_thread(personal.ensure)
        except OSError as error:
            await proxy.begin(str(error))
            return
    await proxy.begin()


def _listening(place: Path) -> socket.socket:
    """Listen on the port that was chosen at the first start and is kept: it is part of the proxy's name."""
    kept = places.read_json(place / "port")
    try:
        listening = doors.listen(kept) if isinstance(kept, int) else doors.listen_anywhere()
    except OSError as error:
        raise OSError(f"port {kept}, by which this proxy is known since its first start, is taken") from error
    if kept is None:
        places.write(place / "port", str(listening.getsockname()[1]).encode())
    return listening
