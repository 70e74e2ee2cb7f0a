"""Rows about what a service publishes, and what it sent when it linked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from oneact.conformance import linking, making, outcome
from oneact.conformance.outcome import Failed
from oneact.conformance.row import Group, Row
from oneact.errors import Refusal
from oneact.protocol import action as actions
from oneact.protocol import client_assertion, jwk, metadata

if TYPE_CHECKING:
    from oneact.conformance.stage import Stage

_PRIVATE: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_LABEL: Final = 80


def _json(stage: Stage, url: str) -> dict[str, Any]:
    answer = stage.get(url)
    kind = answer.headers.get("content-type", "").partition(";")[0]
    if answer.status_code != 200 or not (kind == "application/json" or kind.endswith("+json")):  # noqa: PLR2004 - OK
        raise Failed("200 with JSON", f"{url}: {outcome.told(answer)}, {kind}")
    return outcome.body(answer)


def _metadata(stage: Stage) -> None:
    url = metadata.well_known(stage.resource, metadata.SERVICE_PATH)
    try:
        metadata.parse_service(_json(stage, url), stage.resource)
    except Refusal as refusal:
        raise Failed("the metadata of section 4.10", str(refusal)) from refusal


def _client(stage: Stage) -> None:
    found, url = _json(stage, stage.client_id), stage.client_id
    outcome.same("client_id", found.get("client_id"), url)
    outcome.same("oneact_resource", found.get("oneact_resource"), stage.resource)
    outcome.same("token_endpoint_auth_method", found.get("token_endpoint_auth_method"), "private_key_jwt")
    listed = found.get("redirect_uris")
    addresses = [*(listed if isinstance(listed, list) else []), found.get("jwks_uri"), found.get("oneact_roster_uri")]
    for address in addresses:
        under = isinstance(address, str) and metadata.lies_under(address, stage.resource)
        outcome.holds(f"addresses below {stage.resource}", str(address), right=under)
    outcome.holds("1 to 8 redirect_uris", str(listed), right=isinstance(listed, list) and 0 < len(listed) <= 8)  # noqa: PLR2004 - section 4.10


def _keys(stage: Stage) -> None:
    found = _json(stage, stage.described.jwks_uri)
    for entry in found.get("keys") or []:
        outcome.holds(
            "no private member", ", ".join(sorted(_PRIVATE & entry.keys())), right=not _PRIVATE & entry.keys()
        )
    keys = jwk.parse_set(found)
    outcome.holds("a key", "none that can be used", right=bool(keys))
    for kid, key in keys.items():
        outcome.same("kid", kid, key.thumbprint)


def _actions(stage: Stage) -> None:
    for name, action in stage.published.items():
        url = f"{stage.described.actions_uri}/{action.digest}"
        found = actions.parse(_json(stage, url))
        outcome.same(f"the digest of {name}", found.digest, action.digest)


def _unknown_action(stage: Stage) -> None:
    answer = stage.get(f"{stage.described.actions_uri}/{making.other_digest('no action')}")
    outcome.holds("404", outcome.told(answer), right=answer.status_code == 404)  # noqa: PLR2004 - not found


def _pushed(stage: Stage) -> None:
    pushed = list(stage.server.pushed.values())[-1]
    fixed = {"response_type": "code", "scope": "openid", "code_challenge_method": "S256", "client_id": stage.client_id}
    for name, value in fixed.items():
        outcome.same(name, pushed.get(name), value)
    for name in ("state", "nonce", "code_challenge"):
        outcome.holds(f"a {name}", "none", right=bool(pushed.get(name)))
    outcome.holds("a redirect_uri of the client document", str(pushed.get("redirect_uri")),
                  right=pushed.get("redirect_uri") in (_json(stage, stage.client_id).get("redirect_uris") or []))  # fmt: skip
    _check_assertion(stage, pushed)


def _exchanged(stage: Stage) -> None:
    form, pushed = stage.server.exchanged[-1], list(stage.server.pushed.values())[-1]
    outcome.same("grant_type", form.get("grant_type"), "authorization_code")
    outcome.same("redirect_uri", form.get("redirect_uri"), pushed.get("redirect_uri"))
    outcome.holds("an account_label of 1 to 80 characters", repr(form.get("account_label")),
                  right=0 < len(form.get("account_label", "")) <= _LABEL)  # fmt: skip
    _check_assertion(stage, form)


def _check_assertion(stage: Stage, form: dict[str, str]) -> None:
    """Verify the client assertion by the keys of the client document, as an approval server does."""
    outcome.same("client_assertion_type", form.get("client_assertion_type"), client_assertion.ASSERTION_TYPE)
    keys = jwk.parse_set(_json(stage, str(_json(stage, stage.client_id).get("jwks_uri"))))
    try:
        found = client_assertion.parse(form.get("client_assertion", ""))
        client_assertion.check(found, list(keys.values()), stage.person.issuer, found.iat)
    except Refusal as refusal:
        raise Failed("a client assertion of section 4.7", str(refusal)) from refusal
    outcome.same("iss of the assertion", found.client_id, stage.client_id)


def _link_page(stage: Stage) -> None:
    """Open the link page as somebody who is not signed in."""
    offered, answer = linking.has_form(stage.get(stage.described.link_uri)), stage.last["answer"]
    outcome.holds("no form to link", f"{answer['status']} with a form", right=not offered)


GROUP: Final = Group(
    "What is published",
    (
        Row("doc.1", "service metadata", "GET the service's metadata", "section 4.10", _metadata),
        Row("doc.2", "client document", "GET the service's metadata as a client", "section 4.10", _client),
        Row("doc.3", "keys", "GET the keys", "public keys whose kid is the thumbprint", _keys),
        Row("doc.4", "actions", "GET every action by its digest", "the very action", _actions),
        Row("doc.5", "unknown action", "GET an action by a digest that nobody has", "404", _unknown_action),
        Row(
            "link.1", "pushed request", "what came to the pushed authorization request endpoint", "section 6.2", _pushed
        ),
        Row("link.2", "code exchanged", "what came to the token endpoint", "section 6.2", _exchanged),
        Row("link.3", "nobody signed in", "GET the link page without a session", "no form to link", _link_page),
    ),
)
