"""The proxy before a server on this machine, with clients over streamable HTTP."""

from __future__ import annotations

import contextlib
import json
import re
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from tests.mcp.bearing import Bearing
from tests.mcp.judge import POLICY, running
from tests.mcp.people import link_account
from tests.ports import free_port
from tests.server.visitor import Visitor

_CLIENTS = re.compile(r"Authorization: Bearer \S+")
_START = re.compile(r"http://\S+/oneact/start\?\S+")


@contextlib.contextmanager
def proxied(url: str, person: Visitor, folder: Path) -> Iterator[str]:
    """Run the proxy before the server at `url`, linked by a person; gives the address of its endpoint."""
    policy, log, port = folder / "policy.yaml", folder / "proxy.log", free_port()
    policy.write_text(json.dumps({"url": url, "name": "Everything", "tools": POLICY}), "utf-8")
    options = ["--config", str(policy), "--server", person.server.url, "--listen", str(port), "--no-open"]
    home = {"ONEACT_HOME": str(folder / "home")}
    with running(port, log, "oneact.cli", "mcp-proxy", *options, **home):
        field, start = _said(log, _CLIENTS), _said(log, _START)
        with httpx.Client() as browser:
            resource, _, secret = start.partition("/oneact/start?")
            signed = browser.post(start.partition("?")[0], data={"secret": secret}, headers={"Origin": resource})
            assert signed.status_code == 303, signed.text
            link_account(person, resource, browser)
        with Bearing(port, field).running() as bearing:
            yield f"http://127.0.0.1:{bearing}/mcp"


def _said(log: Path, wanted: re.Pattern[str]) -> str:
    """Wait until the proxy has said something on standard error."""
    until = time.monotonic() + 20
    while time.monotonic() < until:
        if found := wanted.search(log.read_text("utf-8")):
            return found[0]
        time.sleep(0.05)
    raise AssertionError(log.read_text("utf-8"))
