"""An approver in this process: person, passkey, approval server and agent in one, for tests of guarded services."""

from __future__ import annotations

import asyncio
import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.protocol import act, action, approval, asking, base64url, display, dpop, offer, read_token, reading, token
from oneact.protocol.jwk import SigningKey
from oneact.protocol.roster import Roster, SignedRoster
from oneact.protocol.token import ActionToken, Approval
from oneact.testing import linking
from oneact.testing.authenticator import SoftwarePasskey

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oneact.protocol.act import Act
    from oneact.protocol.action import Action
    from oneact.protocol.approval import Statement
    from oneact.protocol.canonical import Json
    from oneact.service.guard import GuardCore

_LOCAL: Final = frozenset({"localhost", "127.0.0.1", "::1"})


def new_key() -> SigningKey:
    """Make a fresh ES256 key."""
    return SigningKey(ec.generate_private_key(ec.SECP256R1()))


@dataclass
class TestAgent:
    """An agent's key and identifier; makes proofs and headers."""

    __test__ = False  # not a class of tests, whatever pytest makes of its name
    client_id: str = "agent-under-test"
    key: SigningKey = field(default_factory=new_key)

    @property
    def jkt(self) -> str:
        """Give the key's thumbprint."""
        return self.key.public.thumbprint

    def headers(self, method: str, url: str, token_text: str, now: int) -> dict[str, str]:
        """Give the two header fields with which a token is shown."""
        proof = dpop.build(self.key, method, url, now, secrets.token_urlsafe(12), token=token_text)
        return {"Authorization": f"DPoP {token_text}", "DPoP": proof}


