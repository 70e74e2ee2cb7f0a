"""IP addresses by fixed lists: which are of the public Internet, and which belong to one caller.

The lists follow IANA's special-purpose registries (RFC 6890) and stand here whole, so that it does not depend on the
release of the language what may be reached.
"""

from __future__ import annotations

from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from typing import Final

_NOT_PUBLIC_4: Final = tuple(
    IPv4Network(text)
    for text in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",  # private
        "100.64.0.0/10",  # shared by a provider's customers
        "127.0.0.0/8",  # loopback
        "169.254.0.0/16",  # link-local, where clouds keep their metadata
        "172.16.0.0/12",  # private
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",  # private
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, and broadcast
    )
)
# The only part from which IANA assigns public addresses: unique local, link-local and site-local lie outside.
_PUBLIC_6: Final = IPv6Network("2000::/3")
_NOT_PUBLIC_6: Final = tuple(
    IPv6Network(text)
    for text in (
        "2001::/23",  # protocol assignments, Teredo among them
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4, which leads on to an IPv4 address
        "3fff::/20",  # documentation
    )
)
_TRANSLATED: Final = IPv6Network("64:ff9b::/96")  # RFC 6052: the last four octets are an IPv4 address
_MAX_TEXT: Final = 64

Address = IPv4Address | IPv6Address


def permitted(text: str) -> bool:
    """Tell whether an IP address, as text, is one of the public Internet."""
    try:
        found = _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return False
    if isinstance(found, IPv4Address):
        return not any(found in network for network in _NOT_PUBLIC_4)
    return found in _PUBLIC_6 and not any(found in network for network in _NOT_PUBLIC_6)


def caller(text: str) -> str:
    """Give what a caller's address, as text, is counted by: an IPv4 address itself, of an IPv6 address its /64.

    Whoever has one IPv6 address has its whole /64. What is no address is cut to 64 characters.
    """
    return _prefix(text, 32, 64)


def network(text: str) -> str:
    """Give the network of a provider or its customer in which an address lies: the /16 of IPv4, the /32 of IPv6."""
    return _prefix(text, 16, 32)


def _prefix(text: str, bits_4: int, bits_6: int) -> str:
    try:
        found = _plain(ip_address(text.partition("%")[0]))
    except ValueError:
        return text[:_MAX_TEXT]
    if isinstance(found, IPv4Address):
        return str(IPv4Network((int(found), bits_4), strict=False))
    return str(IPv6Network((int(found), bits_6), strict=False))


def _plain(address: Address) -> Address:
    """Give the IPv4 address that an IPv6 address only stands for, else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    if address in _TRANSLATED:
        return IPv4Address(int(address) & 0xFFFFFFFF)
    return address.ipv4_mapped or address
