"""The stage on which rows are played: the service as it describes itself, the played side, requests one at a time."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import httpx

from oneact.conformance import fault, making, outcome
from oneact.conformance.making import Asked, Made
from oneact.conformance.outcome import CannotRun, Failed
from oneact.errors import Reason, Refusal
from oneact.protocol import action as actions
from oneact.protocol import canonical, jwk, metadata, offer
from oneact.testing import TestAgent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.conformance.fault import Fault, Members
    from oneact.conformance.person import Person
    from oneact.conformance.played import PlayedServer
    from oneact.protocol.action import Action
    from oneact.protocol.jwk import PublicKey
    from oneact.protocol.metadata import ServiceMetadata

UNLINK: Final = "oneact.unlink"
NOBODY: Final = "https://nobody.example"
_SECONDS: Final = 30.0
_KEPT: Final = 4000  # octets of a body that a report shows
_RATE_LIMITED: Final = 429
_TRIES: Final = 15


@dataclass
class Stage:
    """One run: `action` with `parameters` is what is asked for, `patience` the seconds in which a receipt has to come.

    `session` are the cookies that were given, `cookies` all that the service has set since, `linked` tells that it is.
    `nonce` is what the service has handed out for proofs, empty where it asks for none.
    """

    client: httpx.Client
    described: ServiceMetadata
    keys: Mapping[str, PublicKey]
    published: Mapping[str, Action]
    action: Action
    parameters: Members
    person: Person
    server: PlayedServer
    patience: float
    session: Mapping[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    agent: TestAgent = field(default_factory=lambda: TestAgent("https://agent.example/conformance"))
    last: dict[str, Any] = field(default_factory=dict)
    linked: bool = False
    nonce: str = ""

    @property
    def resource(self) -> str:
        """Give the service's identifier."""
        return self.described.resource

    @property
    def client_id(self) -> str:
        """Give the address of the service's metadata as a client."""
        return self.resource + metadata.CLIENT_PATH

    @property
    def accept(self) -> tuple[str, str]:
        """Give the header field with which an agent asks for an offer to the played server."""
        return "Accept-Txn-Challenge", f'?1;as="{self.person.issuer}"'

    def now(self) -> int:
        """Read the clock."""
        return int(time.time())

    def send(
        self, method: str, url: str, fields: fault.Fields | None = None, content: bytes | None = None
    ) -> httpx.Response:
        """Make one request with exactly these header fields; raises CannotRun where nothing answers."""
        try:
            answer = self.client.request(method, url, headers=httpx.Headers(fields or []), content=content)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise CannotRun(f"{method} {url}: {error!r}") from error
        self.last = _kept(method, url, fields or [], content, answer)
        return answer

    def get(self, url: str) -> httpx.Response:
        """Get a document."""
        return self.send("GET", url)

    def post(self, body: Members, *fields: tuple[str, str]) -> httpx.Response:
        """Ask at the service's address for acts by name, with a body of JSON."""
        content = canonical.encode(body)
        return self.send("POST", self.described.act_uri, [("Content-Type", "application/json"), *fields], content)

    def request_body(self, parameters: Members, action: Action | None = None) -> Members:
        """Give what is posted to ask for an action by its name."""
        return {"action": (action or self.action).name, "parameters": parameters}

    def plain(self, parameters: Members | None = None, action: Action | None = None) -> httpx.Response:
        """Make the plain request, again after a while where the service says that it is asked too often."""
        for _ in range(_TRIES):
            body = self.request_body(self.parameters if parameters is None else parameters, action)
            answer = self.post(body, self.accept)
            if answer.status_code != _RATE_LIMITED:
                return answer
            time.sleep(1)
        raise CannotRun("the service states terms too seldom: 429 for 15 seconds; raise its limit for this run")

    def ask(self, parameters: Members | None = None, action: Action | None = None) -> Asked:
        """Make the plain request and read the offer; fails where there is none that can be read."""
        wanted = action or self.action
        answer = self.plain(parameters, wanted)
        text = outcome.body(answer).get("transaction_challenge")
        if outcome.body(answer).get("reason") != Reason.APPROVAL_REQUIRED.value or not isinstance(text, str):
            raise Failed(f"an offer: {outcome.wanted(Reason.APPROVAL_REQUIRED)}", outcome.told(answer))
        try:
            found, _ = offer.parse(text)
        except Refusal as refusal:
            raise Failed("an offer in its form", str(refusal)) from refusal
        sent = self.parameters if parameters is None else parameters
        return Asked(text, found.act, found.txn, wanted, dict(sent))

    def approve(self, asked: Asked, wrong: Fault = fault.NONE, agent: TestAgent | None = None) -> Made:
        """Have the person approve an offer, and the server make a token of it."""
        return making.make(self.person, agent or self.agent, asked, wrong, self.now())

    def show(
        self,
        asked: Asked,
        made: Made,
        wrong: Fault = fault.NONE,
        agent: TestAgent | None = None,
    ) -> httpx.Response:
        """Make the request with the token and a proof of its own; once more where the service asks for a new nonce."""
        before, answer = self.nonce, self._show(asked, made, wrong, agent or self.agent)
        self.nonce = answer.headers.get("dpop-nonce", before)
        if outcome.body(answer).get("reason") == Reason.PROOF_NONCE.value and self.nonce != before:
            answer = self._show(asked, made, wrong, agent or self.agent)
        return answer

    def _show(self, asked: Asked, made: Made, wrong: Fault, agent: TestAgent) -> httpx.Response:
        shown = self.credentials("POST", self.described.act_uri, made, wrong, agent)
        body = canonical.encode(self.request_body(wrong.parameters(asked.parameters), asked.action))
        fields = wrong.fields([*shown, ("Content-Type", "application/json")])
        return self.send("POST", self.described.act_uri, fields, wrong.body(body))

    def credentials(
        self, method: str, url: str, made: Made, wrong: Fault = fault.NONE, agent: TestAgent | None = None
    ) -> fault.Fields:
        """Give the two header fields with which a token is shown, a fresh proof among them."""
        proof = making.prove(agent or self.agent, wrong, (method, url), made.text, self.now(), self.nonce)
        return [("Authorization", f"DPoP {made.text}"), ("DPoP", proof)]

    def attempt(self, wrong: Fault = fault.NONE, asked: Asked | None = None) -> httpx.Response:
        """Ask, have approved, show: with one thing wrong, or with nothing wrong."""
        found = asked or self.ask()
        return self.show(found, self.approve(found, wrong), wrong)

    @property
    def with_terms(self) -> bool:
        """Tell whether the action that is asked for has terms."""
        return self.action.terms is not None

    def ask_without_terms(self) -> Asked:
        """Ask for an act without terms: the action's own, or else one of `oneact.unlink`."""
        return self.ask_of_another_action() if self.with_terms else self.ask()

    def ask_of_another_action(self) -> Asked:
        """Ask for the unlinking of an issuer that nobody has."""
        if UNLINK not in self.published or self.action.name == UNLINK:
            raise outcome.Skipped(f"the service publishes no {UNLINK} beside {self.action.name}")
        return self.ask({"issuer": NOBODY}, self.published[UNLINK])


