"""Another tenant of the same host says that it is a service, and so takes over where everyone's rosters go."""

from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse
from starlette.routing import Route

from tests.attacks.stage import reason
from tests.ports import free_port
from tests.server.peers import RunningServer, Service, serving
from tests.server.visitor import Visitor, push


class Tenant(Service):
    """A service under a path of its own, on a host with others."""

    @property
    def client_id(self) -> str:
        return self.claims.get("client_id", super().client_id)

    claims: dict[str, Any]


@pytest.fixture
def host() -> Iterator[dict[str, Tenant]]:
    """Services at `/a`, at `/b` and at the root of one host; each document stands under its own path."""
    url = f"http://localhost:{free_port()}"
    found = {path: Tenant(url + path) for path in ("/a", "/b", "")}
    for tenant in found.values():
        tenant.claims = {}

    async def publish(request: Request) -> JSONResponse:
        documents = {}
        for path, tenant in found.items():
            own = tenant.published()
            described = own.pop("/.well-known/oauth-protected-resource")
            own["/oneact/client.json"] |= tenant.claims
            documents |= {path + at: document for at, document in own.items()}
            documents["/.well-known/oauth-protected-resource" + path] = described
        document = documents.get(request.url.path)
        return JSONResponse(document, 200 if document is not None else 404)

    with serving(Starlette(routes=[Route("/{path:path}", publish)]), int(url.rpartition(":")[2])):
        yield found


def services(server: RunningServer) -> list[tuple[str, str]]:
    return sorted(server.execute("SELECT resource, client_id FROM services"))


def link(visitor: Visitor, service: Service) -> httpx.Response:
    return visitor.post("/link/begin", client_id=service.client_id, request_uri=push(visitor.server, service))


@pytest.mark.parametrize("other", ["/a", ""])
def test_a_document_under_one_path_speaks_for_no_other(visitor: Visitor, host: dict[str, Tenant], other: str) -> None:
    visitor.link(host[other])
    before = services(visitor.server)
    host["/b"].claims = {"oneact_resource": host[other].url}
    mallory = Visitor(visitor.server).sign_up("Mallory")
    assert reason(link(mallory, host["/b"])) == "client_metadata"
    assert services(visitor.server) == before == [(host[other].url, host[other].url + "/oneact/client.json")]


@pytest.mark.parametrize("way", ["/a/../b/oneact/client.json", "/a/oneact/client.json/../../../b/oneact/client.json"])
def test_a_way_around_is_another_document(visitor: Visitor, host: dict[str, Tenant], way: str) -> None:
    host["/b"].claims = {"oneact_resource": host["/a"].url, "client_id": host[""].url + way}
    assert reason(link(visitor, host["/b"])) in {"client_metadata", "metadata_unreachable"}


@pytest.mark.parametrize(
    "claim",
    [
        {"oneact_roster_uri": "/a/oneact/roster"},
        {"oneact_roster_uri": "/b/../a/oneact/roster"},
        {"oneact_roster_uri": "/b/%2e%2E/a/oneact/roster"},
        {"jwks_uri": "/a/oneact/jwks.json"},
        {"redirect_uris": ["/a/oneact/link/callback"]},
    ],
)
def test_no_address_of_a_document_leads_out_of_its_resource(
    visitor: Visitor, host: dict[str, Tenant], claim: dict[str, Any]
) -> None:
    def whole(value: Any) -> Any:
        return [whole(item) for item in value] if isinstance(value, list) else host[""].url + value

    host["/b"].claims = {name: whole(value) for name, value in claim.items()}
    assert reason(link(visitor, host["/b"])) == "client_metadata"


def test_tenants_that_say_what_they_are_stand_side_by_side(visitor: Visitor, host: dict[str, Tenant]) -> None:
    for tenant in host.values():
        visitor.link(tenant)
    assert [resource for resource, _ in services(visitor.server)] == sorted(item.url for item in host.values())


def test_linking_never_changes_the_client_of_a_service_that_is_known(visitor: Visitor, shop: Service) -> None:
    visitor.server.execute(
        "INSERT INTO services VALUES (?, ?, 'Example Air', '{}', 1)", shop.url, shop.url + "/elsewhere.json"
    )
    begun = link(visitor, shop).json()
    assert reason(visitor.post("/link/finish", **visitor.sign(begun))) == "client_metadata"
    assert services(visitor.server) == [(shop.url, shop.url + "/elsewhere.json")]
