"""The approval server's data: one contract, SQLite behind it."""

from oneact.store.contract import Store, Write
from oneact.store.sqlite import SqliteStore

__all__ = ["SqliteStore", "Store", "Write"]
