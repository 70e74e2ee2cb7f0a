"""What whoever runs the server can set, in one table: the environment, the documentation and the defaults."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from oneact import notify
from oneact.errors import Reason, Refusal
from oneact.notify.webhook import parse_secret
from oneact.protocol.metadata import split

if TYPE_CHECKING:
    from collections.abc import Mapping

_LOCAL: Final = frozenset({"localhost"})
_HOST: Final = re.compile(r"[a-z0-9_](?:[a-z0-9_.-]*[a-z0-9_])?")
_BESIDE: Final = Path()  # stands for a file beside the database


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _number(name: str, text: str, low: int, high: int) -> int:
    if not text.isascii() or not text.isdecimal() or not low <= int(text) <= high:
        raise Refusal(Reason.REQUEST_MALFORMED, f"ONEACT_{name.upper()} is not a number from {low} to {high}")
    return int(text)


def _host(text: str) -> str:
    """Give a host name as URLs are compared with it."""
    if not _HOST.fullmatch(text.lower()):
        raise Refusal(Reason.REQUEST_MALFORMED, f"ONEACT_PRIVATE_HOSTS takes names, no scheme or port, not {text!r}")
    return text.lower()


def _address(text: str) -> str:
    """Give an IP address in its one spelling."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError as error:
        raise Refusal(Reason.REQUEST_MALFORMED, f"ONEACT_TRUSTED_PROXIES takes IP addresses, not {text!r}") from error


