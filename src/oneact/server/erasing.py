"""Erasing a person: everything of theirs goes, and the log goes on to hold.

What the log has committed to stays as commitments, which without salt and content tell nothing; the erasure itself is
an entry, without a name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.store import Store

# Whatever points at something stands before what it points at.
_ROOMS: Final = (
    "receipts", "findings", "requests", "read_sessions", "codes", "links", "device_codes", "pairing_codes",
    "pairings", "passkeys", "gestures", "sessions",
)  # fmt: skip


async def erase(store: Store, account: str, now: int) -> int:
    """Erase an account and everything of it, at second `now`; give how many entries lost their content.

    Services keep what they have pinned and receipted: that is theirs. Refuses `not_yours` for an unknown account.
    """
    row = await store.one("count_entries", account)
    count = row["entries"] if row else 0
    writes = [
        Write("erase_entries", (account, now), None),
        *(Write(f"erase_{room}", (account,), None) for room in _ROOMS),
        Write("erase_account", (account,)),
    ]
    if not await store.change(writes, [Entry(Kind.ACCOUNT_ERASED, now, "", "", {"entries": count})]):
        raise Refusal(Reason.NOT_YOURS, account)
    return int(count)
