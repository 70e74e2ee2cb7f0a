from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from oneact.protocol import canonical
from tests.server.peers import WITHOUT_TERMS, Agent, RunningServer, Service
from tests.server.visitor import Visitor


class Woken(BaseHTTPRequestHandler):
    got: list[tuple[str, bytes]] = []  # noqa: RUF012 - one list for one server
    arrived = threading.Event()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).got.append((self.headers["Authorization"], body))
        self.send_response(204)
        self.end_headers()
        type(self).arrived.set()

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def sleeping() -> Iterator[str]:
    """An agent's own address, at which it wants to be woken."""
    Woken.got.clear()
    Woken.arrived.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Woken)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}/woken"
    server.shutdown()
    thread.join()
    server.server_close()


def asked(agent: Agent, service: Service, **more: str) -> dict[str, Any]:
    details = canonical.encode(service.act(WITHOUT_TERMS).details()).decode()
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details, **more}
    return dict(agent.post("/oauth/bc-authorize", **form).json())


def test_a_sleeping_agent_is_woken_when_its_request_is_opened_and_when_it_is_decided(
    server: RunningServer, service: Service, sleeping: str
) -> None:
    visitor, agent = Visitor(server).sign_up(), Agent(server)
    changes = {
        "backchannel_token_delivery_mode": "ping",
        "backchannel_client_notification_endpoint": sleeping,
    }
    assert agent.register(**changes).status_code == 201
    visitor.pair(agent)
    visitor.link(service)
    assert asked(agent, service)["reason"] == "request_malformed"
    started = asked(agent, service, client_notification_token="wake-me", binding_message="Hello")
    visitor.get(f"/requests/{started['auth_req_id']}")
    assert Woken.arrived.wait(10)
    Woken.arrived.clear()
    assert visitor.approve(started["auth_req_id"]).status_code == 200
    assert Woken.arrived.wait(10)
    assert {item[0] for item in Woken.got} == {"Bearer wake-me"}
    assert canonical.parse(Woken.got[0][1]) == {"auth_req_id": started["auth_req_id"]}
    grant = {"grant_type": "urn:openid:params:grant-type:ciba", "auth_req_id": started["auth_req_id"]}
    assert agent.post("/oauth/token", **grant).json()["token_type"] == "DPoP"


def test_parameters_that_leave_a_default_out_are_refused(server: RunningServer, service: Service) -> None:
    visitor, agent = Visitor(server).sign_up(), Agent(server)
    agent.register()
    visitor.pair(agent)
    visitor.link(service)
    with_default = {
        **WITHOUT_TERMS,
        "schema": {**WITHOUT_TERMS["schema"], "properties": {
            **WITHOUT_TERMS["schema"]["properties"], "bags": {"type": "integer", "default": 0},
        }},
        "sources": {**WITHOUT_TERMS["sources"], "bags": "body"},
    }  # fmt: skip
    service.documents.append(with_default)
    details = canonical.encode(service.act(with_default).details()).decode()
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details}
    assert agent.post("/oauth/bc-authorize", **form).json()["reason"] == "parameters_invalid"
    whole = canonical.encode(service.act(with_default, bags=0).details()).decode()
    assert "auth_req_id" in agent.post("/oauth/bc-authorize", **{**form, "authorization_details": whole}).json()
    assert agent.post("/oauth/bc-authorize", **{**form, "scope": "x"}).json()["reason"] == "scope_invalid"
    assert agent.post("/oauth/bc-authorize", **{**form, "login_hint": "x"}).json()["reason"] == "hint_unknown"


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"to": 7}, "parameters_invalid"),
        ({"to": ["NYC"]}, "parameters_invalid"),
        ({"to": "nyc"}, "parameters_invalid"),
        ({"seat": "1A"}, "parameter_unknown"),
    ],
)
def test_parameters_that_do_not_fit_the_actions_schema_are_never_shown(
    server: RunningServer, service: Service, parameters: dict[str, Any], reason: str
) -> None:
    visitor, agent = Visitor(server).sign_up(), Agent(server)
    agent.register()
    visitor.pair(agent)
    visitor.link(service)
    schema = {**WITHOUT_TERMS["schema"], "properties": {"from": {}, "to": {"type": "string", "pattern": "^[A-Z]{3}$"}}}
    strict = {**WITHOUT_TERMS, "schema": schema}
    service.documents.append(strict)
    details = canonical.encode(service.act(strict, **parameters).details()).decode()
    form = {"scope": "openid", "login_hint": agent.hint, "authorization_details": details}
    assert agent.post("/oauth/bc-authorize", **form).json()["reason"] == reason
    assert server.execute("SELECT count(*) FROM requests") == [(0,)]
