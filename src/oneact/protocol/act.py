"""An act: one action, exact parameters, the service's terms, as one `authorization_details` object (RFC 9396)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

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


@dataclass(frozen=True, slots=True)
class Act:
    """An act with its digests; `parameters` is None where only their digest was carried.

    `digest` covers the location (the service), the action, its digest, the parameters and the terms.
    """

    location: str
    action: str
    action_digest: str
    parameters: dict[str, Json] | None
    parameters_digest: str
    terms: dict[str, Json] | None
    digest: str

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
    return _assemble(location, action, action_digest, parameters, canonical.digest(parameters), terms or None)


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
    return _assemble(
        form.text(locations[0], reason),
        form.text(actions[0], reason, 64),
        form.digest(members["action_digest"], reason),
        _object(members["parameters"], reason) if "parameters" in members else None,
        _parameters_digest(members, reason),
        _terms(members, reason),
    )


def _parameters_digest(members: dict[str, Json], reason: Reason) -> str:
    if "parameters" in members:
        return canonical.digest(members["parameters"])
    return form.digest(members["parameters_digest"], reason)


def _terms(members: dict[str, Json], reason: Reason) -> dict[str, Json] | None:
    if "terms" not in members:
        return None
    terms = _object(members["terms"], reason)
    if not terms or len(canonical.encode(terms)) > TERMS_OCTETS:
        raise Refusal(reason, "terms are empty or larger than 1 KiB")
    return terms


def _object(value: Json, reason: Reason) -> dict[str, Json]:
    if not isinstance(value, dict):
        raise Refusal(reason, "not an object")
    return value


def _assemble(
    location: str,
    action: str,
    action_digest: str,
    parameters: dict[str, Json] | None,
    parameters_digest: str,
    terms: dict[str, Json] | None,
) -> Act:
    hashed: dict[str, Json] = {
        "type": TYPE,
        "locations": [location],
        "actions": [action],
        "action_digest": action_digest,
        "parameters_digest": parameters_digest,
    }
    if terms is not None:
        hashed["terms_digest"] = canonical.digest(terms)
    digest = canonical.sha256(_TAG + canonical.encode(hashed))
    return Act(location, action, action_digest, parameters, parameters_digest, terms, digest)
