"""Everything a service answers by itself under `/oneact` and `/.well-known`, for whichever framework asks."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import metadata, token
from oneact.service import exchange, link_page, linking, reading, roster, tickets
from oneact.service.checks import check_holder
from oneact.service.store.contract import Holder, SpendKey

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from oneact.protocol.act import Act
    from oneact.protocol.canonical import Json
    from oneact.protocol.dpop import Proof
    from oneact.protocol.token import ActionToken
    from oneact.service.approvals import Approvals
    from oneact.service.exchange import Answer, Request
    from oneact.service.guard import GuardCore

    _Endpoint = Callable[[GuardCore, Request], Awaitable[Answer]]

ACT_PATH: Final = "/oneact/act"
JWKS_PATH: Final = "/oneact/jwks.json"
ACTIONS_PATH: Final = "/oneact/actions"
RECEIPTS_PATH: Final = "/oneact/receipts"
PREFIXES: Final = ("/oneact/", metadata.SERVICE_PATH)
_PAGES: Final = frozenset({linking.LINK_PATH, linking.CALLBACK_PATH, tickets.TICKET_PATH})
_SIGN_IN: Final = frozenset({Reason.SESSION_REQUIRED, Reason.LINK_LOGIN_STALE})


def own_paths(guard: GuardCore) -> tuple[str, ...]:
    """Give the paths that are the service's own; one with a final slash stands for all below it."""
    mounted = () if guard.approvals is None else guard.approvals.prefixes
    return "/oneact/", metadata.SERVICE_PATH, metadata.SERVICE_PATH + "/", *mounted


async def answer(guard: GuardCore, request: Request) -> Answer:
    """Answer one request to the service's own addresses."""
    if guard.approvals is not None and guard.approvals.answers(request.path):
        return await _approvals(guard, guard.approvals, request)
    try:
        found = _find(request.path)
        if request.method not in found:
            return exchange.of_other_method(request, found)
        await guard.start()
        return await found[request.method](guard, request)
    except Refusal as refusal:
        answer = exchange.refused(refusal, request.method, request.path)
        return _refusal_page(guard, refusal.reason) if request.path in _PAGES else answer


async def _approvals(guard: GuardCore, approvals: Approvals, request: Request) -> Answer:
    """Let the approval server in this process answer; it asks who is signed in here."""
    try:
        await guard.start()
        return await approvals.answer(request, functools.partial(guard.signed_in, request.native))
    except Refusal as refusal:
        return exchange.refused(refusal, request.method, request.path)


def _refusal_page(guard: GuardCore, reason: Reason) -> Answer:
    """Say on a page what did not work; who has to sign in is led there by a link, since a redirect could go round."""
    way = guard.sign_in(linking.LINK_PATH) if reason in _SIGN_IN else None
    page = link_page.message(linking.site(guard), "That did not work", reason.says, way)
    return exchange.of_page(page, reason.status)


async def _metadata(guard: GuardCore, _: Request) -> Answer:
    found = metadata.ServiceMetadata(
        resource=guard.resource,
        name=guard.name,
        jwks_uri=guard.resource + JWKS_PATH,
        actions_uri=guard.resource + ACTIONS_PATH,
        link_uri=guard.resource + linking.LINK_PATH,
        act_uri=guard.resource + ACT_PATH,
        authorization_servers=guard.issuers.listed,
        personal=any(guarded.personal for guarded in guard.actions.values()),
        readable=bool(guard.reads),
        ticket_uri=None if guard.beside is None else guard.resource + tickets.TICKET_PATH,
    )
    return exchange.of_json(found.document())


async def _jwks(guard: GuardCore, _: Request) -> Answer:
    return exchange.of_json(guard.keys.jwks)


async def _client(guard: GuardCore, _: Request) -> Answer:
    return exchange.of_json(linking.client_document(guard))


async def _actions(guard: GuardCore, _: Request) -> Answer:
    reads: list[Json] = [read.document for read in guard.reads.values()]
    actions: list[Json] = [guarded.action.document for guarded in guard.actions.values()]
    return exchange.of_json({"actions": actions, **({"reads": reads} if reads else {})})


async def _action(guard: GuardCore, request: Request) -> Answer:
    """Give an action by its digest, of this release or of one whose offers may still be alive."""
    digest = request.path.rpartition("/")[2]
    for guarded in guard.actions.values():
        if guarded.action.digest == digest:
            return exchange.of_json(guarded.action.document)
    document = await guard.store.find_action(digest)
    if document is None:
        raise Refusal(Reason.ACTION_UNKNOWN, digest)
    return exchange.of_json(document)


async def _act(guard: GuardCore, request: Request) -> Answer:
    name, parameters = reading.by_name(request)
    if name not in guard.actions:
        raise Refusal(Reason.ACTION_UNKNOWN, name)
    return await guard.perform(guard.actions[name], parameters, request)


async def _receipt(guard: GuardCore, request: Request) -> Answer:
    """Give the receipt of an act to the holder of its token, also after the token has expired."""
    found, proof, named = await _holder(guard, request)
    guard.remember(proof.jkt, proof.jti, guard.now())
    if found.txn != request.path.rpartition("/")[2]:
        raise Refusal(Reason.RECEIPT_UNKNOWN, "another transaction than the token's")
    spend = await guard.store.find_spend(SpendKey(guard.resource, found.iss, found.txn))
    if spend is None or spend.receipt is None:
        raise Refusal(Reason.RECEIPT_UNKNOWN, found.txn)
    if spend.holder != Holder(found.sub, found.client_id, found.jkt, named.digest):
        raise Refusal(Reason.SPENT_BY_ANOTHER, found.txn)
    return exchange.of_json({"receipt": spend.receipt, "status": spend.state})


async def _holder(guard: GuardCore, request: Request) -> tuple[ActionToken, Proof, Act]:
    authorization, proofs = request.values("authorization"), request.values("dpop")
    address = guard.resource + request.path
    try:
        found, proof = check_holder(authorization, proofs, request.method, address, guard.trust(), guard.now())
    except Refusal as refusal:
        if not authorization or not await guard.learn(authorization[0].partition(" ")[2], refusal.reason):
            raise
        found, proof = check_holder(authorization, proofs, request.method, address, guard.trust(), guard.now())
    return found, proof, token.parse_act(found)


def _find(path: str) -> dict[str, _Endpoint]:
    if path in _ENDPOINTS:
        return _ENDPOINTS[path]
    if path.startswith(metadata.SERVICE_PATH + "/"):
        return _ENDPOINTS[metadata.SERVICE_PATH]
    parent = path.rpartition("/")[0]
    if parent not in _UNDER:
        raise Refusal(Reason.ADDRESS_UNKNOWN, path)
    return _UNDER[parent]


_ENDPOINTS: Final[dict[str, dict[str, _Endpoint]]] = {
    metadata.SERVICE_PATH: {"GET": _metadata},
    JWKS_PATH: {"GET": _jwks},
    ACTIONS_PATH: {"GET": _actions},
    metadata.CLIENT_PATH: {"GET": _client},
    linking.LINK_PATH: {"GET": linking.page, "POST": linking.start},
    linking.CALLBACK_PATH: {"GET": linking.callback},
    linking.ROSTER_PATH: {"POST": roster.answer},
    tickets.TICKET_PATH: {"GET": tickets.hand_over},
    ACT_PATH: {"POST": _act},
}
_UNDER: Final[dict[str, dict[str, _Endpoint]]] = {ACTIONS_PATH: {"GET": _action}, RECEIPTS_PATH: {"GET": _receipt}}
