"""A person with a software passkey who uses the pages over HTTP, as a browser would."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from typing import Any

import httpx

from oneact.protocol import base64url, canonical, client_assertion, metadata
from oneact.testing import SoftwarePasskey
from tests.server.peers import Agent, RunningServer, Service

OWN_PAGE = {"Sec-Fetch-Site": "same-origin"}
ELSEWHERE = {"rp_id": "evil.example", "allow_foreign_origin_for_vectors": True}  # a passkey of another relying party
OWN_SCRIPT = {**OWN_PAGE, "OneAct-Page": "1"}


@dataclass
class Visitor:
    server: RunningServer
    base: str = ""
    passkey: SoftwarePasskey = field(init=False)
    http: httpx.Client = field(init=False)

    def __post_init__(self) -> None:
        self.passkey = self.new_passkey()
        self.http = httpx.Client(
            base_url=self.server.url + self.base, timeout=20, limits=httpx.Limits(max_keepalive_connections=0)
        )

    def new_passkey(self) -> SoftwarePasskey:
        return SoftwarePasskey("localhost", metadata.origin(self.server.url))

    def get(self, path: str, **parameters: str) -> httpx.Response:
        return self.http.get(path, params=parameters or None)

    def post(self, path: str, headers: dict[str, str] = OWN_SCRIPT, **body: Any) -> httpx.Response:
        return self.http.post(path, json=body, headers=headers)

    def submit(self, path: str, headers: dict[str, str] = OWN_PAGE, **fields: str) -> httpx.Response:
        return self.http.post(path, data=fields, headers=headers)

    def sign_up(self, name: str = "Ada") -> Visitor:
        started = self.post("/signup/begin", name=name).json()
        answer = self.finish_registration("/signup/finish", started)
        assert answer.status_code == 200, answer.text
        return self

    def finish_registration(
        self, path: str, started: dict[str, Any], passkey: SoftwarePasskey | None = None
    ) -> httpx.Response:
        challenge = base64url.decode(started["options"]["challenge"])
        made = (passkey or self.passkey).create_json(challenge)
        return self.post(path, gesture=started["gesture"], credential=made)

    def sign(self, started: dict[str, Any], passkey: SoftwarePasskey | None = None) -> dict[str, Any]:
        """Answer what a `begin` gave: the gesture's id, and the passkey's answer to its challenge."""
        challenge = base64url.decode(started["options"]["challenge"])
        return {"gesture": started["gesture"], "credential": (passkey or self.passkey).get_json(challenge)}

    def sign_in(self, passkey: SoftwarePasskey | None = None) -> httpx.Response:
        return self.post("/signin/finish", **self.sign(self.post("/signin/begin").json(), passkey))

    def begin_add(self, passkey: SoftwarePasskey, name: str = "Second") -> dict[str, Any]:
        """Make a passkey; give what an older one has to sign."""
        begun = self.post("/passkeys/begin", name=name).json()
        return dict(self.finish_registration("/passkeys/created", begun, passkey).json())

    def add_passkey(self, name: str = "Second", signer: SoftwarePasskey | None = None) -> SoftwarePasskey:
        """Add a passkey, vouched for by `signer` or the visitor's own; give it."""
        made = self.new_passkey()
        answer = self.post("/passkeys/finish", **self.sign(self.begin_add(made, name), signer))
        assert answer.status_code == 200, answer.text
        return made

    def remove_passkey(self, identifier: str, signer: SoftwarePasskey | None = None) -> httpx.Response:
        """Remove a passkey by a gesture of `signer` or the visitor's own; give the answer, or the refusal to begin."""
        begun = self.post("/passkeys/remove/begin", id=identifier)
        if begun.status_code != 200:
            return begun
        return self.post("/passkeys/remove/finish", **self.sign(begun.json(), signer))

    @property
    def account(self) -> str:
        [[found]] = self.server.execute("SELECT account_id FROM passkeys WHERE id = ?", self.passkey.id)
        return str(found)

    def pair(self, agent: Agent, name: str = "Planner") -> str:
        """Pair an agent by the code that it shows; give the pairing's id."""
        started = agent.post("/oauth/device").json()
        shown = self.submit("/pair", user_code=started["user_code"]).text
        [device] = re.findall(r'data-device="([^"]+)"', shown)
        begun = self.post("/pair/begin", device=device, name=name).json()
        answer = self.post("/pair/finish", **self.sign(begun))
        assert answer.status_code == 200, answer.text
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code", "device_code": started["device_code"]}
        agent.hint = agent.post("/oauth/token", **form).json()["login_hint"]
        [[pairing]] = self.server.execute("SELECT id FROM pairings WHERE hint = ?", agent.hint)
        return str(pairing)

    def link(self, service: Service, label: str = "ada@example") -> dict[str, Any]:
        """Link a service from its pushed request to its ID token; give what the token endpoint answered."""
        exchanged = exchange(self.server, service, self.signed_link(service), account_label=label)
        assert exchanged.status_code == 200, exchanged.text
        return dict(exchanged.json())

    def signed_link(self, service: Service) -> str:
        """Open a service's pushed request and sign the roster; give the code with which the person goes back."""
        uri = push(self.server, service)
        assert self.get("/oauth/authorize", client_id=service.client_id, request_uri=uri).status_code == 200
        begun = self.post("/link/begin", client_id=service.client_id, request_uri=uri).json()
        answer = self.post("/link/finish", **self.sign(begun))
        assert answer.status_code == 200, answer.text
        return str(httpx.URL(answer.json()["location"]).params["code"])

    def unlink(self, service: Service) -> None:
        """Unlink a service that is linked."""
        [[link]] = self.server.execute(
            "SELECT id FROM links WHERE state = 'linked' AND account_id = ? AND resource = ?",
            self.account, service.url,
        )  # fmt: skip
        assert self.submit(f"/services/{link}/unlink").status_code == 303

    def begin_approval(self, *ids: str) -> dict[str, Any]:
        for identifier in ids:
            self.get(f"/requests/{identifier}")
        return dict(self.post("/requests/begin", requests=list(ids)).json())

    def approve(self, *ids: str) -> httpx.Response:
        return self.post("/requests/approve", requests=list(ids), **self.sign(self.begin_approval(*ids)))


def authentication(server: RunningServer, service: Service) -> dict[str, str]:
    now = server.clock()
    made = client_assertion.build(service.key, service.client_id, server.url, now, secrets.token_urlsafe(8))
    return {"client_assertion_type": client_assertion.ASSERTION_TYPE, "client_assertion": made}


def push(server: RunningServer, service: Service, **changes: str) -> str:
    """Push an authorization request of a service, with fields changed; give its request_uri."""
    form = {
        "response_type": "code", "redirect_uri": service.redirect_uri, "state": "state-1", "nonce": "nonce-1",
        "code_challenge": canonical.sha256(b"v" * 43), "code_challenge_method": "S256", "scope": "openid",
        "client_id": service.client_id, **authentication(server, service), **changes,
    }  # fmt: skip
    answer = httpx.post(server.url + "/oauth/par", data=form)
    assert answer.status_code == 201, answer.text
    return str(answer.json()["request_uri"])


def exchange(server: RunningServer, service: Service, code: str, **changes: str) -> httpx.Response:
    """Exchange a code as its service would, with fields changed; give the answer."""
    form = {
        "grant_type": "authorization_code", "code": code, "redirect_uri": service.redirect_uri,
        "code_verifier": "v" * 43, **authentication(server, service), **changes,
    }  # fmt: skip
    return httpx.post(server.url + "/oauth/token", data=form)
