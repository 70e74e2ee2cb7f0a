"""A program has one call of a tool approved, and makes another: other arguments, one more, another tool."""

from __future__ import annotations

from typing import Any

import pytest

from tests.service.mcp.keyed import Keyed
from tests.service.mcp.shelf import meta, refusal, text

A = {"path": "/a", "text": "hello", "weight": 1.5}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("write", {**A, "path": "/b"}),
        ("write", {**A, "weight": 1.50001}),
        ("write", {"path": "/a", "weight": 1.5}),
        ("write", {"path": "/a", "text": "hello"}),
        ("crash", {"what": "/a"}),
        ("buy", {"title": "/a"}),
    ],
)
async def test_another_call_is_not_the_act(keyed: Keyed, name: str, arguments: dict[str, Any]) -> None:
    token = await keyed.approved("write", A)
    result = await keyed.show(token, name, arguments)
    assert refusal(result) == "act_mismatch"
    assert meta(result)["oneact/refusal"]["check"] == 6
    assert keyed.shelf.written == []
    assert text(await keyed.show(token, "write", A)) == "/a written"  # a failed check spends nothing


async def test_an_argument_beside_the_schema_is_refused(keyed: Keyed) -> None:
    token = await keyed.approved("write", A)
    assert refusal(await keyed.show(token, "write", {**A, "act": {}})) == "parameter_unknown"
    assert keyed.shelf.written == []
