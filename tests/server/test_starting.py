from __future__ import annotations

import logging
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from oneact.errors import Reason, Refusal
from oneact.server import Settings, create_app
from oneact.server.world import open_world
from tests.server.peers import Agent, RunningServer


def settings(folder: Path, public_url: str = "https://approve.example", rp_id: str = "") -> Settings:
    return Settings(public_url, database=folder / "a.db", key_file=folder / "a.jwk", rp_id=rp_id)


async def started(given: Settings) -> None:
    """Start and end a server."""
    app = create_app(given)
    async with app.router.lifespan_context(app):
        assert app.state.world.settings == given


def _modes(folder: Path) -> dict[str, int]:
    return {file.name: file.stat().st_mode & 0o777 for file in folder.iterdir()}


async def test_a_server_starts_again_under_the_names_it_began_with(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    await started(settings(tmp_path))
    assert "for life" in caplog.text
    caplog.clear()
    await started(settings(tmp_path))
    assert caplog.text == ""


async def test_a_first_start_that_was_cut_short_is_still_the_first(tmp_path: Path) -> None:
    (tmp_path / "a.db").touch()
    await started(settings(tmp_path))
    with pytest.raises(Refusal):
        await started(settings(tmp_path, "https://other.example"))


async def test_another_rp_id_is_refused_because_every_passkey_would_be_useless(tmp_path: Path) -> None:
    await started(settings(tmp_path, "https://id.approve.example", "approve.example"))
    with pytest.raises(Refusal) as refused:
        await started(settings(tmp_path, "https://id.approve.example"))
    for named in ("approve.example for life", "useless under id.approve.example", "ONEACT_RP_ID", "a.db"):
        assert named in refused.value.detail


async def test_another_issuer_is_refused_by_both_names(tmp_path: Path) -> None:
    await started(settings(tmp_path, "https://a.approve.example", "approve.example"))
    with pytest.raises(Refusal) as refused:
        await started(settings(tmp_path, "https://b.approve.example", "approve.example"))
    for named in ("https://a.approve.example", "https://b.approve.example", "ONEACT_PUBLIC_URL"):
        assert named in refused.value.detail


async def test_database_and_key_file_are_for_their_owner_alone(tmp_path: Path) -> None:
    world = await open_world(settings(tmp_path))
    modes = _modes(tmp_path)
    await world.store.close()
    assert modes == dict.fromkeys(("a.db", "a.db-wal", "a.db-shm", "a.jwk", "a.log.jwk"), 0o600)


def _rubbish_database(folder: Path) -> None:
    (folder / "a.db").write_bytes(b"no database" * 100)


def _database_folder(folder: Path) -> None:
    (folder / "a.db").mkdir()


def _open_key(folder: Path) -> None:
    (folder / "a.jwk").write_text("{}")
    (folder / "a.jwk").chmod(0o644)


def _rubbish_key(folder: Path) -> None:
    (folder / "a.jwk").touch(mode=0o600)


def _key_folder(folder: Path) -> None:
    (folder / "a.jwk").mkdir(mode=0o700)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (_rubbish_database, Reason.STORE_UNAVAILABLE),
        (_database_folder, Reason.STORE_UNAVAILABLE),
        (_open_key, Reason.KEY_MALFORMED),
        (_rubbish_key, Reason.KEY_MALFORMED),
        (_key_folder, Reason.KEY_MALFORMED),
    ],
)
async def test_a_file_that_cannot_be_used_is_named(
    tmp_path: Path, spoil: Callable[[Path], None], reason: Reason
) -> None:
    spoil(tmp_path)
    with pytest.raises(Refusal) as refused:
        await started(settings(tmp_path))
    assert refused.value.reason is reason
    assert str(tmp_path) in refused.value.detail


async def test_a_start_that_is_refused_lets_go_of_the_database(tmp_path: Path) -> None:
    await started(settings(tmp_path))
    with pytest.raises(Refusal):
        await started(settings(tmp_path, "https://other.example"))
    assert not (tmp_path / "a.db-wal").exists()
    sqlite3.connect(tmp_path / "a.db").close()


def test_ordinary_polling_is_no_line_in_the_log_of_an_operator(
    server: RunningServer, agent: Agent, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.DEBUG, "oneact.server"):
        agent.nonce = ""
        device_code = agent.post("/oauth/device").json()["device_code"]
        form = {"grant_type": "urn:ietf:params:oauth:grant-type:device_code"}
        assert agent.post("/oauth/token", device_code=device_code, **form).json()["error"] == "authorization_pending"
        agent.post("/oauth/token", device_code="another", **form)
    found = {record.getMessage().split(":")[1].strip(): record.levelno for record in caplog.records}
    assert found["proof_nonce"] == found["authorization_pending"] == logging.DEBUG
    assert found["grant_unknown"] == logging.INFO
    assert server.url
