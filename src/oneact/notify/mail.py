"""Messages as e-mail, handed to the operator's own mail server."""

from __future__ import annotations

import smtplib
import ssl
from email.message import EmailMessage
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from oneact.errors import Reason, Refusal

if TYPE_CHECKING:
    from oneact.notify.message import Message

_SECONDS: Final = 30
_PORTS: Final = {"smtp": 587, "smtps": 465}


def send(mailbox: str, message: Message, smtp_url: str) -> None:
    """Hand one e-mail to the server at `smtp_url` (`smtps://name:secret@host:465`, or `smtp://` with STARTTLS).

    A server on localhost is spoken to without TLS. Refuses `metadata_unreachable`.
    """
    parts = urlsplit(smtp_url)
    if parts.scheme not in _PORTS or not parts.hostname:
        raise Refusal(Reason.METADATA_UNREACHABLE, "ONEACT_SMTP_URL is not set, or no smtp:// or smtps:// address")
    port, context = parts.port or _PORTS[parts.scheme], ssl.create_default_context()
    try:
        if parts.scheme == "smtps":
            server: smtplib.SMTP = smtplib.SMTP_SSL(parts.hostname, port, timeout=_SECONDS, context=context)
        else:
            server = smtplib.SMTP(parts.hostname, port, timeout=_SECONDS)
        with server:
            if parts.scheme == "smtp" and parts.hostname != "localhost":
                server.starttls(context=context)
            if parts.username:
                server.login(unquote(parts.username), unquote(parts.password or ""))
            server.send_message(_letter(mailbox, message, parts.hostname))
    except (OSError, smtplib.SMTPException) as error:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"mail server {parts.hostname}: {error}") from error


def _letter(mailbox: str, message: Message, host: str) -> EmailMessage:
    letter = EmailMessage()
    letter["From"], letter["To"] = f"OneAct <oneact@{host}>", mailbox
    letter["Subject"] = message.subject
    letter["Message-ID"] = f"<{message.id}@{host}>"
    letter.set_content(message.text)
    return letter
