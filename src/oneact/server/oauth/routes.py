"""Where the OAuth endpoints stand."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from oneact.protocol.metadata import SERVER_PATH
from oneact.server import addresses, http
from oneact.server.oauth import agents

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.server.settings import Settings


async def _metadata(request: Request) -> Response:
    world = http.world_of(request)
    return http.answer(addresses.metadata(world.issuer, hosted=world.host is not None).document())


async def _jwks(request: Request) -> Response:
    return http.answer({"keys": [key.public.public_jwk() for key in http.world_of(request).keys]})


def routes(settings: Settings, *, hosted: bool) -> list[Route]:
    """Give the routes; the well-known address stands before the path of the public URL (RFC 8414 section 3.1).

    A `hosted` server is for one service, and takes no service's pushed requests.
    """
    agent_calls = {
        addresses.DEVICE: agents.device,
        addresses.TRANSACTION: agents.transaction,
        addresses.CANCEL: agents.cancel,
        addresses.INTROSPECT: agents.introspect,
        addresses.BACKCHANNEL: agents.backchannel,
    }
    path = settings.path
    pushed = [] if hosted else [Route(path + addresses.PAR, agents.push, methods=["POST"])]
    return [
        Route(SERVER_PATH + path, _metadata, methods=["GET"]),
        Route(path + addresses.JWKS, _jwks, methods=["GET"]),
        Route(path + addresses.REGISTER, agents.register, methods=["POST"]),
        *pushed,
        Route(path + addresses.TOKEN, agents.token, methods=["POST"]),
        Route(path + addresses.RECEIPTS, agents.receive_receipt, methods=["POST"]),
        *(Route(path + at, agents.endpoint(at, call), methods=["POST"]) for at, call in agent_calls.items()),
    ]
