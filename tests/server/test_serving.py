"""The server as a process: who waits for a decision does not keep it from ending."""

from __future__ import annotations

import asyncio
import time

from oneact.server.waiting import Waiting


async def test_everyone_who_waits_is_let_go_when_the_process_ends_and_nobody_waits_any_more() -> None:
    waiting, began = Waiting(), time.monotonic()
    waiters = [asyncio.create_task(waiting.wait(key, 60)) for key in ("one", "one", "two")]
    await asyncio.sleep(0)
    assert waiting.waited_for("one")
    await asyncio.to_thread(waiting.end)  # as a signal's handler, beside the loop
    await asyncio.gather(*waiters)
    await waiting.wait("three", 60)
    assert not waiting.waited_for("one")
    assert time.monotonic() - began < 30
