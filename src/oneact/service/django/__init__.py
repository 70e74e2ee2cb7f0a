"""The guard for Django applications, with Django REST framework or without it."""

from oneact.protocol.action import Rule
from oneact.service.act import Act, Asker, LocalAccount, Reading
from oneact.service.django.guard import Guard
from oneact.service.django.middleware import Middleware
from oneact.service.django.rest import GuardedMixin
from oneact.service.exchange import Answer
from oneact.service.issuers import LINKED
from oneact.service.typed.marks import Body, File, Form, Query

__all__ = [
    "LINKED",
    "Act",
    "Answer",
    "Asker",
    "Body",
    "File",
    "Form",
    "Guard",
    "GuardedMixin",
    "LocalAccount",
    "Middleware",
    "Query",
    "Reading",
    "Rule",
]
