"""The octets of a tool's result."""

from __future__ import annotations

import pytest

from oneact.protocol import tool

TEXT = {"type": "text", "text": "é"}


def test_what_a_transport_adds_is_not_among_them() -> None:
    told = {"content": [TEXT], "structuredContent": {"b": 1.0, "a": [True, None]}}
    added = {**told, "_meta": {"x": 1}, "resultType": "complete", "isError": False}
    expected = '{"content":[{"text":"é","type":"text"}],"structuredContent":{"a":[true,null],"b":1}}'
    assert tool.octets(told) == tool.octets(added) == expected.encode()


def test_that_it_is_an_error_is_among_them() -> None:
    assert tool.octets({"content": [], "isError": True}) == b'{"content":[],"isError":true}'


def test_an_integer_beyond_what_is_exact_is_the_nearest_double() -> None:
    assert tool.octets({"structuredContent": 2**53 + 1}) == b'{"structuredContent":9007199254740992}'
    assert tool.octets({"structuredContent": -(10**30)}) == b'{"structuredContent":-1e+30}'


def test_a_number_beyond_every_double_has_none() -> None:
    with pytest.raises(ValueError, match="double"):
        tool.octets({"structuredContent": [10**400]})
