"""The check in front of a handler: what the owner of a service uses."""

from oneact.errors import Reason, Refusal
from oneact.protocol.action import Rule
from oneact.service.act import Act, Asker, LocalAccount, Reading
from oneact.service.asgi import Guard
from oneact.service.exchange import Answer, Request
from oneact.service.issuers import LINKED
from oneact.service.store import SqliteStore, Store
from oneact.service.store.owner import SPENDS_SQL
from oneact.service.store.owner import create as create_spends
from oneact.service.tickets import Beside

__all__ = [
    "LINKED",
    "SPENDS_SQL",
    "Act",
    "Answer",
    "Asker",
    "Beside",
    "Guard",
    "LocalAccount",
    "Reading",
    "Reason",
    "Refusal",
    "Request",
    "Rule",
    "SqliteStore",
    "Store",
    "create_spends",
]
