"""A database that a server has lived with: linked, asked, approved, executed, denied, expired, cancelled, unlinked."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import httpx
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from typer.testing import CliRunner

from oneact import keyfile
from oneact.cli.commands import app
from oneact.log import checkpoint, tiles, tree
from oneact.log.checkpoint import Checkpoint
from oneact.log.entry import commitment
from oneact.protocol import base64url, jws, token
from oneact.server import ending
from oneact.server.tlog import sequencer
from oneact.store import records
from tests.ports import free_port
from tests.server.peers import Agent, Service, running_server, serving
from tests.server.visitor import Visitor

runner = CliRunner()


@dataclass
class Lived:
    """The folder of a server that has stopped; `note` a checkpoint that was sent away early, `key` the log's key."""

    folder: Path
    account: str
    requests: dict[str, str]
    note: Path
    key: Path

    @property
    def database(self) -> Path:
        return self.folder / "server.db"

    def copied(self, folder: Path) -> Lived:
        """Give a copy to tamper with."""
        shutil.copytree(self.folder, folder)
        return Lived(folder, self.account, self.requests, self.note, self.key)

    def execute(self, *statements: str) -> None:
        """Change the database as somebody does who has the file."""
        with closing(sqlite3.connect(self.database, isolation_level=None)) as connection:
            for statement in statements:
                connection.execute(statement)

    def verify(self, *arguments: str) -> tuple[int, str]:
        """Run `oneact log verify` on the database, with the log's key known; give exit code and output."""
        return command("log", "verify", str(self.database), "--key", str(self.key), *arguments)


def command(*arguments: str) -> tuple[int, str]:
    """Run a command; give exit code and output."""
    result = runner.invoke(app, list(arguments))
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result.exit_code, result.output


def live(folder: Path) -> Lived:
    """Run a server through everything that changes a state, and stop it."""
    service = Service(f"http://localhost:{free_port()}")
    with running_server(folder) as server, serving(service.app(), int(service.url.rpartition(":")[2])):
        person = Visitor(server).sign_up()
        person.link(service)
        agents = [Agent(server), Agent(server), Agent(server)]
        for agent in agents:
            agent.register()
            person.pair(agent)
        agent, blocked, removed = agents
        requests = {
            name: agent.ask(service.offer(server.url, server.clock(), service.act(to=name))).json()
            for name in ("executed", "denied", "cancelled", "silent", "unused")
        }
        asked = {name: answer["transaction_authorization_id"] for name, answer in requests.items()}
        server.call(sequencer.sequence_all)
        (folder / "early").write_text(server.app.state.world.log.note)
        server.execute(f"VACUUM INTO '{folder / 'early.db'}'")
        (folder / "log.key").write_text(server.app.state.world.log.verifiers()[0].line() + "\n")

        assert person.approve(asked["executed"]).status_code == 200
        text = agent.poll(asked["executed"]).json()["access_token"]
        claims = jws.parse(text, token.TYP, token.FAULTS).claims
        act_digest = service.act(to="executed").digest
        receipt = service.receipt(server.url, claims, act_digest, server.clock())
        given = agent.server.url + "/oauth/receipts"
        assert httpx.post(given, content=receipt, headers={"Content-Type": "application/jwt"}).status_code < 300
        person.get(f"/requests/{asked['denied']}")
        assert person.post("/requests/deny", requests=[asked["denied"]], message="no").status_code == 200
        assert agent.post("/oauth/cancel", transaction_authorization_id=asked["cancelled"]).status_code < 300
        assert person.approve(asked["unused"]).status_code == 200
        for found, deed in ((blocked, "block"), (removed, "remove")):
            [[pairing]] = server.execute("SELECT id FROM pairings WHERE hint = ?", found.hint)
            assert person.submit(f"/agents/{pairing}/{deed}").status_code < 400
        server.clock.now += 3600
        server.call(ending.sweep)
        other = Service(f"http://localhost:{free_port()}")
        with serving(other.app(), int(other.url.rpartition(":")[2])):
            person.sign_in()
            person.link(other)
            [[link]] = server.execute("SELECT id FROM links WHERE resource = ?", other.url)
            assert person.submit(f"/services/{link}/unlink").status_code < 400
        account = person.account
    return Lived(folder, account, asked, folder / "early", folder / "log.key")


def rewrite(lived: Lived, key: Ed25519PrivateKey) -> None:
    """Make tampered entries a log again, as whoever holds its key can: commitments, places, tiles, checkpoint."""
    with closing(sqlite3.connect(lived.database, isolation_level=None)) as connection:
        connection.row_factory = sqlite3.Row
        rows = connection.execute("SELECT * FROM entries ORDER BY seq").fetchall()
        connection.execute("UPDATE entries SET leaf = NULL")
        leaves = []
        for leaf, row in enumerate(rows):
            committed = row["commitment"] if row["erased_at"] else commitment(records.entry(row), row["salt"])
            leaves.append(tree.leaf_hash(base64url.decode(committed)))
            connection.execute(
                "UPDATE entries SET leaf = ?, commitment = ? WHERE seq = ?", (leaf, committed, row["seq"])
            )
        edge: dict[int, bytes] = {}
        connection.execute("DELETE FROM tiles")
        for (level, number), octets in tiles.append(edge, 0, leaves).items():
            connection.execute("INSERT INTO tiles VALUES (?, ?, ?)", (level, number, octets))
        origin = checkpoint.parse(lived.note.read_text()).origin
        point = Checkpoint(origin, len(leaves), tiles.root_of_edge(edge))
        note = checkpoint.sign(point, key)
        connection.execute("UPDATE log_head SET size = ?, root = ?, note = ?", (point.size, point.root, note))


def stolen(lived: Lived) -> Ed25519PrivateKey:
    """Give the log's own private key."""
    [key] = keyfile.load_or_create(lived.folder / "server.log.jwk")
    assert isinstance(key.key, Ed25519PrivateKey)
    return key.key
