"""A process that spends and finishes, act after act, beside others that do the same: it waits for a line to begin."""

import asyncio
import sys
from pathlib import Path

from oneact.service.store.contract import Holder, Outcome, Spend, SpendKey
from oneact.service.store.sqlite import SqliteStore


async def spend(file: Path, name: str, count: int) -> None:
    store = SqliteStore(file)
    await store.open()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    sys.stdin.readline()
    for number in range(count):
        key = SpendKey("http://localhost:1", "http://localhost:8400", f"{name} {number}")
        holder = Holder("sub", "client", "jkt", "digest")
        assert await store.spend(Spend(key, holder, f"jti {number}", "alice", "do", 100, 130))
        assert await store.finish(key, Outcome("executed", "receipt", 101))
    await store.close()


if __name__ == "__main__":
    asyncio.run(spend(Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