def _service(text: str) -> str:
    """Give the identifier of a service."""
    parts = split(text, Reason.REQUEST_MALFORMED)
    plain = text.isascii() and text.isprintable() and not {"?", "#", "@", " "} & set(text)
    if parts.scheme not in {"https", "http"} or not parts.hostname or not plain:
        raise Refusal(
            Reason.REQUEST_MALFORMED, f"ONEACT_FOR_SERVICE is an address like https://api.example, not {text!r}"
        )
    return text


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of one approval server; `from_environment` reads them, TABLE describes them.

    `public_url` is the issuer: what agents and services call the server, without a slash at its end. `rp_id` is the
    host that the persons' passkeys belong to, for life.
    """

    public_url: str = "http://localhost:8400"
    database: Path = field(default_factory=lambda: Path("var/oneact.db"))
    key_file: Path = field(default_factory=lambda: Path("var/oneact.jwk"))
    log_key_file: Path = _BESIDE
    checkpoint_file: Path = _BESIDE
    rp_id: str = ""
    for_service: str = ""
    checkpoints_to: tuple[str, ...] = ()
    checkpoints_every: int = 86400
    findings_to: tuple[str, ...] = ()
    webhook_secret: str = field(default="", repr=False)
    smtp_url: str = field(default="", repr=False)
    private_hosts: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    host: str = "127.0.0.1"
    port: int = 8400

    def __post_init__(self) -> None:
        """Refuse an address by which passkeys cannot work, and lists whose items could never match."""
        parts = split(self.public_url, Reason.REQUEST_MALFORMED)
        local = parts.scheme == "http" and parts.hostname in _LOCAL
        if (parts.scheme != "https" and not local) or not parts.hostname or parts.query or parts.fragment:
            raise Refusal(Reason.REQUEST_MALFORMED, "ONEACT_PUBLIC_URL has to be https, or http://localhost")
        if self.public_url.endswith("/"):
            object.__setattr__(self, "public_url", self.public_url.rstrip("/"))
        told = [notify.parse(text) for text in (*self.checkpoints_to, *self.findings_to)]
        if any(address.kind == "webhook" for address in told) or self.webhook_secret:
            parse_secret(self.webhook_secret)
        if self.log_key_file == _BESIDE:
            object.__setattr__(self, "log_key_file", self.database.with_suffix(".log.jwk"))
        if self.checkpoint_file == _BESIDE:
            object.__setattr__(self, "checkpoint_file", self.database.with_suffix(".checkpoint"))
        if not self.rp_id:
            object.__setattr__(self, "rp_id", parts.hostname)
        if parts.hostname != self.rp_id and not parts.hostname.endswith("." + self.rp_id):
            raise Refusal(Reason.REQUEST_MALFORMED, "ONEACT_RP_ID has to be the host of ONEACT_PUBLIC_URL or above it")
        if self.for_service:
            object.__setattr__(self, "for_service", _service(self.for_service.rstrip("/")))
        object.__setattr__(self, "private_hosts", tuple(map(_host, self.private_hosts)))
        object.__setattr__(self, "trusted_proxies", tuple(map(_address, self.trusted_proxies)))

    @property
    def session_cookie(self) -> str:
        """Give the session cookie's name: two servers on one host share cookies, whatever their ports."""
        port = urlsplit(self.public_url).port or (443 if self.secure else 80)
        prefix = ("__Secure-" if self.path else "__Host-") if self.secure else ""
        return f"{prefix}oneact-{port}"

    @property
    def issuer(self) -> str:
        """Give the issuer identifier (RFC 8414 section 2)."""
        return self.public_url

    @property
    def origin(self) -> str:
        """Give the one origin on which passkeys are used."""
        parts = urlsplit(self.public_url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """Give the path under which the server stands, empty or beginning with a slash."""
        return urlsplit(self.public_url).path

    @property
    def secure(self) -> bool:
        """Tell whether cookies are for https alone."""
        return urlsplit(self.public_url).scheme == "https"

    @classmethod
    def from_environment(cls, environment: Mapping[str, str]) -> Settings:
        """Read the settings; what is not set has its default. Refuses `request_malformed` for what cannot be."""
        given = {
            name: environment[f"ONEACT_{name.upper()}"] for name in TABLE if f"ONEACT_{name.upper()}" in environment
        }
        numbers = {name: _number(name, given[name], *limits) for name, limits in _NUMBERS.items() if name in given}
        plain = {name: given[name] for name in _PLAIN if name in given}
        lists = {name: _names(given[name]) for name in _LISTS if name in given}
        paths = {name: Path(given[name]) for name in _PATHS if name in given}
        return cls(**plain, **lists, **paths, **numbers)  # type: ignore[arg-type]  # each by its own type above


_PLAIN: Final = ("public_url", "rp_id", "for_service", "host", "webhook_secret", "smtp_url")
_LISTS: Final = ("private_hosts", "trusted_proxies", "checkpoints_to", "findings_to")
_NUMBERS: Final = {"port": (1, 65535), "checkpoints_every": (60, 366 * 86400)}
_PATHS: Final = ("database", "key_file", "log_key_file", "checkpoint_file")
TABLE: Final[dict[str, str]] = {
    "public_url": "The address by which everyone reaches the server, with its path if it has one. It is the issuer.",
    "rp_id": "The host to which the passkeys belong, for life. By default the host of the public URL.",
    "for_service": "The one service that the server is for, whose accounts are the persons; empty for any service.",
    "database": "The SQLite file.",
    "key_file": "The file with the server's signing keys, made at the first start, readable by its owner alone.",
    "log_key_file": "The file with the key that signs checkpoints; by default beside the database, as .log.jwk.",
    "checkpoint_file": "The file with the last checkpoint shown; by default beside the database, as .checkpoint.",
    "checkpoints_to": "Addresses, comma-separated, that get the log's checkpoint: file:/… git:/… https://… mailto:….",
    "checkpoints_every": "Seconds after which an address gets the next checkpoint.",
    "findings_to": "Addresses, comma-separated, that are told where approvals and receipts do not fit.",
    "webhook_secret": "The secret that webhooks are signed with: whsec_ and base64 of 24 to 64 octets.",
    "smtp_url": "The mail server: smtps://name:password@host, or smtp://localhost.",
    "private_hosts": "Names, comma-separated, that may be fetched from although their addresses are private.",
    "trusted_proxies": "Addresses, comma-separated, of proxies whose X-Forwarded-For is believed.",
    "host": "The address to listen on.",
    "port": "The port to listen on.",
}
