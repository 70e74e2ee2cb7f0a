"""Tells the literal run as the specification has it: every request with its headers and body, and every answer."""

from __future__ import annotations

import json
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any
from urllib.parse import urlencode, urlsplit

from oneact.errors import Reason
from oneact.protocol import canonical, client_assertion, dpop, id_token, jws, metadata, offer, receipt, token
from oneact.server import addresses
from oneact.service import endpoints, linking
from tests.spec.literal import (
    AGENT,
    AGENT_ID,
    AIR,
    APPROVE,
    CLIENT_ID,
    NONCE,
    NONCES,
    PAIRED,
    PARAMETERS,
    ROOT,
    SERVER,
    SERVICE,
    STATE,
    VERIFIER,
)

MARKS = ("<!-- literal run -->\n", "<!-- end of literal run -->\n")
METADATA_MARKS = ("<!-- metadata -->\n", "<!-- end of metadata -->\n")
FORM, JSON = "application/x-www-form-urlencoded", "application/json"
GRANT = "urn:ietf:params:oauth:grant-type:device_code"
CALLBACK = AIR + linking.CALLBACK_PATH
REQUEST_URI, CODE, IDENTIFIER = "urn:ietf:params:oauth:request_uri:u-6Rk", "k-2Bw", "t-Wm5"
SENT = canonical.encode(PARAMETERS).decode()
COOKIE = "__Host-oneact-link=y-3Lc"


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


def _json(value: Any) -> str:
    return "```json\n" + json.dumps(value, indent=2, ensure_ascii=False) + "\n```\n"


def _block(start: str, headers: dict[str, str], body: str) -> str:
    lines = [start, *(f"{name}: {value}" for name, value in headers.items())]
    return "```http\n" + "\n".join(lines) + (f"\n\n{body}" if body else "") + "\n```\n"


def _request(method: str, url: str, body: str = "", **headers: str) -> str:
    parts = urlsplit(url)
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = parts.path + ("?" + parts.query if parts.query else "")
    return _block(f"{method} {path} HTTP/1.1", {"Host": parts.netloc, **named}, body)


def _answer(status: int, value: Any = None, *, stored: bool = False, **headers: str) -> str:
    """Give an answer with a JSON value, or a text just as it is; none may be `stored` but the handler's own."""
    named = {name.replace("_", "-"): text for name, text in headers.items()}
    kind = {} if value is None else {"Content-Type": JSON}
    body = value if isinstance(value, str) else "" if value is None else canonical.encode(value).decode()
    phrase = HTTPStatus(status).phrase
    return _block(
        f"HTTP/1.1 {status} {phrase}", {**({} if stored else {"Cache-Control": "no-store"}), **kind, **named}, body
    )


def _fetched(url: str, document: Any) -> list[str]:
    return [_request("GET", url), _answer(200, document)]


def _refusal(reason: Reason, **more: Any) -> dict[str, Any]:
    row: dict[str, Any] = {"error": reason.error, "error_description": reason.says, "reason": reason.value}
    return row | ({"check": reason.check} if reason.check else {}) | more


def _form(**fields: str) -> str:
    return urlencode(fields)


def _authenticated(assertion: str, **fields: str) -> str:
    return urlencode(
        {"client_assertion_type": client_assertion.ASSERTION_TYPE, "client_assertion": assertion, **fields}
    )


def _call(path: str, carried: dict[str, str], headers: dict[str, str] | None = None, **fields: str) -> str:
    """Give an agent's call of the approval server."""
    body = _authenticated(carried["assertion"], **fields)
    return _request("POST", APPROVE + path, body, **(headers or {}), Content_Type=FORM, DPoP=carried["proof"])


def _decoded(text: str, typ: str) -> str:
    return _json(jws.parse(text, typ, jws.PLAIN).claims)


def _pairing(made: dict[str, Any]) -> list[str]:
    registration = {"client_name": "Trip planner", "jwks": {"keys": [AGENT.public.public_jwk()]}}
    body = canonical.encode(registration).decode()
    registered = {
        "client_id": AGENT_ID, "client_id_issued_at": PAIRED, **registration,
        "token_endpoint_auth_method": "private_key_jwt",
        "grant_types": [GRANT, "urn:openid:params:grant-type:ciba", "client_credentials"],
    }  # fmt: skip
    nonce = {"DPoP_Nonce": NONCES[0]}
    started = {
        "device_code": "d-5Jt", "user_code": "BCDF-GHJK", "verification_uri": APPROVE + addresses.PAIR,
        "expires_in": 600, "interval": 5,
    }  # fmt: skip
    poll = {"grant_type": GRANT, "device_code": "d-5Jt"}
    return [
        "#### Pairing, once\n",
        "The agent reads what the approval server publishes.\n",
        *_fetched(metadata.well_known(APPROVE, metadata.SERVER_PATH), documents()["server"]),
        "It registers its key, and has to show that it holds it. It has no nonce yet, and is given one.\n",
        _request("POST", APPROVE + "/oauth/register", body, Content_Type=JSON, DPoP=made["registered without nonce"]),
        _answer(401, _refusal(Reason.PROOF_NONCE), **nonce),
        _request("POST", APPROVE + "/oauth/register", body, Content_Type=JSON, DPoP=made["registered"]),
        _decoded(made["registered"], dpop.TYP),
        _answer(201, registered, **nonce),
        "It asks for a code, and shows it to the person.\n",
        _call("/oauth/device", made["started"], agent_name="Trip planner"),
        _answer(200, started, **nonce),
        _call("/oauth/token", made["polled too early"], **poll),
        _answer(400, _refusal(Reason.AUTHORIZATION_PENDING, interval=5), **nonce),
        "The person types the code at their own page, compares the thumbprint, and confirms. Their passkey signs\n",
        _json(made["gesture"]["value"]),
        f"under the tag `oneact-pair-1`, that is the challenge `{made['gesture']['challenge']}`, and gives\n",
        _json(made["gesture"]["webauthn"]),
        _call("/oauth/token", made["polled"], **poll),
        _answer(200, {"token_type": "N_A", "login_hint": "h-3Kd", "expires_in": 0}, **nonce),
    ]


