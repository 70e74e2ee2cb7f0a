"""The service's data: links, spends, the outbox. One contract; SQLite is the default."""

from oneact.service.store.contract import Store
from oneact.service.store.sqlite import SqliteStore

__all__ = ["SqliteStore", "Store"]
