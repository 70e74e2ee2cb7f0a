"""An approval server's document sends agents elsewhere with what is meant for the server alone."""

import json
from pathlib import Path
from typing import Any

import pytest

from oneact.agent import Agent, Refused
from oneact.protocol import metadata
from tests.ports import free_port
from tests.service.world import served

ENDPOINTS = ("registration_endpoint", "device_authorization_endpoint", "token_endpoint", "receipt_endpoint")


class Published:
    """What stands at an issuer's well-known address, and what else was asked for there."""

    def __init__(self, document: Any) -> None:
        self.document, self.asked = document, list[str]()

    async def __call__(self, scope: Any, _: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        body = json.dumps(self.document).encode()
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
        await send({"type": "http.response.body", "body": body})


@pytest.mark.parametrize("moved", ENDPOINTS)
async def test_an_agent_takes_no_document_with_an_endpoint_elsewhere(moved: str, tmp_path: Path) -> None:
    port, other = free_port(), free_port()
    issuer = f"http://localhost:{port}"
    endpoints = {name: f"{issuer}/{name}" for name in ENDPOINTS} | {moved: f"http://localhost:{other}/{moved}"}
    here, elsewhere = Published(metadata.ServerMetadata(issuer, endpoints).document()), Published({})
    with served(here, port), served(elsewhere, other), pytest.raises(Refused) as refused:
        await Agent.open(issuer, key_file=tmp_path / "agent.json")
    assert refused.value.reason == "metadata_invalid"
    assert (here.asked, elsewhere.asked) == ([metadata.SERVER_PATH], [])
