"""What else the log says: who was told, what was refused, keys and settings."""

from __future__ import annotations

import json
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from oneact.server import Settings
from oneact.server.app import create_app, lifespan
from tests.server.peers import Agent, RunningServer, Service
from tests.server.visitor import Visitor


def told(server: RunningServer, kind: str) -> list[dict[str, Any]]:
    rows = server.execute("SELECT content FROM entries WHERE kind = ? ORDER BY seq", kind)
    return [json.loads(content) for (content,) in rows]


def test_an_open_inbox_is_told_and_the_log_says_so(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    agent.ask(service.offer(server.url, server.clock()))
    assert told(server, "notified") == []  # nobody was looking
    version = visitor.get("/inbox/wait", version="").json()["version"]
    waiting = threading.Thread(target=visitor.get, args=("/inbox/wait",), kwargs={"version": version})
    waiting.start()
    until = time.monotonic() + 5
    while not server.app.state.world.waiting.waited_for(visitor.account) and time.monotonic() < until:
        time.sleep(0.01)
    asked = agent.ask(service.offer(server.url, server.clock(), service.act(to="LAX"))).json()
    waiting.join(10)
    assert told(server, "notified") == [{"channel": "inbox"}]
    [[request]] = server.execute("SELECT request_id FROM entries WHERE kind = 'notified'")
    assert request == asked["transaction_authorization_id"]


@pytest.mark.usefixtures("visitor")
def test_what_an_agent_asked_in_vain_is_in_its_persons_log(server: RunningServer, agent: Agent) -> None:
    other = Service("http://localhost:9")
    for _ in range(12):
        assert agent.ask(other.offer(server.url, server.clock())).json()["reason"] == "unlinked_service"
    refused = told(server, "refused")
    assert refused[0] == {
        "reason": "unlinked_service",
        "agent": {"client_id": agent.client_id, "jkt": agent.key.public.thumbprint},
    }
    assert len(refused) == 10  # nobody fills a log with what was refused to them
    stranger = Agent(server)
    stranger.register()
    stranger.hint = agent.hint
    assert stranger.ask(other.offer(server.url, server.clock())).status_code >= 400
    assert len(told(server, "refused")) == 10


def test_a_gesture_in_vain_is_in_the_log_of_its_request(
    server: RunningServer, service: Service, agent: Agent, visitor: Visitor
) -> None:
    asked = agent.ask(service.offer(server.url, server.clock())).json()["transaction_authorization_id"]
    begun = visitor.begin_approval(asked)
    signed = visitor.sign(begun)
    server.clock.now += 61
    answer = visitor.post("/requests/approve", requests=[asked], **signed)
    assert answer.status_code >= 400
    assert told(server, "refused") == [{"reason": answer.json()["reason"]}]
    assert server.execute("SELECT request_id FROM entries WHERE kind = 'refused'") == [(asked,)]


async def _start(settings: Settings) -> list[tuple[str, dict[str, Any]]]:
    app = create_app(settings)
    async with lifespan(app, settings):
        rows = await app.state.world.store.all("records_without_leaf")
        rows += await app.state.world.store.all("records_with_leaf")
    return [(row["kind"], json.loads(row["content"])) for row in sorted(rows, key=lambda row: row["seq"])]


async def test_keys_and_settings_are_in_the_log_from_start_to_start(tmp_path: Path) -> None:
    settings = Settings(database=tmp_path / "a.db", key_file=tmp_path / "a.jwk")
    first = await _start(settings)
    assert [kind for kind, _ in first] == ["key_created", "server_started"]
    assert first[0][1]["issuer"] == settings.issuer
    assert len(first[0][1]["keys"]) == len(first[0][1]["log_keys"]) == 1
    other = Settings(database=tmp_path / "b.db", key_file=tmp_path / "b.jwk")
    await _start(other)
    fresh, stale = other.key_file.read_text(), settings.key_file.read_text()
    settings.key_file.write_text(f'{{"keys":[{fresh},{stale}]}}')
    changed = Settings(database=tmp_path / "a.db", key_file=tmp_path / "a.jwk", private_hosts=("intranet",))
    for _ in range(2):
        last = await _start(changed)
    assert [kind for kind, _ in last[2:]] == ["key_rotated", "server_started", "server_started"]
    assert len(last[2][1]["keys"]) == 2
    assert last[3][1]["settings"]["private_hosts"] == ["intranet"]
