"""A service that asks in place of a program without a key, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.server.peers import Agent

if TYPE_CHECKING:
    from tests.server.peers import RunningServer, Service


def on_behalf(server: RunningServer, service: Service, sub: str) -> Agent:
    """Give a service as who asks for the person `sub`, with the service's own client_id and key."""
    return Agent(server, key=service.key, client_id=service.client_id, hint=sub)
