"""The table of spends that lies in the database of the service's owner, where a handler writes it."""

from oneact.service.store.owner.database import OwnerDatabase, Written, write
from oneact.service.store.owner.session import create
from oneact.service.store.owner.statements import SPENDS_SQL

__all__ = ["SPENDS_SQL", "OwnerDatabase", "Written", "create", "write"]
