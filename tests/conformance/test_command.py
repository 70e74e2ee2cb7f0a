"""`oneact conformance` as a stranger runs it: what it prints, what it writes, how it ends."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import httpx
import pytest

from oneact.conformance import run as running
from oneact.conformance.outcome import CannotRun
from oneact.conformance.person import Person
from oneact.conformance.rows import GROUPS, ROWS
from tests.conformance.serving import SESSION, Workshop, airline
from tests.ports import free_port
from tests.service.airline import Airline
from tests.service.world import served

COOKIE = "air=alice"


@pytest.fixture(scope="module")
def workshop() -> Iterator[Workshop]:
    with Workshop() as found:
        yield found


@pytest.fixture
def mine() -> int:
    return free_port()


@pytest.fixture
def service(mine: int, tmp_path: Path) -> Iterator[Airline]:
    port = free_port()
    made = airline("asgi", port, f"http://localhost:{mine}", tmp_path)
    with served(made.app, port):
        yield made


@pytest.fixture
def params(tmp_path: Path) -> Path:
    file = tmp_path / "flight.json"
    file.write_text('{"from": "SFO", "to": "NYC", "date": "2024-03-01"}')
    return file


def arguments(resource: str, params: Path, mine: int, *more: str, action: str = "book_flight") -> list[str]:
    command = [sys.executable, "-m", "oneact.cli", "conformance", resource, "--action", action, "--params", str(params)]
    return [*command, "--listen", f"127.0.0.1:{mine}", *more]


def played(resource: str, params: Path, mine: int, *more: str, **named: str) -> subprocess.CompletedProcess[str]:
    command = arguments(resource, params, mine, *more, **named)
    environment = {**os.environ, "COLUMNS": "100", "NO_COLOR": "1"}
    return subprocess.run(
        command, capture_output=True, text=True, timeout=100, check=False, env=environment, input="n\n"
    )


def test_a_right_service_ends_with_0_and_a_table_of_every_row(service: Airline, params: Path, mine: int) -> None:
    done = played(service.resource, params, mine, "--cookie", COOKIE)
    assert done.returncode == 0, done.stdout + done.stderr
    for group in GROUPS:
        assert group.title in done.stdout
    for row in ROWS:
        assert re.search(rf"^{re.escape(row.number)} +\S.* (passed|skipped) *$", done.stdout, re.MULTILINE), row.number
    assert f"{len(ROWS) - 2} passed, 0 failed, 2 skipped" in done.stdout
    assert len(service.books.all()) <= running.ACTS


def test_a_row_that_failed_says_what_was_sent_what_was_expected_and_what_came(
    workshop: Workshop, params: Path, mine: int, tmp_path: Path
) -> None:
    pid, resource = workshop.start("asgi", "4.1", f"http://localhost:{mine}", tmp_path)
    junit = tmp_path / "report.xml"
    try:
        done = played(resource, params, mine, "--cookie", COOKIE, "--only", "4", "--junit", str(junit))
    finally:
        os.kill(pid, signal.SIGKILL)
    assert done.returncode == 1
    assert "4.1 another service\nsent      aud https://other.example\n" in done.stdout
    assert "expected  401 invalid_token / token_audience, check 4\ncame      201, executed: {" in done.stdout
    suites = ET.parse(junit).getroot()  # noqa: S314 - written a moment ago
    assert (suites.get("tests"), suites.get("failures")) == ("5", "3")
    (failure,) = suites.findall("./testsuite/testcase[@name='4.1 another service']/failure")
    assert "aud https://other.example" in str(failure.text)


def test_what_was_sent_stands_in_the_json_of_a_row_that_failed(
    workshop: Workshop, params: Path, mine: int, tmp_path: Path
) -> None:
    pid, resource = workshop.start("asgi", "4.1", f"http://localhost:{mine}", tmp_path)
    try:
        done = played(resource, params, mine, "--cookie", COOKIE, "--only", "4.1", "--only", "1.0", "--json")
    finally:
        os.kill(pid, signal.SIGKILL)
    found = json.loads(done.stdout)
    assert (found["service"], found["passed"], found["failed"], found["skipped"]) == (resource, 1, 1, 0)
    right, wrong = found["rows"]
    assert (right["number"], right["status"], "request" in right) == ("1.0", "passed", False)
    assert (wrong["number"], wrong["group"]) == ("4.1", "Check 4: the token's service")
    assert wrong["request"]["url"] == f"{resource}/oneact/act"
    assert any(line.startswith("Authorization: DPoP ey") for line in wrong["request"]["headers"])
    assert wrong["request"]["answer"]["status"] == 201


def test_an_action_without_terms_has_the_rows_about_terms_skipped(service: Airline, mine: int, tmp_path: Path) -> None:
    params = tmp_path / "cancel.json"
    params.write_text('{"reference": "ABC"}')
    done = played(service.resource, params, mine, "--cookie", COOKIE, "--json", action="cancel_flight")
    found = json.loads(done.stdout)
    assert done.returncode == 0, [row for row in found["rows"] if row["status"] == "failed"]
    skipped = {row["number"]: row["came"] for row in found["rows"] if row["status"] == "skipped"}
    assert [number for number in skipped if not number.startswith("5.")] == [f"7.{number}" for number in range(1, 12)]
    assert skipped["7.1"] == "cancel_flight has no terms"


def test_the_owner_links_in_their_own_browser(service: Airline, params: Path, mine: int) -> None:
    command = arguments(service.resource, params, mine, "--only", "1.0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = process.stderr.readline()
        assert f"{service.resource}/oneact/link" in said + process.stderr.readline()
        assert "Your account is linked" in browse(service.resource, f"http://localhost:{mine}")
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert "1 passed, 0 failed" in output


def test_the_owner_links_once_more_where_the_service_still_holds_to_the_keys_of_a_run_before(
    service: Airline, params: Path, mine: int
) -> None:
    assert played(service.resource, params, mine, "--cookie", COOKIE, "--only", "1.1").returncode == 0
    command = arguments(service.resource, params, mine, "--only", "1.0")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any("Nothing is asked" in line for line in process.stderr)
        assert "That did not work" in browse(service.resource, f"http://localhost:{mine}")
        assert any("did not take that link" in line for line in process.stderr)
        assert "Your account is linked" in browse(service.resource, f"http://localhost:{mine}")
        output, errors = process.communicate(timeout=60)
    assert process.returncode == 0, output + errors
    assert "1 passed, 0 failed" in output


def browse(resource: str, issuer: str) -> str:
    """Be the browser in which the account is signed in."""
    with httpx.Client(cookies=SESSION, trust_env=False, follow_redirects=True) as browser:
        page = browser.get(f"{resource}/oneact/link").text
        csrf = re.findall(r'name="csrf" value="([^"]+)"', page)[0]
        fields = urlencode({"csrf": csrf, "issuer": issuer})
        kind = {"Content-Type": "application/x-www-form-urlencoded"}
        return browser.post(f"{resource}/oneact/link", content=fields, headers=kind).text


def test_the_account_can_be_linked_again_after_a_run(service: Airline, params: Path, mine: int) -> None:
    for _ in range(2):
        done = played(service.resource, params, mine, "--cookie", COOKIE, "--only", "1.1")
        assert done.returncode == 0, done.stdout + done.stderr
        assert "still linked" not in done.stderr


def test_nobody_signed_in_is_told_and_ends_with_2(service: Airline, params: Path, mine: int) -> None:
    done = played(service.resource, params, mine, "--cookie", "air=nobody")
    assert done.returncode == 2
    assert "has no form with a field issuer" in done.stderr


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (["--only", "99.9"], "there is no row 99.9"),
        (["--cookie", "nothing"], "--cookie is name=value"),
        (["--listen", "8499"], "--listen is a host and a port"),
        (["--issuer", "http://localhost:8499/"], "without a final slash"),
    ],
)
def test_what_cannot_be_meant_ends_with_2(params: Path, mine: int, more: list[str], says: str) -> None:
    done = played("http://localhost:1", params, mine, *more)
    assert done.returncode == 2
    assert says in re.sub(r"\s*│?\n│?\s*", " ", done.stderr)


def test_no_service_ends_with_2(params: Path, mine: int) -> None:
    done = played(f"http://localhost:{free_port()}", params, mine)
    assert done.returncode == 2
    assert done.stderr.startswith("oneact conformance: http://localhost:")


def test_it_needs_no_server_and_no_framework(params: Path, mine: int) -> None:
    absent = ["uvicorn", "starlette", "fastapi", "flask", "django", "pytest", "webauthn", "jinja2", "aiosqlite"]
    program = f"import sys; sys.modules.update(dict.fromkeys({absent!r})); from oneact.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments(f"http://localhost:{free_port()}", params, mine)[3:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "refused" in done.stderr


def test_without_its_extra_it_says_what_to_install(params: Path, mine: int) -> None:
    program = "import sys; sys.modules['httpx'] = None; from oneact.cli import main; main()"
    command = [sys.executable, "-c", program, *arguments("http://localhost:1", params, mine)[3:]]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, len(done.stderr.splitlines())) == (2, 1)
    assert 'pip install "oneact[agent,cli]"' in done.stderr


def test_an_action_that_is_not_published_ends_with_2_and_those_that_are(
    service: Airline, params: Path, mine: int
) -> None:
    done = played(service.resource, params, mine, "--cookie", COOKIE, action="book_hotel")
    assert done.returncode == 2
    assert "book_flight, cancel_flight, oneact.unlink" in done.stderr


def test_parameters_that_do_not_fit_end_with_2(service: Airline, params: Path, mine: int) -> None:
    params.write_text('{"from": "SFO"}')
    done = played(service.resource, params, mine, "--cookie", COOKIE)
    assert done.returncode == 2
    assert "parameters_invalid" in done.stderr


def test_an_address_that_is_taken_ends_with_2(service: Airline, params: Path, mine: int) -> None:
    with socket.create_server(("127.0.0.1", mine)):
        done = played(service.resource, params, mine, "--cookie", COOKIE)
    assert done.returncode == 2
    assert f"nothing can listen on 127.0.0.1:{mine}" in done.stderr


def test_at_a_service_elsewhere_nothing_is_done_before_the_owner_says_yes(params: Path, mine: int) -> None:
    done = played("https://air.invalid", params, mine)
    assert done.returncode == 2
    assert "This executes book_flight some 30 times at https://air.invalid, for real." in done.stderr
    assert "air.invalid/.well-known" not in done.stderr
    done = played("https://air.invalid", params, mine, "--yes")
    assert done.returncode == 2
    assert "air.invalid/.well-known" in done.stderr


def test_a_service_with_another_clock_is_not_played_at() -> None:
    class Late:
        client_id = "http://localhost:1/oneact/client.json"

        def get(self, _: str) -> httpx.Response:
            return httpx.Response(200, headers={"Date": "Sun, 06 Nov 1994 08:49:37 GMT"})

    with pytest.raises(CannotRun, match="seconds apart"):
        running._check_clock(Late())  # type: ignore[arg-type]  # all of a stage that is looked at


def test_the_played_passkeys_belong_to_localhost_wherever_the_issuer_stands() -> None:
    there = Person("https://played.example", "https://air.example")
    assert (there.pinned.rp_id, there.pinned.origins) == ("localhost", ("http://localhost",))
    here = Person("http://localhost:8499", "http://localhost:8500")
    assert (here.pinned.rp_id, here.pinned.origins) == ("localhost", ("http://localhost:8499",))
