"""Makes the specification's literal run: every request, header and body of one act, with keys and times that are fixed.

`python -m tests.spec.literal` writes `spec/literal.json` and puts the run into `spec/oneact.md` between its marks;
`python -m tests.spec.literal text` tells the run that stands in `spec/literal.json` once more, with its signatures.
Both also put the metadata of the run's two sides between marks of its own.
ECDSA signs differently each time, so this is run by hand; the tests check that what stands in the files is true.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from oneact.protocol import (
    act,
    action,
    approval,
    base64url,
    canonical,
    client_assertion,
    display,
    dpop,
    jws,
    metadata,
    offer,
    receipt,
    terms,
    token,
)
from oneact.protocol.jwk import SigningKey
from oneact.protocol.receipt import Receipt
from oneact.protocol.roster import Roster
from oneact.server import addresses
from oneact.service import endpoints, linking
from oneact.testing import SoftwarePasskey

MARKS = ("<!-- literal run -->\n", "<!-- end of literal run -->\n")
METADATA_MARKS = ("<!-- metadata -->\n", "<!-- end of metadata -->\n")
ROOT = Path(__file__).resolve().parent.parent.parent
AIR, APPROVE = "https://air.example", "https://approve.example"
T = 1_772_000_000
TXN_KEY = bytes(range(32))
DOCUMENT: dict[str, Any] = {
    "action": "book_flight",
    "schema": {
        "type": "object",
        "additionalProperties": False,
        "required": ["from", "to", "date"],
        "properties": {
            "from": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "to": {"type": "string", "pattern": "^[A-Z]{3}$"},
            "date": {"type": "string", "format": "date"},
        },
    },
    "method": "POST",
    "path": "/bookings",
    "sources": {"from": "body", "to": "body", "date": "body"},
    "intent": "Book a flight",
    "summary": "Fly {/parameters/from} to {/parameters/to} on {/parameters/date}",
    "display": [
        {"pointer": "/terms/price", "label": "Price", "format": "money"},
        {"pointer": "/parameters/from", "label": "From", "format": "text"},
        {"pointer": "/parameters/to", "label": "To", "format": "text"},
        {"pointer": "/parameters/date", "label": "Date", "format": "date"},
    ],
    "terms": {
        "type": "object",
        "additionalProperties": False,
        "required": ["price"],
        "properties": {
            "price": {
                "type": "object",
                "additionalProperties": False,
                "required": ["amount", "currency"],
                "properties": {"amount": {"type": "string"}, "currency": {"type": "string"}},
            }
        },
    },
    "reversible": False,
    "rule": {"approvers": 1, "requester_excluded": False},
}  # fmt: skip
PARAMETERS: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2026-03-01"}
STATED: dict[str, Any] = {"price": {"amount": "312.00", "currency": "USD"}}
BODY = canonical.encode({"reference": "F60B04", "price": "312.00 USD"}).decode()
SALT = bytes(range(16))


def key(number: int) -> SigningKey:
    """Give a fixed key; its private half is the number itself, so it is nobody's."""
    return SigningKey(ec.derive_private_key(number, ec.SECP256R1()))


SERVICE, SERVER, AGENT = key(1001), key(1002), key(1003)