def _linking(made: dict[str, Any], roster: dict[str, Any]) -> list[str]:
    challenge = canonical.sha256(VERIFIER.encode())
    published = documents()
    pushed = _form(
        response_type="code", redirect_uri=CALLBACK, scope="openid", state=STATE, nonce=NONCE,
        code_challenge=challenge, code_challenge_method="S256", resource=AIR, client_id=CLIENT_ID,
        client_assertion_type=client_assertion.ASSERTION_TYPE, client_assertion=made["pushed"],
    )  # fmt: skip
    exchanged = _form(
        grant_type="authorization_code", code=CODE, redirect_uri=CALLBACK, code_verifier=VERIFIER,
        account_label="ada@example.org", client_id=CLIENT_ID,
        client_assertion_type=client_assertion.ASSERTION_TYPE, client_assertion=made["exchanged"],
    )  # fmt: skip
    authorize = f"{APPROVE}/oauth/authorize?{_form(client_id=CLIENT_ID, request_uri=REQUEST_URI)}"
    back = f"{CALLBACK}?{_form(code=CODE, state=STATE, iss=APPROVE)}"
    return [
        "#### Linking, once\n",
        "The person has just signed in at the service, and names their approval server. The service reads about it.\n",
        *_fetched(metadata.well_known(APPROVE, metadata.SERVER_PATH), published["server"]),
        "It pushes its request,\n",
        _request("POST", APPROVE + "/oauth/par", pushed, Content_Type=FORM),
        _decoded(made["pushed"], client_assertion.TYP),
        _answer(201, {"request_uri": REQUEST_URI, "expires_in": 60}),
        "and sends the browser on, which has a cookie of the service's own.\n",
        _answer(303, Location=authorize),
        _request("GET", authorize),
        "Now the approval server reads who asks.\n",
        *_fetched(CLIENT_ID, published["client"]),
        *_fetched(metadata.well_known(AIR, metadata.SERVICE_PATH), published["service"]),
        *_fetched(AIR + endpoints.JWKS_PATH, {"keys": [SERVICE.public.public_jwk()]}),
        "The person sees the service and their passkeys, and signs the roster\n",
        _json(roster),
        f"under the tag `oneact-roster-1`, that is the challenge `{made['gesture']['challenge']}`. The passkey gives\n",
        _json(made["gesture"]["webauthn"]),
        "The browser goes back with a code, which the service exchanges.\n",
        _request("GET", back, Cookie=COOKIE),
        _request("POST", APPROVE + "/oauth/token", exchanged, Content_Type=FORM),
        _answer(200, {"token_type": "N_A", "expires_in": 0, "id_token": made["id token"]}),
        _decoded(made["id token"], id_token.TYP),
        *_fetched(APPROVE + "/oauth/jwks.json", {"keys": [SERVER.public.public_jwk()]}),
        "The service pins the roster.\n",
    ]


def _offering(made: dict[str, Any]) -> list[str]:
    challenged = _refusal(Reason.APPROVAL_REQUIRED, transaction_challenge=made["offer"])
    said = (
        f'DPoP error="insufficient_authorization", resource_metadata="{AIR}{metadata.SERVICE_PATH}", '
        f'transaction_challenge="{made["offer"]}"'
    )
    published = documents()
    return [
        "#### One act\n",
        "**1.** An hour later the agent reads what the service publishes.\n",
        *_fetched(metadata.well_known(AIR, metadata.SERVICE_PATH), published["service"]),
        *_fetched(AIR + endpoints.JWKS_PATH, {"keys": [SERVICE.public.public_jwk()]}),
        "It makes the plain request, and says which approval server it can go to.\n",
        _request("POST", AIR + "/bookings", SENT, Content_Type=JSON, Accept_Txn_Challenge=f'?1;as="{APPROVE}"'),
        "**2.** The service makes the act of it, states its terms, and answers with the offer.\n",
        _answer(401, challenged, WWW_Authenticate=said),
        "The offer's claims. The act digest is `" + made["act digest"] + "`.\n",
        _decoded(made["offer"], offer.TYP),
    ]


