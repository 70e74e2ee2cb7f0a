"""What this library signs is what it reads."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact.errors import Reason, Refusal
from oneact.protocol import act, client_assertion, dpop, id_token, jwk, metadata, offer, ticket, token
from oneact.service import checks
from oneact.testing import InProcessApprover, TestAgent, new_key
from tests.protocol.refusing import expect_refusal

NOW = 1_800_000_000
AIR, APPROVE = "https://air.example", "https://approve.example"
KEY = new_key()


def keys() -> dict[str, jwk.PublicKey]:
    return jwk.parse_set({"keys": [KEY.public.public_jwk()]})


@pytest.mark.parametrize("holder", [{}, {"sub": "p", "jkt": "J" * 43}])
def test_an_offer_is_read_as_it_was_signed(holder: dict[str, str]) -> None:
    wanted = act.build(AIR, "book", "D" * 43, {"a": 1}, None)
    made = offer.Offer(AIR, APPROVE, NOW, NOW + 600, "j", "t", wanted, "Book", **holder)
    found, parsed = offer.parse(offer.sign(made, KEY))
    offer.check(found, parsed, keys(), APPROVE, NOW)
    assert (found.sub, found.jkt, found.act.digest) == (made.sub, made.jkt, wanted.digest)


def test_an_offer_names_an_account_by_at_most_255_characters() -> None:
    wanted = act.build(AIR, "book", "D" * 43, {"a": 1}, None)
    made = offer.Offer(AIR, APPROVE, NOW, NOW + 600, "j", "t", wanted, "Book", "p" * 255, "J" * 43)
    assert offer.parse(offer.sign(made, KEY))[0].sub == "p" * 255
    with pytest.raises(Refusal) as refused:
        offer.parse(offer.sign(replace(made, sub="p" * 256), KEY))
    assert refused.value.reason is Reason.OFFER_MALFORMED


@pytest.mark.parametrize("extra", range(4))
def test_the_size_of_a_token_is_known_before_it_is_signed(extra: int) -> None:
    wanted, approver = act.build(AIR, "book", "D" * 43, {"a": "x" * extra}, None), InProcessApprover()
    for key in (KEY, jwk.SigningKey(Ed25519PrivateKey.generate())):
        claims = approver.token(wanted, TestAgent(), NOW, "t" * 22)
        assert token.size(claims, key) == len(token.sign(claims, key))


def test_a_client_assertion_is_read_as_it_was_made() -> None:
    found = client_assertion.parse(client_assertion.build(KEY, "c", APPROVE, NOW, "j"))
    client_assertion.check(found, [new_key().public, KEY.public], APPROVE, NOW)
    assert (found.client_id, found.exp - found.iat) == ("c", 60)


def test_an_id_token_is_read_as_it_was_signed() -> None:
    approver = InProcessApprover()
    made = id_token.IdToken(
        approver.issuer, "client", approver.sub, NOW, NOW + 60, "n", NOW, approver.signed_roster(AIR)
    )
    found = id_token.check(id_token.sign(made, KEY), keys(), approver.issuer, "client", AIR, "n", NOW)
    assert found == made


def test_a_proof_leaves_query_and_fragment_out_of_its_address() -> None:
    text = dpop.build(KEY, "GET", AIR + "/x?y=1#z", NOW, "j", nonce="n")
    assert dpop.check(text, "GET", AIR + "/x", NOW + 9999, nonces=["n"]).jkt == KEY.public.thumbprint


def test_a_proof_of_a_token_holds_its_hash() -> None:
    text = dpop.build(KEY, "POST", AIR, NOW, "j", token="a.b.c")
    assert dpop.check(text, "POST", AIR, NOW, token="a.b.c").jti == "j"


def test_an_origin_is_scheme_and_authority() -> None:
    assert metadata.origin("https://a.example:8443/b?c#d") == "https://a.example:8443"
    with pytest.raises(Refusal) as refused:
        metadata.origin("https://[::1")
    assert refused.value.reason is Reason.METADATA_INVALID


@pytest.mark.parametrize(
    ("rest", "lies"),
    [
        ("/oneact/roster", True),
        ("/a?b=/../c", True),
        ("", False),
        ("@evil.example/x", False),
        (".evil.example/x", False),
        ("/../other", False),
        ("/a/./b", False),
        ("/%2e%2E/other", False),
        ("/..\\other", False),
    ],
)
def test_what_lies_under_a_resource_begins_with_it_and_leads_nowhere_else(rest: str, lies: bool) -> None:  # noqa: FBT001 - a table
    assert metadata.lies_under(AIR + rest, AIR) is lies


SERVICE = metadata.ServiceMetadata(
    AIR, "Example Air", AIR + "/jwks", AIR + "/actions", AIR + "/link", AIR + "/act", (APPROVE,)
)
SERVER = metadata.ServerMetadata(APPROVE, {"token_endpoint": APPROVE + "/token", "jwks_uri": APPROVE + "/jwks"})


@pytest.mark.parametrize("pinned", [None, "p-1"])
def test_a_ticket_is_read_as_it_was_signed(pinned: str | None) -> None:
    made = ticket.Ticket(AIR, APPROVE, "ada", "Ada", NOW, pinned, "N" * 43, NOW, NOW + 60, "t-1")
    assert ticket.check(ticket.sign(made, KEY), keys(), AIR, APPROVE, NOW) == made


def test_an_endpoint_that_a_server_has_not_is_refused() -> None:
    assert SERVER.endpoint("jwks_uri") == APPROVE + "/jwks"
    with expect_refusal(Reason.METADATA_INVALID):
        SERVER.endpoint("receipt_endpoint")


def test_metadata_is_read_as_it_was_published() -> None:
    assert metadata.parse_service(SERVICE.document(), AIR) == SERVICE
    assert metadata.parse_server(SERVER.document(), APPROVE) == SERVER
    linked = metadata.parse_service({**SERVICE.document(), "authorization_servers": None}, AIR)
    assert linked.authorization_servers is None
    without = {name: value for name, value in SERVICE.document().items() if name != "authorization_servers"}
    assert metadata.parse_service(without, AIR).document() == without
    more = replace(SERVICE, personal=True, readable=True, ticket_uri=AIR + "/ticket")
    assert metadata.parse_service(more.document(), AIR) == more
    assert more.document()["scopes_supported"] == ["ask"]
    assert more.document()["authorization_details_types_supported"] == ["oneact_act", "oneact_read"]


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "https://other.example"},
        {"resource_name": ""},
        {"resource_name": "x" * 81},
        {"txn_challenge_jwks_uri": "https://evil.example/jwks"},
        {"authorization_details_types_metadata_endpoint": "https://evil.example/actions"},
        {"oneact_link_uri": "https://evil.example/link"},
        {"oneact_act_uri": "http://air.example/act"},
        {"oneact_versions_supported": ["2"]},
        {"oneact_versions_supported": None},
        {"authorization_servers": []},
        {"scopes_supported": "ask"},
        {"scopes_supported": []},
    ],
)
def test_a_services_metadata_that_is_not_its_own_is_refused(changes: dict[str, object]) -> None:
    with pytest.raises(Refusal) as refused:
        metadata.parse_service({**SERVICE.document(), **changes}, AIR)  # type: ignore[dict-item]
    assert refused.value.reason is Reason.METADATA_INVALID


@pytest.mark.parametrize(
    "value",
    [
        [],
        "x",
        None,
        {"issuer": "https://other.example"},
        {"token_endpoint": "https://evil.example/token"},
        {"jwks_uri": "https://approve.example:8443/jwks"},
        {"receipt_endpoint": "http://approve.example/receipts"},
        {"introspection_endpoint": "/oauth/introspect"},
        {"cancellation_endpoint": "https://approve.example@evil.example/cancel"},
        {"authorization_endpoint": "https://[approve.example/"},
        {"authorization_endpoint": ""},
    ],
)
def test_a_servers_metadata_that_is_not_its_own_is_refused(value: object) -> None:
    document = {**SERVER.document(), **value} if isinstance(value, dict) else value
    with pytest.raises(Refusal) as refused:
        metadata.parse_server(document, APPROVE)  # type: ignore[arg-type]
    assert refused.value.reason is Reason.METADATA_INVALID


@pytest.mark.parametrize(
    ("identifier", "address"),
    [
        ("https://a.example", "https://a.example/.well-known/oauth-authorization-server"),
        ("https://a.example/", "https://a.example/.well-known/oauth-authorization-server"),
        ("https://a.example:8443/b/c", "https://a.example:8443/.well-known/oauth-authorization-server/b/c"),
    ],
)
def test_the_well_known_part_stands_between_host_and_path(identifier: str, address: str) -> None:
    assert metadata.well_known(identifier, metadata.SERVER_PATH) == address


def test_an_action_without_terms_needs_no_txn_of_ours() -> None:
    assert checks.Trust(AIR, (), {}).nonces is None
