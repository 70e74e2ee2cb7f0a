from __future__ import annotations

import asyncio
import json
import os
import re
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

import httpx
import pytest
import typer
from typer.testing import CliRunner

import oneact
from oneact.agent import Refused, keys
from oneact.cli import agent
from oneact.cli.commands import app
from oneact.server import Settings, pairing
from tests.flows.test_pairing_again import removed
from tests.flows.test_whole import FLIGHT, _confirm, _decide, airline, person, server
from tests.ports import free_port
from tests.server.peers import Agent as Peer
from tests.server.peers import RunningServer
from tests.server.test_starting import started
from tests.server.visitor import Visitor
from tests.service.airline import Airline
from tests.service.world import served
from tests.spec.literal import ROOT

__all__ = ["airline", "person", "server"]
runner = CliRunner()


def run(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the command as a shell would."""
    return subprocess.run(
        [sys.executable, "-m", "oneact.cli", *arguments],
        env={**os.environ, **environment}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip


@pytest.fixture
def home(server: RunningServer, person: Visitor, tmp_path: Path) -> dict[str, str]:
    """The environment of an agent that was paired before."""
    peer = Peer(server)
    peer.register()
    person.pair(peer)
    environment = {"ONEACT_HOME": str(tmp_path / "home"), "ONEACT_SERVER": server.url}
    file = tmp_path / "home" / keys.default_file(server.url).name
    keys.save(file, keys.Pairing(server.url, peer.key, peer.client_id, peer.hint))
    return environment


def test_the_version_is_said() -> None:
    assert runner.invoke(app, ["--version"]).output == f"oneact {oneact.__version__}\n"


def test_every_command_says_what_it_does() -> None:
    for arguments in (["--help"], ["serve", "--help"], ["agent", "--help"], ["agent", "act", "--help"]):
        answer = runner.invoke(app, arguments)
        assert answer.exit_code == 0
        assert "Usage" in answer.output


def test_a_signature_is_verified_with_the_keys_that_are_fetched(
    home: dict[str, str], airline: Airline, person: Visitor
) -> None:
    work = threading.Thread(target=_decide, args=(person, "approve"))
    work.start()
    done = run("agent", "act", airline.resource, "book_flight", json.dumps(FLIGHT), **home)
    work.join()
    assert done.returncode == 0, done.stderr
    assert "receipt: executed" in done.stderr
    text = person.server.execute("SELECT receipt FROM receipts")[0][0]
    answer = runner.invoke(app, ["explain", "--fetch", text])
    assert "passed   signature" in answer.output
    forged = text[:-6] + "AAAAAA"
    assert runner.invoke(app, ["explain", "--fetch", forged]).exit_code == 5


def test_a_denial_has_an_exit_status_of_its_own(home: dict[str, str], airline: Airline, person: Visitor) -> None:
    work = threading.Thread(target=_decide, args=(person, "No"))
    work.start()
    done = run("agent", "act", airline.resource, "book_flight", json.dumps(FLIGHT), **home)
    work.join()
    assert (done.returncode, "denied: No" in done.stderr) == (3, True)


def test_terms_that_changed_are_said_beside_the_approved_ones(
    home: dict[str, str], airline: Airline, person: Visitor
) -> None:
    def dearer() -> None:
        until = time.monotonic() + 20
        while not person.server.execute("SELECT id FROM requests") and time.monotonic() < until:
            time.sleep(0.02)
        airline.price = "399.00"
        _decide(person, "approve")

    work = threading.Thread(target=dearer)
    work.start()
    done = run("agent", "act", airline.resource, "book_flight", json.dumps(FLIGHT), **home)
    work.join()
    assert (done.returncode, airline.books.all()) == (5, [])
    told = dict(line.split(": ", 1) for line in done.stderr.splitlines())
    assert [json.loads(told[word])["price"]["amount"] for word in ("approved", "now")] == ["312.00", "399.00"]


def test_other_ends_have_theirs(home: dict[str, str], airline: Airline) -> None:
    assert run("agent", "act", airline.resource, "book_flight", '{"to": 1.5}', **home).returncode == 5
    assert run("agent", "act", airline.resource, "book_flight", "[]", **home).returncode == 2
    assert run("agent", "act", airline.resource, "book_flight", "{", **home).returncode == 2
    nobody = f"http://localhost:{free_port()}"
    assert run("agent", "act", nobody, "book_flight", **home).returncode == 6


def test_what_a_service_says_moves_no_cursor(capsys: pytest.CaptureFixture[str]) -> None:
    async def work() -> None:
        raise Refused("parameters_invalid", "fine\x1b[2J\rdone", field="\x1b]0;x\x07")

    with pytest.raises(typer.Exit) as ended:
        agent.run(work)
    told = capsys.readouterr().err
    assert (ended.value.exit_code, told.replace("\n", "").isprintable()) == (5, True)
    assert "what to do: " in told


def test_a_refusal_says_what_to_do_and_where_to_link(home: dict[str, str], tmp_path: Path) -> None:
    port = free_port()
    (tmp_path / "other").mkdir()
    other = Airline("asgi", port, home["ONEACT_SERVER"], tmp_path / "other")
    with served(other.app, port):
        done = run("agent", "act", other.resource, "book_flight", json.dumps(FLIGHT), **home)
    assert done.returncode == 5
    assert "refused: unlinked_service" in done.stderr
    assert "what to do: The person has to link their account" in done.stderr
    assert f"link the account here: {other.resource}/oneact/link" in done.stderr


def test_parameters_that_are_no_json_are_said_before_any_pairing_starts(server: RunningServer, tmp_path: Path) -> None:
    environment = {"ONEACT_HOME": str(tmp_path / "none"), "ONEACT_SERVER": server.url}
    done = run("agent", "act", "https://air.example", "book_flight", "{bad", **environment)
    assert done.returncode == 2
    assert "not JSON" in done.stderr
    assert not (tmp_path / "none").exists()


def test_an_agent_that_is_paired_is_told_so_and_how_to_pair_anew(home: dict[str, str], person: Visitor) -> None:
    done = run("agent", "pair", **home)
    assert done.returncode == 0
    assert "paired before" in done.stdout
    assert "--again" in done.stdout
    removed(person)
    arguments = [sys.executable, "-m", "oneact.cli", "agent", "pair", "--again"]
    with subprocess.Popen(arguments, env={**os.environ, **home}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        code = process.stdout.readline().split()[-1]
        assert process.stdout.readline().startswith("Its fingerprint is")
        _confirm(person, code)
        assert process.stdout.readline().startswith("paired; fingerprint")
    assert process.returncode == 0


def test_a_removed_agent_is_told_to_pair_again(home: dict[str, str], airline: Airline, person: Visitor) -> None:
    removed(person)
    done = run("agent", "act", airline.resource, "book_flight", json.dumps(FLIGHT), **home)
    assert done.returncode == 5
    assert "hint_unknown" in done.stderr
    assert "oneact agent pair --again" in done.stderr


def test_with_a_code_of_the_persons_own_nobody_is_told_to_type_one(server: RunningServer, tmp_path: Path) -> None:
    Visitor(server).sign_up()
    environment = {"ONEACT_HOME": str(tmp_path / "own"), "ONEACT_SERVER": server.url}
    [(account,)] = server.execute("SELECT id FROM accounts")
    code = server.call(pairing.new_pairing_code, account)
    arguments = [sys.executable, "-m", "oneact.cli", "agent", "pair", "--code", code]
    with subprocess.Popen(arguments, env={**os.environ, **environment}, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        said = process.stdout.readline()
        process.terminate()
    assert "has to confirm it at" in said
    assert "type" not in said


def test_the_actions_of_a_service_are_listed_with_their_parameters_without_a_pairing(
    airline: Airline, tmp_path: Path
) -> None:
    done = run("agent", "actions", airline.resource, ONEACT_HOME=str(tmp_path / "none"))
    assert done.returncode == 0, done.stderr
    assert "book_flight: Book a flight" in done.stdout
    assert "needed" in done.stdout
    assert "price" in done.stdout
    assert not (tmp_path / "none").exists()
    assert run("agent", "actions", f"http://localhost:{free_port()}").returncode == 6


def test_the_pairings_of_this_machine_are_listed(home: dict[str, str], server: RunningServer) -> None:
    listed = run("agent", "list", **home)
    assert server.url in listed.stdout
    assert "paired" in listed.stdout
    empty = run("agent", "list", ONEACT_HOME=home["ONEACT_HOME"] + "-none")
    assert "no pairings" in empty.stdout


def test_serve_refuses_an_address_by_which_passkeys_cannot_work() -> None:
    answer = run("serve", "--public-url", "http://192.168.0.7")
    assert answer.returncode == 2
    assert "ONEACT_PUBLIC_URL" in answer.stderr
    assert run("serve", "--public-url", "https://a.example", "--rp-id", "b.example").returncode == 2
    assert run("serve", ONEACT_PORT="many").returncode == 2


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--database", "/dev/null/a.db"], "/dev/null/a.db cannot be opened"),
        (["--key-file", "/dev/null/a.jwk"], "the key file /dev/null/a.jwk cannot be used"),
        (["--public-url", "http://localhost:1/elsewhere"], "begin a new database"),
    ],
)
def test_serve_says_in_one_sentence_what_keeps_it_from_starting(
    tmp_path: Path, arguments: list[str], says: str
) -> None:
    begun = Settings(database=tmp_path / "a.db", key_file=tmp_path / "a.jwk")
    asyncio.run(started(begun))
    environment = {"ONEACT_DATABASE": str(begun.database), "ONEACT_KEY_FILE": str(begun.key_file)}
    answer = run("serve", *arguments, **environment)
    assert answer.returncode == 2
    assert says in answer.stderr
    assert len(answer.stderr.splitlines()) == 1


def test_serve_serves_and_says_at_its_first_start_that_the_rp_id_is_for_life(tmp_path: Path) -> None:
    port = free_port()
    arguments: list[Any] = [
        sys.executable, "-m", "oneact.cli", "serve", "--public-url", f"http://localhost:{port}", "--port", str(port),
        "--database", tmp_path / "a.db", "--key-file", tmp_path / "a.jwk",
    ]  # fmt: skip
    with (tmp_path / "log").open("w") as log:
        process = subprocess.Popen(arguments, stdout=log, stderr=log)
        try:
            until = time.monotonic() + 20
            found = None
            while found is None and time.monotonic() < until:
                try:
                    found = httpx.get(f"http://localhost:{port}/.well-known/oauth-authorization-server")
                except httpx.HTTPError:
                    time.sleep(0.05)
        finally:
            process.terminate()
            process.wait(10)
    assert found is not None
    assert found.json()["issuer"] == f"http://localhost:{port}"
    log = (tmp_path / "log").read_text()
    assert "for life" in log
    assert f"approval server http://localhost:{port}, listening on http://127.0.0.1:{port}" in log
    assert (tmp_path / "a.jwk").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("document", ["README.md", "docs/agent.md"])
def test_the_sample_of_a_document_books_the_flight(
    home: dict[str, str], airline: Airline, person: Visitor, tmp_path: Path, document: str
) -> None:
    samples = re.findall(r"```python\n(.*?)```", (ROOT / document).read_text("utf-8"), re.DOTALL)
    [sample] = [text for text in samples if "Agent.open" in text]
    here = {"https://approve.example": home["ONEACT_SERVER"], "https://air.example": airline.resource}
    for there, ours in here.items():
        sample = sample.replace(there, ours)
    (tmp_path / "sample.py").write_text(sample, "utf-8")
    work = threading.Thread(target=_decide, args=(person, "approve"))
    work.start()
    done = subprocess.run(
        [sys.executable, tmp_path / "sample.py"],
        env={**os.environ, **home}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    work.join()
    assert done.returncode == 0, done.stderr
    assert "status='executed'" in done.stdout
