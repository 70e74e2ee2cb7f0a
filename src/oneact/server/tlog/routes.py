"""The log over HTTP, by the addresses of C2SP's tlog-tiles: checkpoint, tiles, entry bundles."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from oneact.errors import Reason, Refusal
from oneact.log import tiles
from oneact.protocol import base64url
from oneact.server import addresses, http
from oneact.server.tlog import head

if TYPE_CHECKING:
    from starlette.requests import Request

    from oneact.log.tiles import Tile
    from oneact.server.settings import Settings
    from oneact.server.world import World

_FOR_EVER: Final = {"Cache-Control": "public, max-age=31536000, immutable"}
_OCTETS: Final = "application/octet-stream"


async def _checkpoint(request: Request) -> Response:
    note = http.world_of(request).log.note
    if not note:
        raise Refusal(Reason.LOG_EMPTY, "nothing has been sequenced yet")
    return PlainTextResponse(note, headers={"Cache-Control": "no-cache"})


async def _key(request: Request) -> Response:
    lines = [verifier.line() + "\n" for verifier in http.world_of(request).log.verifiers()]
    return PlainTextResponse("".join(lines), headers={"Cache-Control": "no-cache"})


async def _tile(request: Request) -> Response:
    world, tile = http.world_of(request), tiles.parse_path(request.path_params["tile"])
    if not 0 < tile.width <= tiles.widest(tile.level, tile.number, world.log.size):
        raise Refusal(Reason.LOG_EMPTY, "the log has no such tile yet")
    found = await (_bundle(world, tile) if tile.level == tiles.ENTRIES else head.octets(world.store, tile))
    return Response(found, media_type=_OCTETS, headers=_FOR_EVER)


async def _bundle(world: World, tile: Tile) -> bytes:
    first = tile.number * tiles.WIDTH
    rows = await world.store.all("leaves", first, first + tile.width)
    return tiles.bundle([base64url.decode(row["commitment"]) for row in rows])


def routes(settings: Settings) -> list[Route]:
    """Give the routes, all under the log's address."""
    path = settings.path + addresses.LOG
    return [
        Route(path + "/checkpoint", _checkpoint, methods=["GET"]),
        Route(path + "/key", _key, methods=["GET"]),
        Route(path + "/tile/{tile:path}", _tile, methods=["GET"]),
    ]
