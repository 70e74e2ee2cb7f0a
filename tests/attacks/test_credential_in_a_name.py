"""Credentials in the address or the command of a tool server, in front of whoever is told the proxy's name."""

from __future__ import annotations

import pytest

from oneact.gateway.mcp import places

SECRET = "s3cret"


@pytest.mark.parametrize(
    ("command", "url"),
    [
        ([], f"https://mcp.example/s/{SECRET}/mcp"),
        ([], f"https://mcp.example/mcp?key={SECRET}"),
        (["docker", "run", "-i", "--rm", "-e", f"TOKEN={SECRET}", "ghcr.io/org/image"], ""),
        (["env", f"TOKEN={SECRET}", "node", "server.js"], ""),
        (["npx", "-y", "--token", SECRET, "package"], ""),
        (["npx", "-y", "package", SECRET], ""),
    ],
)
def test_no_credential_is_part_of_a_name(command: list[str], url: str) -> None:
    assert SECRET not in places.name_of(command, url)
    assert places.name_of(command, url) != places.name_of([*command, "x"], url + "x" if url else "")


def test_a_name_still_says_what_the_server_is() -> None:
    for command in (["npx", "-y", "@org/files@1.2"], ["python", "-m", "files"], ["docker", "run", "-i", "org/files"]):
        assert places.name_of(command, "").startswith("files-")