def _asking(made: dict[str, Any]) -> list[str]:
    fields = {"login_hint": "h-3Kd", "transaction_challenge": made["offer"]}
    key = {"Idempotency_Key": "7Zq"}
    nonce = {"DPoP_Nonce": NONCES[1]}
    asked = {"authorization_uri": APPROVE + "/inbox", "expires_in": 599, "interval": 5}
    carried = {"assertion": made["client assertion"], "proof": made["proof to server"]}
    poll = {"transaction_authorization_id": IDENTIFIER}
    published = documents()
    return [
        "**3.** The agent brings the offer to the approval server. Its nonce is an hour old, so it is given another.\n",
        _call("/oauth/transaction", made["asked with a stale nonce"], key, **fields),
        _answer(401, _refusal(Reason.PROOF_NONCE), **nonce),
        _call("/oauth/transaction", carried, key, **fields),
        _decoded(made["client assertion"], client_assertion.TYP),
        _decoded(made["proof to server"], dpop.TYP),
        "The approval server reads what the service publishes, the action by the digest in the offer.\n",
        *_fetched(metadata.well_known(AIR, metadata.SERVICE_PATH), published["service"]),
        *_fetched(AIR + endpoints.JWKS_PATH, {"keys": [SERVICE.public.public_jwk()]}),
        *_fetched(f"{AIR}{endpoints.ACTIONS_PATH}/{made['action digest']}", made["action"]),
        _answer(200, {**asked, **poll}, **nonce),
        "It polls, and the server holds the answer back until something happens, or the seconds have gone.\n",
        _call("/oauth/transaction", made["polled"], {"Prefer": "wait=30"}, **poll),
        _answer(400, _refusal(Reason.AUTHORIZATION_PENDING, interval=5), **nonce),
        _call("/oauth/transaction", made["polled again"], {"Prefer": "wait=50"}, **poll),
    ]


def _deciding(made: dict[str, Any]) -> list[str]:
    details = jws.parse(made["offer"], offer.TYP, jws.PLAIN).claims["authorization_details"]
    given = {
        "access_token": made["token"], "authorization_details": details, "expires_in": 30, "token_type": "DPoP",
    }  # fmt: skip
    return [
        f"**4.** The person opens the page and sees these lines. Their display digest is `{made['display digest']}`.\n",
        _json(made["lines"]),
        f"They press *Approve*. The item hash of this act is `{made['item']}`; the statement is\n",
        _json(made["statement"]),
        f"and its challenge, which the passkey signs, is `{made['challenge']}`. The passkey gives\n",
        _json(made["webauthn"]),
        "**5.** The poll that waits gives the token.\n",
        _answer(200, given, DPoP_Nonce=NONCES[2]),
        _decoded(made["token"], token.TYP),
    ]


def _acting(made: dict[str, Any]) -> list[str]:
    shown = {"Authorization": f"DPoP {made['token']}", "DPoP": made["proof to service"]}
    answered = {"OneAct_Result_Salt": made["salt"], "OneAct_Receipt": made["receipt"]}
    return [
        "**6.** The agent makes the same request again, with token and proof.\n",
        _request("POST", AIR + "/bookings", SENT, Content_Type=JSON, **shown),
        _decoded(made["proof to service"], dpop.TYP),
        "The service has kept no document of the approval server for longer than 300 seconds, and reads them again.\n",
        *_fetched(metadata.well_known(APPROVE, metadata.SERVER_PATH), documents()["server"]),
        *_fetched(APPROVE + "/oauth/jwks.json", {"keys": [SERVER.public.public_jwk()]}),
        "It makes checks 1 to 12, executes once, and answers with its receipt.\n",
        _answer(200, made["body"], stored=True, **answered),
        _decoded(made["receipt"], receipt.TYP),
        _request("POST", APPROVE + "/oauth/receipts", made["receipt"], Content_Type="application/jwt"),
        _answer(204),
    ]


def markdown(made: dict[str, Any]) -> str:
    """Give the run as the specification tells it."""
    return "\n".join(
        [
            "The keys of this run, public halves. The private ones are the numbers 1001 to 1004, the passkey's last.\n",
            _json(made["keys"]),
            "The service publishes the action `" + made["action digest"] + "`:\n",
            _json(made["action"]),
            *_pairing(made["pairing"]),
            *_linking(made["linking"], made["roster"]),
            *_offering(made),
            *_asking(made),
            *_deciding(made),
            *_acting(made),
        ]
    )


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


def write(made: dict[str, Any]) -> None:
    """Put run and metadata into the specification."""
    file = ROOT / "spec" / "oneact.md"
    text = _between(file.read_text(), MARKS, markdown(made))
    file.write_text(_between(text, METADATA_MARKS, metadata_markdown()))


def _between(text: str, marks: tuple[str, str], told: str) -> str:
    before, _, rest = text.partition(marks[0])
    return before + marks[0] + told + marks[1] + rest.partition(marks[1])[2]
