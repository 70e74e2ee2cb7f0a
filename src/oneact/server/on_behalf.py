"""On behalf: a service asks for acts at itself in place of a program that has no key (specification, section 6.3).

Its right to ask is the person's link. One pairing stands for each link, so that it is seen, blocked and logged like an
agent; it names no key of a program, as nobody knows the program.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import metadata
from oneact.server import addresses, clients, pairing, services
from oneact.server.clients import Client
from oneact.store import Write

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json
    from oneact.protocol.client_assertion import ClientAssertion
    from oneact.server.world import World
    from oneact.store.contract import Row

_MAX_NAME: Final = 60


async def client(world: World, asserted: ClientAssertion) -> Client:
    """Give the agent, or the linked service, that an assertion names, with the key that it has to be signed by.

    Nothing is fetched from a service that nobody has linked. Refuses `client_unknown`, and `client_assertion` where
    none of the service's published keys signed.
    """
    if not asserted.client_id.endswith(metadata.CLIENT_PATH):
        return await clients.registered(world, asserted)
    row = await world.store.one("linked_service", asserted.client_id)
    if row is None or asserted.client_id != row["resource"] + metadata.CLIENT_PATH:
        raise Refusal(Reason.CLIENT_UNKNOWN, asserted.client_id)
    described = await services.describe(world, row["resource"])
    known = await services.keys(world, described.jwks_uri, asserted.parsed.header.kid)
    signed, signature, alg = asserted.parsed.signing_input, asserted.parsed.signature, asserted.parsed.header.alg
    key = next((key for key in known.values() if key.alg == alg and key.verify(signature, signed)), None)
    if key is None:
        raise Refusal(Reason.CLIENT_ASSERTION, "none of the service's keys")
    return Client(asserted.client_id, key, row["name"], {}, 0, service=row["resource"])


async def pairing_of_hint(world: World, asking: Client, hint: str) -> Row:
    """Give the pairing of an agent's hint, or that of a service's link to the person whom the hint names.

    Refuses `hint_unknown` for any other, and where the person has blocked it.
    """
    if not asking.service:
        return await pairing.pairing_of_hint(world, asking, hint)
    link = await world.store.one("link_of_name", asking.service, hint)
    if link is None:
        raise Refusal(Reason.HINT_UNKNOWN, "login_hint")
    row = await world.store.one("pairing_by_hint", _hint(link)) or await _paired(world, asking, link)
    if row["blocked_at"] is not None or row["removed_at"] is not None:
        raise Refusal(Reason.HINT_UNKNOWN, "blocked")
    return row


def check_own(asking: Client, service: str) -> None:
    """Refuse `offer_not_own` where a service asks for an act at another."""
    if asking.service and asking.service != service:
        raise Refusal(Reason.OFFER_NOT_OWN, f"{asking.service} asks for an act at {service}")


def page(world: World, asking: Client, request: str) -> str:
    """Give the page that whoever asks may show: the inbox, or that of the request in the browser that submitted it."""
    return world.issuer + (f"/requests/{request}" if asking.service else addresses.INBOX)


async def allow_again(world: World, account: str, pairing_id: str) -> None:
    """Let a service ask again whose right the person has blocked; refuses `not_yours` for anything else.

    An agent is paired anew instead; a service's link is not made anew as lightly.
    """
    row, now = await world.store.one("pairing", pairing_id, account), world.now()
    if row is None:
        raise Refusal(Reason.NOT_YOURS, pairing_id)
    if not await world.store.change([Write("unblock_on_behalf", (pairing_id, account))], [_entry(row, account, now)]):
        raise Refusal(Reason.NOT_YOURS, pairing_id)


async def _paired(world: World, asking: Client, link: Row) -> Row:
    """Keep the pairing of a link; of two who do this at once, both get the one that stands."""
    now = world.now()
    name = f"a program connected to {asking.name[:_MAX_NAME]}, not identified"
    row = {"id": world.new_id(), "client_id": asking.id, "jkt": asking.jkt, "name": name}
    values = (row["id"], _hint(link), link["account_id"], asking.id, asking.jkt, name, now)
    writes = [
        Write("keep_asking_service", (asking.id, asking.name, now, asking.service), None),
        Write("insert_pairing", values),
    ]
    await world.store.change(writes, [_entry(row, link["account_id"], now)])
    found = await world.store.one("pairing_by_hint", _hint(link))
    if found is None:
        raise Refusal(Reason.STORE_UNAVAILABLE, "the pairing was not stored")
    return found


def _entry(row: Row, account: str, now: int) -> Entry:
    content: dict[str, Json] = {
        "pairing": row["id"], "client_id": row["client_id"], "jkt": row["jkt"], "name": row["name"],
    }  # fmt: skip
    return Entry(Kind.AGENT_PAIRED, now, account, "", content)


def _hint(link: Row) -> str:
    """Give what the pairing of a link is found by; no agent has it for a hint, as those have no space in them."""
    return f"link {link['id']}"
