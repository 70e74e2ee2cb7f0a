"""Linking, the person's half: a signed-in person signs the roster of their passkeys for one service, and later ones."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, canonical, form, roster
from oneact.protocol.roster import Roster, SignedRoster
from oneact.server import ending, gestures, passkeys, relying, services
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.passkey import Credential
    from oneact.server.relying import LinkRequest
    from oneact.server.sessions import Session
    from oneact.server.world import World
    from oneact.store.contract import Row

_SUCCESS: Final = range(200, 300)


async def begin(world: World, session: Session, client_id: Json, request_uri: Json) -> dict[str, Json]:
    """Give `{gesture, options}` over the roster of this person's passkeys for the service that asked.

    Their name there is a new one for every link: what the service may have kept of an earlier link, perhaps of another
    account, is never taken for this one. Refuses `link_exists` while a link stands.
    """
    request = await opened(world, client_id, request_uri)
    await _check_free(world, session, request)
    known = await passkeys.of_account(world, session.account)
    proposed = _roster(world, request.service.resource, world.new_id(), 1, known)
    about: dict[str, Json] = {"client_id": request.service.client_id, "request_uri": request.id}
    ids = [item.id for item in known]
    return await gestures.begin(world, approval.ROSTER, session.id, proposed.members(), about, ids)


async def link(world: World, session: Session, gesture_id: Json, credential: Json) -> str:
    """Verify the gesture, keep the signed roster, and give the address to which the person goes back.

    Refuses `link_exists` where the service has been linked meanwhile.
    """
    gesture = await gestures.take(world, approval.ROSTER, session.id, gesture_id)
    signed = SignedRoster(roster.parse(gesture.value), gestures.read(credential))
    await gestures.verify(world, gesture, signed.webauthn, await _listed(world, session, signed.roster))
    request = await opened(world, gesture.about.get("client_id"), gesture.about.get("request_uri"))
    await _check_free(world, session, request)
    identifier, now, service = world.new_id(), world.now(), request.service
    kept = _dump({"roster_uri": service.roster_uri, "redirect_uris": list(service.redirect_uris)})
    row = (
        identifier, session.account, service.resource, signed.roster.sub, _dump(signed.roster.members()),
        _dump(signed.webauthn.members()), signed.roster.seq, now,
    )  # fmt: skip
    writes = [
        Write("keep_service", (service.resource, service.client_id, service.name, kept, now)),
        Write("insert_link", row),
    ]
    if signed.roster.aud != service.resource or not await world.store.change(writes, ()):
        raise Refusal(Reason.CLIENT_METADATA, "another service stands under this client_id")
    code = await relying.new_code(world, request, identifier, now)
    return _back(request, {"code": code, "state": request.state, "iss": world.issuer})


async def decline(world: World, client_id: Json, request_uri: Json) -> str:
    """Use the pushed request up without a code; give the address to which the person goes back."""
    request = await opened(world, client_id, request_uri)
    await world.store.change([Write("use_pushed_request", (request.id,), None)], ())
    return _back(request, {"error": Reason.DENIED.error, "state": request.state, "iss": world.issuer})


async def opened(world: World, client_id: Json, request_uri: Json) -> LinkRequest:
    """Give the pushed request that a signed-in person opens; refuses `grant_unknown` and what the service's has."""
    reason = Reason.GRANT_UNKNOWN
    return await relying.open_request(world, form.text(client_id, reason), form.text(request_uri, reason))


async def standing(world: World, account: str, resource: str) -> Row | None:
    """Give the link of this person to a service with its `label`, or None; while it stands there is no other."""
    return await world.store.one("link_of_service", account, resource)


async def linked(world: World, account: str) -> list[Row]:
    """Give the linked services, each with the rows of the passkeys it has `pinned` and of those `missing` there.

    `removed` is how many it still has pinned that are passkeys of the account no more.
    """
    rows, known = await world.store.all("links_of_account", account), await passkeys.rows(world, account)
    for row in rows:
        there = {item["id"] for item in json.loads(row["roster"])["credentials"]}
        row["pinned"] = [item for item in known if item["id"] in there]
        row["missing"] = [item for item in known if item["id"] not in there]
        row["removed"] = len(there) - len(row["pinned"])
    return rows


async def before(world: World, account: str, resource: str) -> Row | None:
    """Give the person's last link to a service, else their last to any, with the `name` and `roster` of it, or None.

    Passkeys that its roster does not list are new: the page shows them apart, for the person to know them again.
    """
    rows = await world.store.all("rosters_of_account", account)
    for row in rows:
        row["ids"] = {item["id"] for item in json.loads(row["roster"])["credentials"]}
    return next((row for row in rows if row["resource"] == resource), rows[0] if rows else None)


async def begin_update(world: World, session: Session, link_id: Json) -> dict[str, Json]:
    """Give `{gesture, options}` over the next roster of a linked service, for a passkey that it has pinned."""
    row, pinned = await _linked(world, session, link_id)
    known = await passkeys.of_account(world, session.account)
    able = [item.id for item in pinned.credentials if item in known]
    if not able:
        raise Refusal(Reason.ROSTER_UNPINNED, "no passkey of this account is pinned there")
    later = _roster(world, pinned.aud, pinned.sub, max(pinned.seq + 1, world.now()), known)
    return await gestures.begin(world, approval.ROSTER, session.id, later.members(), {"link": row["id"]}, able)


