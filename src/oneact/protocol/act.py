"""An act: one action, exact parameters, the service's terms, as one `authorization_details` object (RFC 9396)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from oneact.errors import Reason, Refusal
from oneact.protocol import canonical, form

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json

TYPE: Final = "oneact_act"
INLINE_OCTETS: Final = 1024
TERMS_OCTETS: Final = 1024
_TAG: Final = b"oneact-act-1\n"
_REQUIRED: Final = frozenset({"type", "locations", "actions", "action_digest"})
_OPTIONAL: Final = frozenset({"parameters", "parameters_digest", "terms"})


class Act(NamedTuple):
    """An act with its digests; `parameters` is None where only their digest was carried."""

    location: str
    action: str
    action_digest: str
    parameters: dict[str, Json] | None
    parameters_digest: str
    terms: dict[str, Json] | None
    terms_digest: str | None

    @property
    def digest(self) -> str:
        """Give the act digest: over location, action, its digest, and the digests of parameters and terms."""
        terms = "" if self.terms_digest is None else f'"terms_digest":"{self.terms_digest}",'
        # JCS of a form whose names are fixed: only location and action can hold a character that JCS escapes.
        form = (
            f'{{"action_digest":"{self.action_digest}","actions":[{canonical.text(self.action)}],'
            f'"locations":[{canonical.text(self.location)}],"parameters_digest":"{self.parameters_digest}",'
            f'{terms}"type":"{TYPE}"}}'
        )
        return canonical.sha256(_TAG + form.encode())

    def names_the_same(self, other: Act) -> bool:
        """Tell whether both are one act, by every text and digest that the act digest covers."""
        return (
            self.parameters_digest == other.parameters_digest
            and self.terms_digest == other.terms_digest
            and self.action_digest == other.action_digest
            and self.action == other.action
            and self.location == other.location
        )

    def details(self, *, inline: bool = True) -> list[Json]:
        """Give the `authorization_details` array; `inline` carries the parameters themselves, where they are known."""
        entry: dict[str, Json] = {
            "type": TYPE,
            "locations": [self.location],
            "actions": [self.action],
            "action_digest": self.action_digest,
        }
        if inline and self.parameters is not None:
            entry["parameters"] = self.parameters
        else:
            entry["parameters_digest"] = self.parameters_digest
        if self.terms is not None:
            entry["terms"] = self.terms
        return [entry]

    def fits_inline(self) -> bool:
        """Tell whether the parameters are known and at most 1 KiB of JCS, as a token may carry them."""
        return self.parameters is not None and len(canonical.encode(self.parameters)) <= INLINE_OCTETS


def build(
    location: str, action: str, action_digest: str, parameters: dict[str, Json], terms: dict[str, Json] | None
) -> Act:
    """Make an act from its whole parts; empty terms are absent terms."""
    terms_digest = canonical.digest(terms) if terms else None
    digest = canonical.digest(parameters)
    return Act(location, action, action_digest, parameters, digest, terms or None, terms_digest)


def rebuild(claimed: Act, location: str, action: str, action_digest: str, parameters: dict[str, Json]) -> Act:
    """Make the act that a request asks for, with the terms that a token claims for it."""
    digest = canonical.digest(parameters)
    return Act(location, action, action_digest, parameters, digest, claimed.terms, claimed.terms_digest)


def parse_details(value: Json, reason: Reason) -> Act:
    """Read an `authorization_details` array that holds exactly one act with exactly its members; else refuse."""
    if not isinstance(value, list) or len(value) != 1:
        raise Refusal(reason, "not exactly one object")
    members = form.closed(value[0], reason, _REQUIRED, _OPTIONAL)
    locations, actions = members["locations"], members["actions"]
    if members["type"] != TYPE or not isinstance(locations, list) or not isinstance(actions, list):
        raise Refusal(reason, "type, locations or actions")
    if len(locations) != 1 or len(actions) != 1 or ("parameters" in members) == ("parameters_digest" in members):
        raise Refusal(reason, "not one location, one action, and parameters or their digest")
    parameters = _object(members["parameters"], reason) if "parameters" in members else None
    terms, terms_digest = _terms(members, reason) if "terms" in members else (None, None)
    return Act(
        form.text(locations[0], reason),
        form.text(actions[0], reason, 64),
        form.digest(members["action_digest"], reason),
        parameters,
        form.digest(members["parameters_digest"], reason) if parameters is None else canonical.digest(parameters),
        terms,
        terms_digest,
    )


def _terms(members: dict[str, Json], reason: Reason) -> tuple[dict[str, Json], str]:
    terms = _object(members["terms"], reason)
    octets = canonical.encode(terms)
    if not terms or len(octets) > TERMS_OCTETS:
        raise Refusal(reason, "terms are empty or larger than 1 KiB")
    return terms, canonical.sha256(octets)


def _object(value: Json, reason: Reason) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Refusal(reason, "not an object")
    return value
