"""Telling somebody elsewhere: by a file, a git repository, a webhook or an e-mail."""

from oneact.notify.addresses import Address, parse
from oneact.notify.message import Message
from oneact.notify.sending import Means, send

__all__ = ["Address", "Means", "Message", "parse", "send"]