async def update(world: World, session: Session, gesture_id: Json, credential: Json) -> None:
    """Verify the gesture, bring the signed roster to the service, and keep it when the service has taken it."""
    gesture = await gestures.take(world, approval.ROSTER, session.id, gesture_id)
    row, pinned = await _linked(world, session, gesture.about.get("link"))
    signed = SignedRoster(roster.parse(gesture.value), gestures.read(credential))
    known = await _listed(world, session, signed.roster)
    await gestures.verify(world, gesture, signed.webauthn, [item for item in pinned.credentials if item in known])
    roster.check_next(signed, pinned)
    await _bring(world, row, canonical.encode(signed.members()), "application/json")
    await _keep(world, row, signed.roster, _dump(signed.webauthn.members()))


async def tell_removals(world: World, session: Session) -> int:
    """Tell each linked service which passkeys are gone, signed by this server alone; give how many were not reached.

    A service that would be left without any cannot be told: it keeps what it has pinned until its owner unlinks the
    account.
    """
    known, failed = await passkeys.of_account(world, session.account), 0
    for row in await world.store.all("links_of_account", session.account):
        pinned = roster.parse(canonical.parse(row["roster"].encode()))
        left = [item for item in pinned.credentials if item in known]
        if not left or len(left) == len(pinned.credentials):
            continue
        later = _roster(world, pinned.aud, pinned.sub, max(pinned.seq + 1, world.now()), left)
        try:
            await _bring(world, row, roster.sign_removal(later, world.key).encode("ascii"), "application/jwt")
        except Refusal:
            failed += 1
        else:
            await _keep(world, row, later, "null")
    return failed


async def unlink(world: World, session: Session, link_id: str) -> None:
    """Take no more requests for a service, which may then be linked anew; withdraw approvals not yet collected.

    What the service has pinned stays until the person unlinks there.
    """
    row, pinned = await _linked(world, session, link_id)
    now = world.now()
    content: dict[str, Json] = {"link": row["id"], "service": pinned.aud, "sub": pinned.sub}
    entry = Entry(Kind.SERVICE_UNLINKED, now, session.account, "", content)
    if not await world.store.change([Write("unlink", (row["id"], session.account, now))], [entry]):
        raise Refusal(Reason.NOT_YOURS, link_id)
    await ending.withdraw_where(world, session.account, lambda approved: bool(approved["link_id"] == row["id"]))


async def _listed(world: World, session: Session, signed: Roster) -> list[Credential]:
    """Give the account's passkeys; refuses `gesture_unknown` where one that the roster lists was removed meanwhile."""
    known = await passkeys.of_account(world, session.account)
    if not set(signed.credentials) <= set(known):
        raise Refusal(Reason.GESTURE_UNKNOWN, "a passkey of the roster was removed meanwhile")
    return known


async def _check_free(world: World, session: Session, request: LinkRequest) -> None:
    if await standing(world, session.account, request.service.resource) is not None:
        raise Refusal(Reason.LINK_EXISTS, request.service.resource)


async def _linked(world: World, session: Session, link_id: Json) -> tuple[Row, Roster]:
    row = await world.store.one("link_of_account", form.text(link_id, Reason.NOT_YOURS, 128), session.account)
    if row is None:
        raise Refusal(Reason.NOT_YOURS, str(link_id))
    return row, roster.parse(canonical.parse(row["roster"].encode()))


async def _bring(world: World, row: Row, body: bytes, media_type: str) -> None:
    service = await services.client(world, row["client_id"])
    headers = {"Content-Type": media_type}
    answer = await world.fetch.fetcher.request("POST", service.roster_uri, headers=headers, body=body)
    if answer.status not in _SUCCESS:
        raise Refusal(Reason.METADATA_UNREACHABLE, f"the service answered {answer.status}")


async def _keep(world: World, row: Row, later: Roster, webauthn: str) -> None:
    content: dict[str, Json] = {
        "link": row["id"], "service": later.aud, "roster": later.members(), "webauthn": json.loads(webauthn),
    }  # fmt: skip
    entry = Entry(Kind.ROSTER_CHANGED, world.now(), row["account_id"], "", content)
    write = Write("change_roster", (row["id"], _dump(later.members()), webauthn, later.seq))
    if not await world.store.change([write], [entry]):
        raise Refusal(Reason.ROSTER_SEQ, "another roster was kept at this moment")


def _roster(world: World, resource: str, subject: str, seq: int, known: list[Credential]) -> Roster:
    settings = world.settings
    return Roster(world.issuer, resource, subject, settings.rp_id, (settings.origin,), seq, tuple(known))


def _back(request: LinkRequest, parameters: dict[str, str]) -> str:
    return request.redirect_uri + ("&" if "?" in request.redirect_uri else "?") + urlencode(parameters)


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