def run() -> dict[str, Any]:
    """Play one act and give everything that is sent or signed on the way."""
    described = action.parse(DOCUMENT)
    booked = act.build(AIR, described.name, described.digest, PARAMETERS, STATED)
    txn = terms.mint(TXN_KEY, bytes(range(16, 32)), T + 600, APPROVE, booked.digest)
    offered = offer.sign(offer.Offer(AIR, APPROVE, T, T + 600, "oXo9uQ", txn, booked, "Book a flight"), SERVICE)
    lines = display.render(described, PARAMETERS, STATED)
    passkey = SoftwarePasskey(
        "approve.example", APPROVE, credential_id=b"a passkey of Ada", key=key(1004).key,  # type: ignore[arg-type]
        allow_foreign_origin_for_vectors=True,
    )  # fmt: skip
    roster = Roster(APPROVE, AIR, "p-7Yc1", "approve.example", (APPROVE,), 1, (passkey.credential,))
    item = approval.item_hash(AIR, roster.sub, txn, booked.digest, display.digest(lines))
    jkt, decided = AGENT.public.thumbprint, T + 40
    statement = approval.Statement(
        APPROVE, "c-9f2k", jkt, decided, decided + 60, base64url.encode(bytes(range(32, 48))), (item,)
    )
    challenge = approval.challenge(approval.APPROVAL, statement.members())
    given = token.Approval(statement, passkey.get(challenge))
    claims = token.ActionToken(
        APPROVE, roster.sub, AIR, "c-9f2k", decided + 2, decided + 32, "Hq3vXw", txn, jkt, decided, "phrh",
        ("hwk", "user"), booked.details(), token.approvals_members([given]),
    )  # fmt: skip
    text = token.sign(claims, SERVER)
    told = Receipt(
        AIR, APPROVE, roster.sub, txn, claims.jti, booked.digest, decided + 4, "executed",
        receipt.result_digest(SALT, BODY.encode()),
    )  # fmt: skip
    transaction = APPROVE + "/oauth/transaction"
    return {
        "keys": {
            "service": SERVICE.public.public_jwk(),
            "approval server": SERVER.public.public_jwk(),
            "agent": AGENT.public.members,
            "txn key (hex)": TXN_KEY.hex(),
        },
        "action": DOCUMENT,
        "action digest": described.digest,
        "parameters": PARAMETERS,
        "terms": STATED,
        "act digest": booked.digest,
        "txn": txn,
        "offer": offered,
        "client assertion": client_assertion.build(AGENT, "c-9f2k", APPROVE, T + 1, "a1"),
        "proof to server": dpop.build(AGENT, "POST", transaction, T + 1, "p1", nonce="n-Xb1"),
        "lines": [list(line) for line in lines],
        "display digest": display.digest(lines),
        "item": item,
        "roster": roster.members(),
        "statement": statement.members(),
        "challenge": base64url.encode(challenge),
        "webauthn": given.webauthn.members(),
        "token": text,
        "proof to service": dpop.build(AGENT, "POST", AIR + "/bookings", decided + 3, "p2", token=text),
        "body": BODY,
        "salt": base64url.encode(SALT),
        "receipt": receipt.sign(told, SERVICE),
    }


def _json(value: Any) -> str:
    return "```json\n" + json.dumps(value, indent=2, ensure_ascii=False) + "\n```\n"


def _http(text: str) -> str:
    return "```http\n" + text.strip("\n") + "\n```\n"


def _decoded(text: str, typ: str) -> str:
    parsed = jws.parse(text, typ, jws.PLAIN)
    return _json(parsed.claims)


