"""A service names addresses that the approval server must not fetch: private, redirecting, endless."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from oneact.errors import Reason, Refusal
from oneact.fetch import fetch
from tests.server.peers import RunningServer, Service
from tests.server.visitor import Visitor, push


class Elsewhere(BaseHTTPRequestHandler):
    """Redirects inwards, or sends a hundred megabytes."""

    sent = 0

    def do_GET(self) -> None:
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "http://169.254.169.254/latest/meta-data")
            self.end_headers()
            return
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.end_headers()
        try:
            for _ in range(100):
                self.wfile.write(b" " * 1024 * 1024)
                type(self).sent += 1
        except OSError:
            return

    def log_message(self, *_: object) -> None: ...


@pytest.fixture
def elsewhere() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Elsewhere)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://localhost:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_redirect_is_not_followed(elsewhere: str) -> None:
    with pytest.raises(Refusal) as refused:
        fetch("GET", elsewhere + "/redirect", private_hosts=["localhost"])
    assert refused.value.reason in {Reason.METADATA_UNREACHABLE, Reason.ADDRESS_FORBIDDEN}


def test_reading_stops_long_before_a_hundred_megabytes(elsewhere: str) -> None:
    with pytest.raises(Refusal) as refused:
        fetch("GET", elsewhere + "/endless", private_hosts=["localhost"])
    assert refused.value.reason is Reason.METADATA_UNREACHABLE
    assert Elsewhere.sent < 50


@pytest.mark.parametrize(
    "url", ["https://169.254.169.254/x", "https://10.0.0.1/x", "https://[::ffff:192.168.0.1]/x", "http://air.example/x"]
)
def test_a_private_address_or_plain_http_is_not_fetched(url: str) -> None:
    with pytest.raises(Refusal) as refused:
        fetch("GET", url)
    assert refused.value.reason is Reason.ADDRESS_FORBIDDEN


def test_a_linking_service_at_a_private_address_is_refused(approval: RunningServer, visitor: Visitor) -> None:
    inside = Service("https://10.0.0.1")
    uri = push(approval, inside)
    answer = visitor.get("/oauth/authorize", client_id=inside.client_id, request_uri=uri)
    assert answer.status_code == 400
    assert approval.execute("SELECT count(*) FROM links") == [(0,)]
