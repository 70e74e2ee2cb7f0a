"""Messages as lines, over standard input and output: of a server that the proxy starts, and the proxy's own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
import threading
from typing import TYPE_CHECKING, Final

from oneact.gateway.mcp.messages import MAX_OCTETS, Invalid, Lost, Message, encode, parse

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_PATIENCE: Final = 2.0  # seconds for a server to end once its input has ended
_CHUNK: Final = 64 * 1024
_WINDOWS: Final = sys.platform == "win32"
_STRAY: Final = 1000  # lines that are no messages before a server is taken for none


class Child:
    """A server that the proxy starts and ends."""

    def __init__(self, process: asyncio.subprocess.Process, name: str) -> None:
        self._process, self._name = process, name
        self._lines = Lines()
        self._sending = asyncio.Lock()
        self._ready: list[Message] = []
        self._stray = 0

    @classmethod
    async def start(cls, command: Sequence[str], environment: Mapping[str, str], folder: str = "") -> Child:
        """Start a server in a group of its own; raises `Lost` where that is not possible.

        Its standard error is the proxy's.
        """
        try:
            process = await asyncio.create_subprocess_exec(
                *command,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                env=dict(environment),
                cwd=folder or None,
                start_new_session=not _WINDOWS,
            )
        except (OSError, ValueError) as error:
            raise Lost(f"the server could not be started: {command[0]}: {error}") from error
        return cls(process, command[0])

    async def send(self, message: Message) -> None:
        """Send a message."""
        writer, octets = self._process.stdin, encode(message) + b"\n"
        try:
            async with self._sending:
                if writer is None:
                    raise Lost(f"{self._name} takes no input")
                writer.write(octets)
                await writer.drain()
        except (OSError, RuntimeError) as error:
            raise Lost(f"{self._name} ended") from error

    async def receive(self) -> Message:
        """Give the next message; what is none is passed over, as servers print what they should not."""
        while not self._ready:
            line = await self._line()
            with contextlib.suppress(Invalid):
                self._ready = parse(line)
            if not self._ready and line.strip():
                self._stray += 1
            if self._stray > _STRAY:
                raise Lost(f"{self._name} does not speak the protocol")
        return self._ready.pop(0)

    def is_lost(self, message: Message) -> bool:
        """Tell whether an answer only says that the real one was lost: this server gives its own, or none."""
        del message
        return False

    async def close(self) -> None:
        """Close its input, wait, and end it with all that it has started."""
        if self._process.stdin is not None:
            self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(self._process.wait()), _PATIENCE)
        for number in (signal.SIGTERM, signal.SIGTERM if _WINDOWS else signal.SIGKILL):
            self._signal(number)
            if self._process.returncode is None:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(asyncio.shield(self._process.wait()), _PATIENCE)
        transport = getattr(self._process, "_transport", None)
        if transport is not None:  # a descendant may hold the other end of the pipe open
            transport.close()

    async def _line(self) -> bytes:
        reader = self._process.stdout
        while (line := self._lines.take()) is None:
            octets = b"" if reader is None else await reader.read(_CHUNK)
            if not octets:
                raise Lost(f"{self._name} ended")
            if not self._lines.add(octets):
                raise Lost(f"{self._name} sent a message of more than {MAX_OCTETS} octets")
        return line

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if _WINDOWS:
                self._process.terminate()
            else:
                os.killpg(self._process.pid, number)


class Standard:
    """The proxy's own standard input and output, over which its client speaks.

    While it is open, whatever else would print there prints to standard error.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target
        self._loop = asyncio.get_running_loop()
        self._found: asyncio.Queue[bytes | None] = asyncio.Queue(1)
        self._ready: list[Message] = []
        self._sending = asyncio.Lock()
        self._lines = Lines()
        threading.Thread(target=self._read, daemon=True, name="oneact-stdin").start()

    @classmethod
    def claim(cls) -> Standard:
        """Take the process's standard input and output."""
        source, target = os.dup(0), os.dup(1)
        nothing = os.open(os.devnull, os.O_RDONLY)
        os.dup2(nothing, 0)
        os.close(nothing)
        os.dup2(2, 1)
        return cls(source, target)

    async def send(self, message: Message) -> None:
        """Send a message."""
        octets = encode(message) + b"\n"
        async with self._sending:
            await asyncio.to_thread(self._write, octets)

    async def receive(self) -> Message:
        """Give the next message; raises `Lost` at the end of input, and `Invalid` for a line that is no message."""
        while not self._ready:
            octets = await self._found.get()
            if octets is None:
                raise Lost("the client is gone")
            if octets.strip():
                self._ready = parse(octets)
        return self._ready.pop(0)

    async def close(self) -> None:
        """Let go of it."""

    def _write(self, octets: bytes) -> None:
        view = memoryview(octets)
        try:
            while view:
                view = view[os.write(self._target, view) :]
        except OSError as error:
            raise Lost("the client is gone") from error

    def _read(self) -> None:
        """Read lines in a thread of its own: standard input may be whatever, also what no loop can watch."""
        with contextlib.suppress(OSError, RuntimeError):
            while octets := os.read(self._source, _CHUNK):
                if not self._lines.add(octets):
                    break
                while (line := self._lines.take()) is not None:
                    asyncio.run_coroutine_threadsafe(self._found.put(line), self._loop).result()
        with contextlib.suppress(RuntimeError):
            asyncio.run_coroutine_threadsafe(self._found.put(None), self._loop)


class Lines:
    """Octets as lines, of which none is longer than a message may be."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._looked = 0

    def add(self, octets: bytes) -> bool:
        """Add what was read; False where a line has become too long."""
        self._rest += octets
        return len(self._rest) <= MAX_OCTETS or self._rest.find(b"\n", self._looked) >= 0

    def take(self) -> bytes | None:
        """Give the next line without its end; None where it is not whole yet."""
        at = self._rest.find(b"\n", self._looked)
        if at < 0:
            self._looked = len(self._rest)
            return None
        line = bytes(self._rest[:at])
        del self._rest[: at + 1]
        self._looked = 0
        return line
