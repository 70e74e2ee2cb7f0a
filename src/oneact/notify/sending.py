"""Sending a message to an address, whatever kind it is of."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.notify import files, mail, webhook

if TYPE_CHECKING:
    from collections.abc import Collection

    from oneact.notify.addresses import Address
    from oneact.notify.message import Message


@dataclass(frozen=True, slots=True)
class Means:
    """What sending takes beside an address: the webhooks' secret, the mail server, hosts that may be private."""

    webhook_secret: str = ""
    smtp_url: str = ""
    private_hosts: Collection[str] = ()


def send(address: Address, message: Message, means: Means, now: int) -> None:
    """Send one message at second `now`, in the calling thread.

    Refuses `metadata_unreachable` where it was not taken, `address_forbidden`, `request_malformed`.
    """
    if address.kind == "file":
        files.write(address.folder, message)
    elif address.kind == "git":
        files.commit(address.folder, message)
    elif address.kind == "mail":
        mail.send(address.target, message, means.smtp_url)
    elif not means.webhook_secret:
        raise Refusal(Reason.REQUEST_MALFORMED, "a webhook needs ONEACT_WEBHOOK_SECRET")
    else:
        secret = webhook.parse_secret(means.webhook_secret)
        webhook.send(address.target, message, secret, now, means.private_hosts)
