"""Offers: the act signed by the service as the thing to be approved; the service keeps no state for one."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason, Refusal
from oneact.protocol import act, canonical, display, fitting, offer, terms
from oneact.service import exchange

if TYPE_CHECKING:
    from oneact.protocol.action import Action
    from oneact.protocol.canonical import Json
    from oneact.service.act import Asker
    from oneact.service.exchange import Answer
    from oneact.service.keys import ServiceKeys

_MAX_HEADER: Final = 2 * 1024
_VALUE: Final = r'(?:"(?:[ !#-\[\]-~])*"|\?[01]|[A-Za-z0-9*:/._+-]+)'
_PARAMETER: Final = re.compile(rf" *; *([a-z*][a-z0-9_.*-]*)(?:=({_VALUE}))?")
_ACCEPT: Final = re.compile(rf"\?1((?:{_PARAMETER.pattern})*) *")


def asked_issuer(values: tuple[str, ...]) -> str | None:
    """Read `Accept-Txn-Challenge: ?1;as="…"`: the issuer as text, or None where the header does not ask so."""
    found = _ACCEPT.fullmatch(values[0].strip()) if len(values) == 1 else None
    if found is None:
        return None
    named = dict(_PARAMETER.findall(found[1]))  # of two parameters of one name the last counts (RFC 8941, 4.2.3.2)
    issuer = named.get("as", "")
    return issuer[1:-1] if issuer.startswith('"') else None


@dataclass(frozen=True, slots=True)
class Offers:
    """Makes the offers of one service."""

    resource: str
    keys: ServiceKeys
    metadata_uri: str

    def make(
        self,
        action: Action,
        parameters: dict[str, Json],
        stated: dict[str, Json] | None,
        issuer: str,
        now: int,
        asker: Asker | None = None,
    ) -> str:
        """Sign an offer for the approval server `issuer`, good for 600 seconds, and for `asker` alone if there is one.

        The act is rendered first: what cannot be shown is never offered. Refuses `too_large_to_show`; terms that do
        not fit the action's own schema are the service's fault and refused as `internal`.
        """
        _check_terms(action, stated)
        display.render(action, parameters, stated)
        offered = act.build(self.resource, action.name, action.digest, parameters, stated)
        exp = now + offer.LIFETIME
        sub, jkt = (None, None) if asker is None else (asker.sub, asker.jkt)
        holder = None if asker is None else (asker.sub, asker.jkt)
        txn = terms.mint(self.keys.txn_keys[0], secrets.token_bytes(16), exp, issuer, offered.digest, holder)
        claims = offer.Offer(
            self.resource, issuer, now, exp, secrets.token_urlsafe(16), txn, offered, action.intent, sub, jkt
        )
        return offer.sign(claims, self.keys.signing)

    def answer(self, challenge: str) -> Answer:
        """Give the 401 that carries an offer (draft-rosomakho-oauth-txn-challenge-00, section 4)."""
        body: dict[str, Json] = {**Refusal(Reason.APPROVAL_REQUIRED).body(), "transaction_challenge": challenge}
        said = f'DPoP error="insufficient_authorization", resource_metadata="{self.metadata_uri}"'
        whole = f'{said}, transaction_challenge="{challenge}"'
        header = whole if len(whole) <= _MAX_HEADER else said
        return exchange.of_json(body, Reason.APPROVAL_REQUIRED.status).with_headers(("WWW-Authenticate", header))


def _check_terms(action: Action, stated: dict[str, Json] | None) -> None:
    if (action.terms is None) != (stated is None):
        raise Refusal(Reason.INTERNAL, "terms for an action without, or none for one with")
    if action.terms is None or stated is None:
        return
    try:
        fitting.validate(action.terms, stated)
    except Refusal as refusal:
        raise Refusal(Reason.INTERNAL, f"terms do not fit their schema: {refusal.detail}") from refusal
    if not stated or len(canonical.encode(stated)) > act.TERMS_OCTETS:
        raise Refusal(Reason.TOO_LARGE_TO_SHOW, "terms are empty or larger than 1 KiB")
