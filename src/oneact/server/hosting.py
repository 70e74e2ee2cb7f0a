"""A server for one service, whose accounts are the persons: who they are, the service says at every request.

Nobody signs up or in here, and nothing is linked by a flow. A person makes their first passkey while freshly signed in
at the service, and signs with it the roster that the service then pins: from there on it is the passkey that speaks.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from oneact.errors import Reason, Refusal
from oneact.log.entry import Entry, Kind
from oneact.protocol import approval, canonical, metadata, roster
from oneact.protocol.roster import Roster, SignedRoster
from oneact.server import gestures, passkeys
from oneact.server.sessions import Session
from oneact.store import Write

if TYPE_CHECKING:
    from starlette.requests import Request

    from oneact.fetch import Fetcher
    from oneact.protocol.canonical import Json
    from oneact.protocol.passkey import Credential
    from oneact.server.world import World
    from oneact.store.contract import Row

FRESH: Final = 300  # seconds after a sign-in at the service in which a first passkey is made
FIRST_PASSKEY: Final = "First passkey"
MAX_LABEL: Final = 80


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is signed in at the service: the account's `id` there, its `label`, the second of the sign-in."""

    id: str
    label: str
    auth_time: int


class Host(Protocol):
    """The service whose accounts the persons of a server are; `resource` is its identifier.

    `keeps_session` tells that a session is begun and ended here, and not at the service.
    """

    resource: str
    name: str
    keeps_session: bool

    async def guest(self, world: World, request: Request) -> Guest | None:
        """Give who is signed in at the service in the browser that makes this request; None for nobody."""
        ...

    async def standing(self, world: World, guest: Guest) -> Roster | None:
        """Give the roster that the service has pinned for an account; None where it has none."""
        ...

    async def link(self, world: World, guest: Guest, signed: SignedRoster) -> None:
        """Have the service pin a roster for an account, durably; refuses what no roster of this account can be."""
        ...

    def reaching(self, others: Fetcher) -> Fetcher:
        """Give what fetches from the service, and from everyone else by `others`."""
        ...

    def sign_in(self, here: str, *, fresh: bool = False) -> str | None:
        """Give the address at which one signs in at the service, and comes back from to the path `here`.

        `fresh` where one has to sign in although one is. None where there is none to be led to.
        """
        ...


async def session(world: World, host: Host, guest: Guest | None) -> Session | None:
    """Give the session of an account whose passkeys the service has pinned; None for anyone else."""
    row = None if guest is None else await world.store.one("account_of_guest", guest.id)
    if guest is None or row is None or not await _is_pinned(world, host, guest, row["id"]):
        return None
    return Session(_session_id(guest), row["id"], guest.label)


async def has_passkey(world: World, guest: Guest) -> bool:
    """Tell whether an account has made its first passkey."""
    return await world.store.one("account_of_guest", guest.id) is not None


async def begin_passkey(world: World, host: Host, guest: Guest) -> dict[str, Json]:
    """Give `{gesture, options}` for the creation of an account's first passkey.

    Refuses `link_login_stale`, and `link_exists` where the service has pinned passkeys for the account: only one of
    these speaks for it, until the service itself has unlinked it.
    """
    await _check_free(world, host, guest)
    account = world.new_id()
    about: dict[str, Json] = {"account": account, "guest": guest.id}
    return await passkeys.creation(world, _session_id(guest), about, guest.label, account, ())


async def make_passkey(world: World, host: Host, guest: Guest, gesture_id: Json, credential: Json) -> dict[str, Json]:
    """Make the account with its first passkey; give `{gesture, options}` over the roster that it is to sign.

    Where there was an account before, of which the service has nothing pinned any more, it stays in the log alone.
    """
    await _check_free(world, host, guest)
    gesture = await gestures.take(world, gestures.REGISTRATION, _session_id(guest), gesture_id)
    created, now = passkeys.registered(world, gesture, credential), world.now()
    account = str(gesture.about["account"])
    gone, ended = await _letting_go(world, host, guest)
    writes = [
        *gone,
        Write("insert_account_of_guest", (account, guest.label[:MAX_LABEL], now, guest.id)),
        passkeys.insertion(created, account, FIRST_PASSKEY, now),
    ]
    about: dict[str, Json] = {"name": guest.label[:MAX_LABEL], "guest": guest.id}
    entries = [
        *ended,
        Entry(Kind.ACCOUNT_CREATED, now, account, "", about),
        passkeys.added(created, account, FIRST_PASSKEY, now),
    ]
    if not await world.store.change(writes, entries):
        raise Refusal(Reason.LINK_EXISTS, "another passkey was made meanwhile")
    return await begin_roster(world, host, guest)


