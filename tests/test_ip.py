"""Which addresses are public, and what a caller is counted by."""

import pytest

from oneact import ip


@pytest.mark.parametrize(
    "address",
    [
        "10.1.2.3", "172.16.0.1", "192.168.1.1", "127.0.0.1", "169.254.0.1", "0.0.0.0",  # noqa: S104 - refused
        "224.0.0.1", "240.0.0.1",
        "255.255.255.255", "100.64.0.1", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "64:ff9b::a00:1", "2001:db8::1", "not an address",
        "fec0::1", "3fff::1", "3fff:fff::1", "2001::1", "2001:1ff::1", "2002:101:101::", "64:ff9b:1::101:101",
        "5f00::1", "::127.0.0.1", "::ffff:0:127.0.0.1", "4000::1", "192.0.0.9", "192.0.2.1", "192.88.99.1",
        "198.19.255.255", "198.51.100.1", "203.0.113.1", "",
    ],
)  # fmt: skip
def test_private_and_reserved_addresses_are_not_permitted(address: str) -> None:
    assert not ip.permitted(address)


@pytest.mark.parametrize(
    "address",
    ["1.1.1.1", "172.32.0.1", "2606:4700:4700::1111", "2001:200::1", "3ffe::1", "::ffff:1.1.1.1", "64:ff9b::101:101"],
)
def test_public_addresses_are_permitted(address: str) -> None:
    assert ip.permitted(address)


@pytest.mark.parametrize(
    ("address", "counted"),
    [
        ("9.9.9.9", "9.9.9.9/32"),
        ("::ffff:9.9.9.9", "9.9.9.9/32"),
        ("2001:db8:1:2::1", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("x" * 100, "x" * 64),
    ],
)
def test_a_caller_is_counted_by_what_one_caller_has(address: str, counted: str) -> None:
    assert ip.caller(address) == counted


def test_a_network_is_what_a_provider_gives_to_many() -> None:
    assert ip.network("9.9.9.9") == "9.9.0.0/16"
    assert ip.network("2001:db8:1:2::1") == "2001:db8::/32"
