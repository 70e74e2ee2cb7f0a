"""Endpoints that agents call, each authenticated by client assertion and DPoP proof."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form
from oneact.server import (
    addresses,
    asking,
    ciba,
    clients,
    ending,
    http,
    introducing,
    introspecting,
    issuing,
    joining,
    on_behalf,
    pairing,
    readsessions,
    receipts,
    refusing,
    relying,
)

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request

    from oneact.protocol.canonical import Json
    from oneact.server.clients import Client, Finding
    from oneact.server.world import World

    AgentCall = Callable[[World, Client, dict[str, str], Request], Awaitable[dict[str, Json] | None]]
    Endpoint = Callable[[Request], Awaitable[Response]]

_DEVICE_GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
_CIBA_GRANT: Final = "urn:openid:params:grant-type:ciba"
_ASKING_GRANT: Final = "client_credentials"
_WAIT: Final = re.compile(r"(?:^|[,;\s])wait=(\d{1,4})(?:$|[,;\s])")
_REGISTRATIONS: Final = 20
_PUSHES: Final = 30
_DEVICES: Final = 60
_ON_BEHALF: Final = frozenset({addresses.TRANSACTION, addresses.CANCEL})


async def register(request: Request) -> Response:
    """Register an agent (RFC 7591), which proves that it holds the key."""
    world = http.world_of(request)
    try:
        proof = clients.verified_proof(world, tuple(request.headers.getlist("dpop")), world.issuer + addresses.REGISTER)
        world.limits.stranger("register", http.caller(request), _REGISTRATIONS, world.now())
        clients.see_once(world, proof)
        value = await clients.register(world, proof, await http.json_object(request))
    except Refusal as refusal:
        return _with_nonce(world, http.refused(refusal))
    return _with_nonce(world, http.answer(value, 201))


async def push(request: Request) -> Response:
    """Take a service's pushed authorization request (RFC 9126)."""
    world = http.world_of(request)
    world.limits.stranger("push", http.caller(request), _PUSHES, world.now())
    return http.answer(await relying.push(world, await http.form(request)), 201)


async def token(request: Request) -> Response:
    """Answer the token endpoint, by grant type."""
    parameters = await http.form(request)
    if parameters.get("grant_type") == "authorization_code" and http.world_of(request).host is None:
        return http.answer(await relying.exchange(http.world_of(request), parameters))
    return await _answer(request, parameters, addresses.TOKEN, _grant)


async def receive_receipt(request: Request) -> Response:
    """Take a receipt from anyone, or give an agent the receipt of its own request."""
    if http.media_type(request) == "application/jwt":
        text = (await http.body(request, 16 * 1024)).decode("ascii", "replace").strip()
        await receipts.deliver(http.world_of(request), text)
        return Response(status_code=204, headers=http.NO_STORE)
    return await _answer(request, await http.form(request), addresses.RECEIPTS, _receipt)


def endpoint(path: str, call: AgentCall) -> Endpoint:
    """Make the endpoint at `path` out of a call that an authenticated agent may make, or a service in its place."""
    find = on_behalf.client if path in _ON_BEHALF else clients.registered

    async def answer(request: Request) -> Response:
        return await _answer(request, await http.form(request), path, call, find)

    return answer


async def _answer(
    request: Request, parameters: dict[str, str], path: str, call: AgentCall, find: Finding = clients.registered
) -> Response:
    """Authenticate, call, answer; every answer hands out the nonce for the next proof."""
    world = http.world_of(request)
    proofs = tuple(request.headers.getlist("dpop"))
    try:
        client = await clients.authenticate(world, parameters, proofs, world.issuer + path, find)
        value = await call(world, client, parameters, request)
    except joining.KeyUsed as used:
        response: Response = http.refused(used, **({"receipt": used.receipt} if used.receipt else {}))
    except Refusal as refusal:
        response = http.refused(refusal)
    else:
        response = Response(status_code=204, headers=http.NO_STORE) if value is None else http.answer(value)
    return _with_nonce(world, response)


def _with_nonce(world: World, response: Response) -> Response:
    """Hand out the nonce for the next proof."""
    response.headers["DPoP-Nonce"] = world.nonces.current(world.now())
    return response