async def begin_roster(world: World, host: Host, guest: Guest) -> dict[str, Json]:
    """Give `{gesture, options}` over the roster of an account's passkeys, for one that the service can know.

    Refuses `link_login_stale`; `link_exists` where the service has pinned passkeys that the account has not.
    """
    _check_fresh(world, guest)
    account, pinned = await _account(world, guest), await host.standing(world, guest)
    known = await passkeys.of_account(world, account)
    able = [item for item in known if pinned is None or item in pinned.credentials]
    if not able or (pinned is not None and pinned.iss != world.issuer):
        raise Refusal(Reason.LINK_EXISTS, "the service has pinned other passkeys")
    proposed = _roster(world, host, known, pinned)
    ids = [item.id for item in able]
    return await gestures.begin(world, approval.ROSTER, _session_id(guest), proposed.members(), {}, ids)


async def sign_roster(world: World, host: Host, guest: Guest, gesture_id: Json, credential: Json) -> None:
    """Verify the gesture, have the service pin the roster, and keep it as the account's link."""
    _check_fresh(world, guest)
    gesture = await gestures.take(world, approval.ROSTER, _session_id(guest), gesture_id)
    signed = SignedRoster(roster.parse(gesture.value), gestures.read(credential))
    account = await _account(world, guest)
    known = await passkeys.of_account(world, account)
    if not set(signed.roster.credentials) <= set(known):
        raise Refusal(Reason.GESTURE_UNKNOWN, "a passkey of the roster was removed meanwhile")
    await gestures.verify(world, gesture, signed.webauthn, known)
    await host.link(world, guest, signed)
    await _keep(world, host, guest, account, signed)


async def _is_pinned(world: World, host: Host, guest: Guest, account: str) -> bool:
    row, pinned = await world.store.one("link_of_service", account, host.resource), await host.standing(world, guest)
    return row is not None and pinned is not None and (pinned.iss, pinned.sub) == (world.issuer, row["sub"])


async def _letting_go(world: World, host: Host, guest: Guest) -> tuple[list[Write], list[Entry]]:
    """Give the writes and the entry by which an account that was made before is the guest's no longer."""
    row = await world.store.one("account_of_guest", guest.id)
    if row is None:
        return [], []
    writes, entries = await _unlinking(world, row["id"], host.resource)
    return [Write("let_guest_go", (guest.id, row["id"])), *writes], entries


async def _account(world: World, guest: Guest) -> str:
    row = await world.store.one("account_of_guest", guest.id)
    if row is None:
        raise Refusal(Reason.GESTURE_UNKNOWN, "no passkey yet")
    return str(row["id"])


async def _keep(world: World, host: Host, guest: Guest, account: str, signed: SignedRoster) -> None:
    """Keep the link; what the server took for one before, and the service does not, ends with it."""
    identifier, now, label = world.new_id(), world.now(), guest.label[:MAX_LABEL]
    kept, webauthn = signed.roster.members(), signed.webauthn.members()
    gone, entries = await _unlinking(world, account, host.resource)
    writes = [
        *gone,
        Write("keep_service", (host.resource, host.resource + metadata.CLIENT_PATH, host.name, "{}", now)),
        Write("insert_link", (
            identifier, account, host.resource, signed.roster.sub, _dump(kept), _dump(webauthn), signed.roster.seq, now,
        )),
        Write("complete_link", (identifier, now, label)),
    ]  # fmt: skip
    content: dict[str, Json] = {
        "link": identifier, "service": host.resource, "sub": signed.roster.sub, "label": label, "roster": kept,
        "webauthn": webauthn,
    }  # fmt: skip
    entries = [*entries, Entry(Kind.SERVICE_LINKED, now, account, "", content)]
    if not await world.store.change(writes, entries):
        raise Refusal(Reason.LINK_EXISTS, host.resource)


async def _unlinking(world: World, account: str, resource: str) -> tuple[list[Write], list[Entry]]:
    """Give the write and the entry that end the link there is, if there is one."""
    row: Row | None = await world.store.one("link_of_service", account, resource)
    if row is None:
        return [], []
    content: dict[str, Json] = {"link": row["id"], "service": resource, "sub": row["sub"]}
    entry = Entry(Kind.SERVICE_UNLINKED, world.now(), account, "", content)
    return [Write("unlink", (row["id"], account, world.now()))], [entry]


def _roster(world: World, host: Host, known: list[Credential], pinned: Roster | None) -> Roster:
    settings = world.settings
    sub = world.new_id() if pinned is None else pinned.sub
    seq = 1 if pinned is None else max(pinned.seq + 1, world.now())
    return Roster(world.issuer, host.resource, sub, settings.rp_id, (settings.origin,), seq, tuple(known))


async def _check_free(world: World, host: Host, guest: Guest) -> None:
    _check_fresh(world, guest)
    if await host.standing(world, guest) is not None:
        raise Refusal(Reason.LINK_EXISTS, guest.id)


def _check_fresh(world: World, guest: Guest) -> None:
    if not 0 <= world.now() - guest.auth_time <= FRESH:
        raise Refusal(Reason.LINK_LOGIN_STALE, f"auth_time {guest.auth_time} of {guest.id!r} at {world.now()}")


def _session_id(guest: Guest) -> str:
    """Name the session of a guest: gestures begun for one account are answered for it alone."""
    return "guest " + canonical.sha256(b"oneact-guest-1\n" + guest.id.encode())


def _dump(value: Json) -> str:
    return canonical.encode(value).decode()