@dataclass
class InProcessApprover:
    """A person with one passkey and the approval server that speaks for them, without HTTP.

    `issuer` has to be on localhost: nothing of this may ever stand before real accounts.
    """

    issuer: str = "http://localhost:8400"
    sub: str = "person-under-test"
    key: SigningKey = field(default_factory=new_key)
    passkey: SoftwarePasskey = field(init=False)
    alg: str = "ES256"

    def __post_init__(self) -> None:
        """Refuse to stand anywhere but on localhost."""
        host = urlsplit(self.issuer).hostname
        if host not in _LOCAL:
            raise ValueError("oneact.testing runs on localhost only")
        self.passkey = SoftwarePasskey(str(host), self.issuer, self.alg)

    @property
    def accept(self) -> dict[str, str]:
        """Give the header field with which a request asks for an offer to this server."""
        return {"Accept-Txn-Challenge": f'?1;as="{self.issuer}"'}

    def jwks(self) -> dict[str, Json]:
        """Give the server's JWK Set."""
        return {"keys": [self.key.public.public_jwk()]}

    def roster(self, resource: str, seq: int = 1) -> Roster:
        """Give the roster that a service pins when the person links it."""
        passkey = self.passkey
        return Roster(self.issuer, resource, self.sub, passkey.rp_id, (passkey.origin,), seq, (passkey.credential,))

    def signed_roster(self, resource: str, seq: int = 1) -> SignedRoster:
        """Give the roster with the assertion that vouches for it."""
        roster = self.roster(resource, seq)
        return SignedRoster(roster, self.passkey.get(roster.challenge()))

    def link(self, guard: GuardCore, account: str) -> None:
        """Link the local account `account` of a guard under test to this person, as the link page would.

        The guard finds this server's keys in memory: nothing is fetched. For tests without an event loop; a store of
        your own that is bound to one needs `link_async`. Raises ValueError for a guard that is not on localhost, or
        whose `issuers` leave this server out.
        """
        with ThreadPoolExecutor(1) as pool:  # with a loop of its own, whether or not one runs here
            pool.submit(asyncio.run, self.link_async(guard, account)).result()

    async def link_async(self, guard: GuardCore, account: str) -> None:
        """Link as `link` does, within the event loop in which the guard runs."""
        await linking.link(guard, account, self.roster(guard.resource), self.jwks())

    def asking_token(self, resource: str, agent: TestAgent, now: int, **changes: Any) -> str:  # noqa: ANN401 - any claim
        """Give the asking token with which `agent` is told the terms of `resource` that depend on who asks.

        `changes` replace claims of the token.
        """
        exp, jti = now + asking.LIFETIME, secrets.token_urlsafe(16)
        claims = asking.AskingToken(self.issuer, self.sub, resource, agent.client_id, now, exp, jti, agent.jkt)
        return asking.sign(claims._replace(**changes), self.key)

    def read_token(
        self,
        resource: str,
        reads: Sequence[Json],
        agent: TestAgent,
        now: int,
        *,
        duration: int = 3600,
        **changes: Any,  # noqa: ANN401 - any claim
    ) -> str:
        """Open a session over `reads`, as `/oneact/actions` publishes them, and give its read token for `agent`.

        `changes` replace claims of the token after all is signed by the passkey.
        """
        listed = [reading.parse_read(item) for item in reads]
        wanted = reading.want(resource, listed, duration)
        shown, nonce = display.digest(reading.render(listed, duration)), base64url.encode(secrets.token_bytes(16))
        said = reading.Statement(
            self.issuer, resource, self.sub, agent.client_id, agent.jkt, now, now + duration, nonce, wanted, shown
        )
        claims = read_token.ReadToken(
            self.issuer, self.sub, resource, agent.client_id, now, now + min(duration, read_token.LIFETIME),
            secrets.token_urlsafe(16), agent.jkt, wanted.details(),
            read_token.approvals(said, self.passkey.get(said.challenge())),
        )  # fmt: skip
        return read_token.sign(claims._replace(**changes), self.key)

    def approve(self, offer_text: str, document: Mapping[str, Json], agent: TestAgent, now: int, **changes: Any) -> str:  # noqa: ANN401 - any claim
        """Approve an offer as the person would, and give the action token for `agent`.

        `document` is the published action, or all of them as they stand at `/oneact/actions`. `changes` replace claims
        of the token after all is signed by the passkey.
        """
        offered, _ = offer.parse(offer_text)
        return self._approve(offered.act, _described(document, offered.act), agent, now, offered.txn, changes)

    def approve_act(
        self,
        approved: Act,
        described: Action,
        agent: TestAgent,
        now: int,
        *,
        txn: str,
        **changes: Any,  # noqa: ANN401 - any claim
    ) -> str:
        """Approve an act whose `txn` is known."""
        return self._approve(approved, described, agent, now, txn, changes)

    def _approve(
        self, approved: Act, described: Action, agent: TestAgent, now: int, txn: str, changes: dict[str, Any]
    ) -> str:
        statement = self.statement(approved, described, agent, now, txn)
        given = Approval(statement, self.passkey.get(statement.challenge()))
        return token.sign(self.token(approved, agent, now, txn, given)._replace(**changes), self.key)

    def statement(self, approved: Act, described: Action, agent: TestAgent, now: int, txn: str) -> Statement:
        """Give the statement over one act, good from `now` for 60 seconds."""
        lines = display.render(described, approved.parameters or {}, approved.terms)
        item = approval.item_hash(approved.location, self.sub, txn, approved.digest, display.digest(lines))
        nonce = base64url.encode(secrets.token_bytes(16))
        return approval.Statement(
            self.issuer, agent.client_id, agent.jkt, now, now + approval.LIFETIME_ONE, nonce, (item,)
        )

    def token(self, approved: Act, agent: TestAgent, now: int, txn: str, *given: Approval) -> ActionToken:
        """Give the claims of the token that these approvals lead to, issued at `now` for 30 seconds."""
        return ActionToken(
            iss=self.issuer,
            sub=self.sub,
            aud=approved.location,
            client_id=agent.client_id,
            iat=now,
            exp=now + token.LIFETIME,
            jti=secrets.token_urlsafe(16),
            txn=txn,
            jkt=agent.jkt,
            auth_time=now,
            acr="phrh",
            amr=("hwk", "user"),
            details=approved.details(inline=approved.fits_inline()),
            approvals=token.approvals_members(given),
        )


def _described(document: Mapping[str, Json], offered: Act) -> Action:
    """Read the published action of an offer, alone or among others; raises ValueError where it is not there."""
    listed = document.get("actions", [dict(document)])
    for candidate in listed if isinstance(listed, list) else []:
        found = action.parse(candidate)
        if found.digest == offered.action_digest:
            return found
    raise ValueError(f"the offer is for an action {offered.action} that is not among those given")


def one_act(
    resource: str, document: Mapping[str, Json], parameters: dict[str, Json], terms: dict[str, Json] | None
) -> Act:
    """Give the act of a published action with these parameters and terms."""
    described = action.parse(dict(document))
    return act.build(resource, described.name, described.digest, parameters, terms)
