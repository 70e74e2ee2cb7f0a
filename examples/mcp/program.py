"""A program that uses an MCP server: a fastmcp client, in a thread of its own beside whatever the demo does."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, NamedTuple

from fastmcp import Client
from fastmcp.client.transports import StdioTransport

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterator, Mapping
    from concurrent.futures import Future
    from pathlib import Path


class Told(NamedTuple):
    """What a tool call gave: its text, whether it is an error, and its `_meta`."""

    text: str
    failed: bool
    meta: dict[str, Any]


class Program:
    """A connected client; `start` leaves a call waiting, `call` waits for it."""

    def __init__(self, loop: asyncio.AbstractEventLoop, client: Client[Any]) -> None:
        self._loop, self._client = loop, client

    def tools(self) -> list[str]:
        """Name the tools that the server lists."""
        return [tool.name for tool in self._run(self._client.list_tools()).result(60)]

    def start(self, tool: str, **arguments: Any) -> Future[Told]:  # noqa: ANN401 - a tool's own
        """Call a tool, and wait for nothing."""
        return self._run(self._called(tool, arguments))

    def call(self, tool: str, **arguments: Any) -> Told:  # noqa: ANN401 - a tool's own
        """Call a tool and wait for its result, a minute and a half at most."""
        return self.start(tool, **arguments).result(90)

    async def _called(self, tool: str, arguments: dict[str, Any]) -> Told:
        found = await self._client.call_tool(tool, arguments, raise_on_error=False)
        text = "\n".join(part.text for part in found.content if part.type == "text")
        return Told(text, found.is_error, dict(found.meta or {}))

    def _run(self, work: Coroutine[Any, Any, Any]) -> Future[Any]:
        return asyncio.run_coroutine_threadsafe(work, self._loop)


@contextlib.contextmanager
def program(server: Mapping[str, Any], log: Path) -> Iterator[Program]:
    """Connect to a server, given as an MCP client's configuration file has it, for the time of the block.

    What the server says on standard error goes to `log`. A server that has died meanwhile is no error at the end.
    """
    transport = StdioTransport(server["command"], server["args"], server.get("env"), keep_alive=False, log_file=log)
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    client: Client[Any] = Client(transport)
    connected = Program(loop, client)
    try:
        try:
            connected._run(client.__aenter__()).result(60)  # noqa: SLF001 - the class above
        except Exception as error:
            raise RuntimeError(f"the server did not start; see {log}") from error
        yield connected
    finally:
        with contextlib.suppress(Exception):
            connected._run(client.__aexit__(None, None, None)).result(10)  # noqa: SLF001 - the class above
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
