"""The guard for FastAPI applications."""

from oneact.protocol.action import Rule
from oneact.service.act import Act, Asker, LocalAccount, Reading
from oneact.service.exchange import Answer
from oneact.service.fastapi.guard import Guard
from oneact.service.issuers import LINKED

__all__ = ["LINKED", "Act", "Answer", "Asker", "Guard", "LocalAccount", "Reading", "Rule"]