async def _grant(world: World, client: Client, parameters: dict[str, str], request: Request) -> dict[str, Json]:
    grant = parameters.get("grant_type")
    if grant == _DEVICE_GRANT:
        return await pairing.poll(world, client, parameters.get("device_code", ""))
    if grant == _CIBA_GRANT:
        row = await world.store.one("read_session", parameters.get("auth_req_id", ""))
        if row is not None:
            return await readsessions.poll(world, client, row, _wait(request))
        return await issuing.poll(world, client, parameters.get("auth_req_id", ""), _wait(request))
    if grant == _ASKING_GRANT:
        return await _introduce(world, client, parameters)
    raise Refusal(Reason.GRANT_UNSUPPORTED, str(grant))


async def _introduce(world: World, client: Client, parameters: dict[str, str]) -> dict[str, Json]:
    try:
        return await introducing.introduce(world, client, parameters)
    except Refusal as refusal:
        await refusing.asked_in_vain(world, client, parameters.get("login_hint", ""), refusal)
        raise


async def device(world: World, client: Client, parameters: dict[str, str], request: Request) -> dict[str, Json]:
    """Start pairing (RFC 8628 section 3.1)."""
    world.limits.stranger("device", http.caller(request), _DEVICES, world.now())
    return await pairing.start(world, client, parameters)


async def transaction(world: World, client: Client, parameters: dict[str, str], request: Request) -> dict[str, Json]:
    """Take offers, or a poll."""
    if "transaction_authorization_id" in parameters:
        return await issuing.poll(world, client, parameters["transaction_authorization_id"], _wait(request))
    asked = asking.Asked(
        offers=_offers(parameters),
        hint=parameters.get("login_hint", ""),
        reason=parameters.get("reason", ""),
        idempotency_key=request.headers.get("idempotency-key", ""),
        keys=_keys(parameters),
    )
    if asked.keys and (asked.idempotency_key or len(asked.keys) != len(asked.offers)):
        raise Refusal(Reason.REQUEST_MALFORMED, "either Idempotency-Key or batch_keys, one for each offer")
    try:
        return await asking.ask(world, client, asked)
    except Refusal as refusal:
        await refusing.asked_in_vain(world, client, asked.hint, refusal)
        raise


async def cancel(world: World, client: Client, parameters: dict[str, str], _: Request) -> None:
    """Take a pending request back, or end a read session; what has ended stays as it is."""
    identifier = parameters.get("transaction_authorization_id", "")
    session = await world.store.one("read_session", identifier)
    if session is not None:
        await readsessions.end(world, client, session)
        return
    row = await issuing.own_request(world, client, identifier)
    await ending.cancel(world, row)


async def introspect(world: World, client: Client, parameters: dict[str, str], _: Request) -> dict[str, Json]:
    """Tell an agent about its own token (RFC 7662)."""
    return await introspecting.introspect(world, client, parameters.get("token", ""))


async def backchannel(world: World, client: Client, parameters: dict[str, str], request: Request) -> dict[str, Json]:
    """Take an act without an offer, or what an agent wants to read (OpenID CIBA)."""
    try:
        if readsessions.is_wanted(parameters):
            return await readsessions.ask(world, client, parameters)
        return await ciba.start(world, client, parameters, request.headers.get("idempotency-key", ""))
    except Refusal as refusal:
        await refusing.asked_in_vain(world, client, parameters.get("login_hint", ""), refusal)
        raise


async def _receipt(world: World, client: Client, parameters: dict[str, str], _: Request) -> dict[str, Json]:
    return await receipts.ask(world, client, parameters.get("transaction_authorization_id", ""))


def _offers(parameters: dict[str, str]) -> tuple[str, ...]:
    if "batch" not in parameters:
        return (parameters.get("transaction_challenge", ""),)
    listed = canonical.parse(parameters["batch"].encode())
    if "transaction_challenge" in parameters or not isinstance(listed, list):
        raise Refusal(Reason.REQUEST_MALFORMED, "either transaction_challenge or a batch")
    offers = tuple(item for item in listed if isinstance(item, str))
    if len(offers) != len(listed) or len(set(offers)) != len(offers):
        raise Refusal(Reason.REQUEST_MALFORMED, "a batch holds distinct offers")
    return offers


def _keys(parameters: dict[str, str]) -> tuple[str, ...]:
    """Read the key of each offer of a batch, no two alike; none where they have one together, or none."""
    if "batch_keys" not in parameters:
        return ()
    return form.texts(canonical.parse(parameters["batch_keys"].encode()), Reason.REQUEST_MALFORMED, asking.MAX_BATCH)


def _wait(request: Request) -> int:
    """Read `Prefer: wait=n` (RFC 7240 section 4.3)."""
    found = _WAIT.search(request.headers.get("prefer", "").lower())
    return int(found[1]) if found else 0
