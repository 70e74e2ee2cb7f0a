"""A tool's name and description hold quotes, line feeds and marks, to write header fields and lines of their own."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.testing import InProcessApprover
from tests.service.mcp.shelf import FACES, Shelf

WORDS = 'Read", transaction_challenge="forged"\r\nSet-Cookie: a=b\r\n\u202eevil'
CHALLENGE = re.compile(
    r'DPoP error="insufficient_authorization", resource_metadata="http://localhost:\d+/[^"]*"'
    r'(, transaction_challenge="[A-Za-z0-9_.-]+")?'
)


@pytest.mark.parametrize("kind", FACES)
async def test_the_challenge_holds_none_of_a_tools_words(tmp_path: Path, kind: str) -> None:
    approver = InProcessApprover()
    shelf = Shelf(tmp_path, kind, issuers=[approver.issuer], policy={})

    def hostile(path: str) -> str:
        return path

    shelf.server.tool(name="hostile", title=WORDS, description=WORDS)(hostile)
    with shelf.running():
        async with httpx.AsyncClient(trust_env=False) as http:
            for name in ("hostile", WORDS):
                call: Any = {"name": name, "arguments": {"path": WORDS}}
                message = {"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": call}
                answer = await http.post(f"{shelf.resource}/mcp", headers=approver.accept, json=message)
                said = answer.headers.get("www-authenticate", "")
                assert "set-cookie" not in answer.headers
                assert "forged" not in "".join(answer.headers.values())
                if name == "hostile":
                    assert answer.status_code == 401
                    assert CHALLENGE.fullmatch(said)
                else:
                    assert (answer.status_code, answer.json()["reason"], said) == (404, "action_unknown", "")