def open_service(
    client: httpx.Client, resource: str
) -> tuple[ServiceMetadata, dict[str, PublicKey], dict[str, Action]]:
    """Read what a service publishes of itself: metadata, keys, actions by name; raises CannotRun."""
    try:
        described = metadata.parse_service(
            _document(client, metadata.well_known(resource, metadata.SERVICE_PATH)), resource
        )
        keys = jwk.parse_set(_document(client, described.jwks_uri))
        listed = _document(client, described.actions_uri)
        found = [actions.parse(item) for item in (listed.get("actions") if isinstance(listed, dict) else None) or []]
    except (Refusal, TypeError) as error:
        raise CannotRun(f"what {resource} publishes cannot be read: {error}") from error
    return described, keys, {action.name: action for action in found}


def _document(client: httpx.Client, url: str) -> Any:  # noqa: ANN401 - any JSON
    try:
        answer = client.get(url)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise CannotRun(f"{url}: {error}") from error
    if answer.status_code != httpx.codes.OK:
        raise CannotRun(f"{url} answered {answer.status_code}")
    return canonical.parse(answer.content)


def new_client() -> httpx.Client:
    """Make the HTTP client of a run, which follows nothing and takes no settings from its environment."""
    return httpx.Client(timeout=_SECONDS, trust_env=False, follow_redirects=False)


def _kept(method: str, url: str, fields: fault.Fields, content: bytes | None, answer: httpx.Response) -> dict[str, Any]:
    return {
        "method": method,
        "url": url,
        "headers": [f"{name}: {value}" for name, value in fields],
        "body": (content or b"")[:_KEPT].decode("utf-8", "backslashreplace"),
        "answer": {
            "status": answer.status_code,
            "headers": [f"{name}: {value}" for name, value in answer.headers.items()],
            "body": answer.text[:_KEPT],
        },
    }