def markdown(made: dict[str, Any]) -> str:
    """Give the run as the specification tells it."""
    sent = canonical.encode(PARAMETERS).decode()
    details = canonical.encode(jws.parse(made["offer"], offer.TYP, jws.PLAIN).claims["authorization_details"]).decode()
    form = "client_assertion_type=urn%3Aietf%3Aparams%3Aoauth%3Aclient-assertion-type%3Ajwt-bearer"
    header = f"{made['proof to server']}"
    return "\n".join(
        [
            "The keys of this run, public halves. The private ones are the numbers 1001 to 1004, the passkey's last.\n",
            _json(made["keys"]),
            "The service publishes the action at `/oneact/actions/" + made["action digest"] + "`:\n",
            _json(made["action"]),
            "The person has linked the service, which has pinned this roster:\n",
            _json(made["roster"]),
            "**1.** The agent makes the plain request and says which approval server it can go to.\n",
            _http(
                f"POST /bookings HTTP/1.1\nHost: air.example\nContent-Type: application/json\n"
                f'Accept-Txn-Challenge: ?1;as="{APPROVE}"\n\n{sent}'
            ),
            "**2.** The service makes the act of it, states its terms, and answers with the offer.\n",
            _http(
                "HTTP/1.1 401 Unauthorized\nCache-Control: no-store\nContent-Type: application/json\n"
                f'WWW-Authenticate: DPoP error="insufficient_authorization", resource_metadata="{AIR}'
                f'/.well-known/oauth-protected-resource", transaction_challenge="{made["offer"]}"\n\n'
                '{"error":"insufficient_authorization","error_description":"This act needs a person\'s approval.",'
                f'"reason":"approval_required","transaction_challenge":"{made["offer"]}"}}'
            ),
            "The offer's claims. The act digest is `" + made["act digest"] + "`.\n",
            _decoded(made["offer"], offer.TYP),
            "**3.** The agent brings the offer to the approval server.\n",
            _http(
                f"POST /oauth/transaction HTTP/1.1\nHost: approve.example\n"
                f"Content-Type: application/x-www-form-urlencoded\nIdempotency-Key: 7Zq\nDPoP: {header}\n\n"
                f"{form}&client_assertion={made['client assertion']}&login_hint=h-3Kd"
                f"&transaction_challenge={made['offer']}"
            ),
            _decoded(made["client assertion"], client_assertion.TYP),
            _decoded(made["proof to server"], dpop.TYP),
            _http(
                "HTTP/1.1 200 OK\nCache-Control: no-store\nContent-Type: application/json\nDPoP-Nonce: n-Xb1\n\n"
                '{"authorization_uri":"https://approve.example/inbox","expires_in":599,"interval":5,'
                '"transaction_authorization_id":"t-Wm5"}'
            ),
            "It polls, and the server holds the answer back until something happens, or 50 seconds have gone.\n",
            _http(
                "POST /oauth/transaction HTTP/1.1\nHost: approve.example\nPrefer: wait=50\n"
                "Content-Type: application/x-www-form-urlencoded\nDPoP: (a fresh proof)\n\n"
                f"{form}&client_assertion=(a fresh assertion)&transaction_authorization_id=t-Wm5"
            ),
            _http(
                "HTTP/1.1 400 Bad Request\nCache-Control: no-store\nContent-Type: application/json\n\n"
                '{"error":"authorization_pending","error_description":"The person has not decided yet.","interval":5,'
                '"reason":"authorization_pending"}'
            ),
            "**4.** The person opens the page and sees these lines. Their display digest is `"
            + made["display digest"]
            + "`.\n",
            _json(made["lines"]),
            "They press *Approve*. The item hash of this act is `" + made["item"] + "`; the statement is\n",
            _json(made["statement"]),
            "and its challenge, which the passkey signs, is `" + made["challenge"] + "`. The passkey gives\n",
            _json(made["webauthn"]),
            "**5.** The next poll gives the token.\n",
            _http(
                "HTTP/1.1 200 OK\nCache-Control: no-store\nContent-Type: application/json\n\n"
                f'{{"access_token":"{made["token"]}","authorization_details":{details},"expires_in":30,"token_type":"DPoP"}}'
            ),
            _decoded(made["token"], token.TYP),
            "**6.** The agent makes the same request again, with token and proof.\n",
            _http(
                f"POST /bookings HTTP/1.1\nHost: air.example\nContent-Type: application/json\n"
                f"Authorization: DPoP {made['token']}\nDPoP: {made['proof to service']}\n\n{sent}"
            ),
            _decoded(made["proof to service"], dpop.TYP),
            "The service makes checks 1 to 12, executes once, and answers with its receipt.\n",
            _http(
                f"HTTP/1.1 200 OK\nContent-Type: application/json\nOneAct-Result-Salt: {made['salt']}\n"
                f"OneAct-Receipt: {made['receipt']}\n\n{made['body']}"
            ),
            _decoded(made["receipt"], receipt.TYP),
            _http(
                "POST /oauth/receipts HTTP/1.1\nHost: approve.example\nContent-Type: application/jwt\n\n"
                + made["receipt"]
            ),
            _http("HTTP/1.1 204 No Content\nCache-Control: no-store"),
        ]
    )


def documents() -> dict[str, Any]:
    """Give what the service and the approval server of the run publish of themselves."""
    service: Any = SimpleNamespace(resource=AIR, name="Air Example")
    described = metadata.ServiceMetadata(
        resource=AIR,
        name=service.name,
        jwks_uri=AIR + endpoints.JWKS_PATH,
        actions_uri=AIR + endpoints.ACTIONS_PATH,
        link_uri=AIR + linking.LINK_PATH,
        act_uri=AIR + endpoints.ACT_PATH,
        authorization_servers=(APPROVE,),
    )
    return {
        "service": described.document(),
        "client": linking.client_document(service),
        "server": addresses.metadata(APPROVE).document(),
    }


def metadata_markdown() -> str:
    """Give the metadata as the specification shows it."""
    made = documents()
    return "\n".join(
        [
            f"A service, at `{metadata.well_known(AIR, metadata.SERVICE_PATH)}`:\n",
            _json(made["service"]),
            f"The same service as the client that links, at its `client_id`, `{made['client']['client_id']}`:\n",
            _json(made["client"]),
            f"An approval server, at `{metadata.well_known(APPROVE, metadata.SERVER_PATH)}`:\n",
            _json(made["server"]),
        ]
    )


def _between(text: str, marks: tuple[str, str], told: str) -> str:
    before, _, rest = text.partition(marks[0])
    return before + marks[0] + told + marks[1] + rest.partition(marks[1])[2]


def main(*, anew: bool) -> None:
    """Write the text, and, where the run is played `anew`, the values it tells."""
    values = ROOT / "spec" / "literal.json"
    if anew:
        values.write_text(json.dumps(run(), indent=1, ensure_ascii=False) + "\n")
    file = ROOT / "spec" / "oneact.md"
    text = _between(file.read_text(), MARKS, markdown(json.loads(values.read_text())))
    file.write_text(_between(text, METADATA_MARKS, metadata_markdown()))


if __name__ == "__main__":
    main(anew=sys.argv[1:] != ["text"])
