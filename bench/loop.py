"""Full loops per second and CPU per loop at the approval server: ask, page, options, assertion, poll; all durable.

The server runs in a process of its own on a fresh SQLite file. Agents, persons and passkeys are played here, over
keep-alive connections on loopback; each loop is a new act. CPU is the server process's own, out of /proc.
An argument says how many seconds each number of agents is given.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import secrets
import sqlite3
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlencode

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import httpx
from tests.ports import free_port
from tests.server.peers import Agent, RunningServer, Service, serving
from tests.server.visitor import OWN_SCRIPT, Visitor

from oneact.protocol import client_assertion

SECONDS = 5.0
AGENTS = (1, 8, 32)
OK, NONCE_WANTED = 200, 401
SESSIONS = 4000  # a session may begin sixty gestures a minute, so loops take turns through many


def clock() -> int:
    """Give the second."""
    return int(time.time())


@dataclass
class Connection:
    """One keep-alive HTTP/1.1 connection, with as little around it as will do."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter
    host: str

    @classmethod
    async def open(cls, url: str) -> Connection:
        """Connect to an address of this machine."""
        host = url.removeprefix("http://")
        reader, writer = await asyncio.open_connection("127.0.0.1", int(host.rpartition(":")[2]))
        return cls(reader, writer, host)

    async def send(
        self, method: str, path: str, headers: dict[str, str], body: bytes
    ) -> tuple[int, dict[str, str], bytes]:
        """Make a request and give status, headers and body."""
        lines = [f"{method} {path} HTTP/1.1", f"Host: {self.host}", f"Content-Length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.writer.write("\r\n".join([*lines, "", ""]).encode() + body)
        head = (await self.reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        found = {name.lower(): value for name, _, value in (line.partition(": ") for line in head[1:] if line)}
        return int(head[0].split(" ")[1]), found, await self.reader.readexactly(int(found["content-length"]))


@dataclass
class Bench:
    """One server with one person, one service and as many agents as are asked for."""

    server: RunningServer
    service: Service
    visitor: Visitor
    cookie: str
    tokens: list[str]
    done: int = 0

    async def agent(self, agent: Agent, until: float) -> None:
        """Go loop after loop until it is time."""
        connection, number = await Connection.open(self.server.url), 0
        while time.perf_counter() < until:
            number += 1
            booked = self.service.act(to=f"{agent.client_id[:6]}{number}")
            offered = self.service.offer(self.server.url, clock(), booked)
            form = {"transaction_challenge": offered, "login_hint": agent.hint}
            asked = await self._agent_post(connection, agent, form)
            identifier = asked["transaction_authorization_id"]
            await self._decide(connection, identifier)
            answer = await self._agent_post(connection, agent, {"transaction_authorization_id": identifier})
            assert "access_token" in answer, answer
            self.done += 1
        connection.writer.close()

    async def _agent_post(self, connection: Connection, agent: Agent, form: dict[str, str]) -> dict[str, str]:
        url = self.server.url + "/oauth/transaction"
        for _ in range(2):
            fields = {
                "client_assertion_type": client_assertion.ASSERTION_TYPE,
                "client_assertion": agent.assertion(),
                **form,
            }
            headers = {"Content-Type": "application/x-www-form-urlencoded", "DPoP": agent.proof(url)}
            status, found, body = await connection.send(
                "POST", "/oauth/transaction", headers, urlencode(fields).encode()
            )
            agent.nonce = found.get("dpop-nonce", agent.nonce)
            if status != NONCE_WANTED:
                break
        return dict(json.loads(body))

    async def _decide(self, connection: Connection, identifier: str) -> None:
        cookie = f"{self.cookie}={self.tokens[self.done % SESSIONS]}"
        headers = {"Content-Type": "application/json", "Cookie": cookie, **OWN_SCRIPT}
        status, _, body = await connection.send("GET", f"/requests/{identifier}", headers, b"")
        assert status == OK, body
        asked = json.dumps({"requests": [identifier]}).encode()
        status, _, body = await connection.send("POST", "/requests/begin", headers, asked)
        assert status == OK, body
        signed = self.visitor.sign(json.loads(body))
        given = json.dumps({"requests": [identifier], **signed}).encode()
        status, _, body = await connection.send("POST", "/requests/approve", headers, given)
        assert status == OK, body


def _sessions(server: RunningServer, account: str) -> list[str]:
    """Put sessions into the store, as so many sign-ins would have."""
    tokens = [secrets.token_urlsafe(16) for _ in range(SESSIONS)]
    ends = clock() + 3600
    rows = [
        (hashlib.sha256(b"oneact-session-1\n" + token.encode()).hexdigest(), account, clock(), clock(), ends)
        for token in tokens
    ]
    with sqlite3.connect(server.database, timeout=10) as database:
        database.executemany(
            "INSERT INTO sessions (id, account_id, auth_time, created_at, expires_at) VALUES (?, ?, ?, ?, ?)", rows
        )
    return tokens


def _cpu(pid: int) -> float:
    """Give the CPU seconds that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _start(folder: Path) -> tuple[subprocess.Popen[bytes], RunningServer]:
    port = free_port()
    url = f"http://localhost:{port}"
    environment = {
        **os.environ,
        "ONEACT_PUBLIC_URL": url,
        "ONEACT_PORT": str(port),
        "ONEACT_DATABASE": str(folder / "server.db"),
        "ONEACT_KEY_FILE": str(folder / "server.jwk"),
    }
    log = (folder / "server.log").open("w")
    process = subprocess.Popen([sys.executable, "-m", "oneact.cli", "serve"], env=environment, stdout=log, stderr=log)
    for _ in range(200):
        try:
            httpx.get(url + "/oauth/jwks.json")
            break
        except httpx.HTTPError:
            time.sleep(0.05)
    return process, RunningServer(url, None, clock, folder / "server.db")  # type: ignore[arg-type]  # it runs in another process


def _agents(server: RunningServer, visitor: Visitor, count: int) -> list[Agent]:
    """Register and pair agents; their rows are put in, since pairing is limited per minute."""
    found = []
    for number in range(count):
        agent = Agent(server)
        row = (f"client-{number}", agent.key.public.thumbprint, json.dumps(agent.key.public.members))
        server.execute(
            "INSERT INTO clients (id, jkt, public_jwk, name, metadata, registered_at, paired_at) "
            "VALUES (?, ?, ?, 'bench', '{}', 0, 0)",
            *row,
        )
        agent.client_id, agent.hint = row[0], f"hint-{number}"
        server.execute(
            "INSERT INTO pairings (id, hint, account_id, client_id, jkt, name, created_at) "
            "VALUES (?, ?, ?, ?, ?, 'bench', 0)",
            f"pairing-{number}", agent.hint, visitor.account, agent.client_id, agent.key.public.thumbprint,
        )  # fmt: skip
        found.append(agent)
    return found


async def _run(bench: Bench, agents: list[Agent], given: float) -> float:
    bench.done, start = 0, time.perf_counter()
    await asyncio.gather(*(bench.agent(agent, start + given) for agent in agents))
    return time.perf_counter() - start


def main(given: float) -> None:
    """Print a line for each number of agents, each given so many seconds."""
    with tempfile.TemporaryDirectory() as name:
        process, server = _start(Path(name))
        try:
            service = Service(f"http://localhost:{free_port()}")
            with serving(service.app(), int(service.url.rpartition(":")[2])):
                visitor = Visitor(server).sign_up()
                visitor.link(service)
                cookie = next(iter(visitor.http.cookies.keys()))
                bench = Bench(server, service, visitor, cookie, _sessions(server, visitor.account))
                agents = _agents(server, visitor, max(AGENTS))
                print("one loop: ask, page, options, assertion, poll with token")
                for count in AGENTS:
                    before = _cpu(process.pid)
                    seconds = asyncio.run(_run(bench, agents[:count], given))
                    cpu = (_cpu(process.pid) - before) / bench.done * 1000
                    print(f"{count:3d} agents: {bench.done / seconds:7.1f} loops/s, {cpu:5.2f} ms of CPU per loop")
        finally:
            process.terminate()
            process.wait(10)


if __name__ == "__main__":
    main(float(sys.argv[1]) if len(sys.argv) > 1 else SECONDS)
