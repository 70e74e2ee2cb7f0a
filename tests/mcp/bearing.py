"""A relay in front of a server that wants a secret of its clients, for a client that cannot be given one."""

import asyncio
import contextlib
import threading
from collections.abc import Iterator

from tests.ports import free_port


class Bearing:
    """Passes each connection on with a header field more; `of` is the port of the server."""

    def __init__(self, of: int, field: str) -> None:
        self.port = free_port()
        self._of, self._field = of, field.encode("ascii")

    async def take(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """Change the head of the one request of a connection, as its end here has another port; the rest is passed."""
        head = await reader.readuntil(b"\r\n\r\n")
        line, _, fields = head.partition(b"\r\n")
        kept = [each for each in fields.split(b"\r\n") if each and not each.lower().startswith(b"connection:")]
        more = [self._field, b"Connection: close", b"", b""]
        changed = b"\r\n".join([line, *kept, *more]).replace(b":%d" % self.port, b":%d" % self._of)
        onward, back = await asyncio.open_connection("127.0.0.1", self._of)
        back.write(changed)
        await asyncio.gather(_pass(reader, back), _pass(onward, writer), return_exceptions=True)

    @contextlib.contextmanager
    def running(self) -> Iterator[int]:
        """Listen for the time of the block; gives the port."""
        loop = asyncio.new_event_loop()
        thread = threading.Thread(target=loop.run_forever)
        thread.start()
        listening = asyncio.run_coroutine_threadsafe(asyncio.start_server(self.take, "127.0.0.1", self.port), loop)
        server = listening.result(10)
        try:
            yield self.port
        finally:
            loop.call_soon_threadsafe(server.close)
            asyncio.run_coroutine_threadsafe(_ended(), loop).result(10)
            loop.call_soon_threadsafe(loop.stop)
            thread.join()
            loop.close()


async def _ended() -> None:
    """End what is still passed."""
    others = asyncio.all_tasks() - {asyncio.current_task()}
    for other in others:
        other.cancel()
    await asyncio.gather(*others, return_exceptions=True)


async def _pass(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while some := await reader.read(65536):
            writer.write(some)
            await writer.drain()
    finally:
        writer.close()
