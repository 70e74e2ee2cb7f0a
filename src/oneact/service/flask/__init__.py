"""The guard for Flask applications."""

from oneact.protocol.action import Rule
from oneact.service.act import Act, LocalAccount, Reading
from oneact.service.exchange import Answer
from oneact.service.flask.guard import Guard
from oneact.service.issuers import LINKED
from oneact.service.typed.marks import Body, File, Form, Query

__all__ = ["LINKED", "Act", "Answer", "Body", "File", "Form", "Guard", "LocalAccount", "Query", "Reading", "Rule"]
