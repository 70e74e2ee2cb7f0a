"""Checkpoints that are sent away on a schedule."""

from __future__ import annotations

from pathlib import Path

import pytest

from oneact.errors import Reason, Refusal
from oneact.log import checkpoint
from oneact.log.entry import Entry, Kind
from oneact.server import Settings
from oneact.server.tlog import sending, sequencer
from oneact.server.world import open_world
from tests.server.peers import Clock


async def test_a_checkpoint_goes_to_every_address_once_a_day_and_only_if_it_is_new(tmp_path: Path) -> None:
    clock, folder, blocked = Clock(), tmp_path / "kept", tmp_path / "blocked"
    blocked.write_text("in the way")
    settings = Settings(
        database=tmp_path / "a.db", key_file=tmp_path / "a.jwk", checkpoints_to=(f"file:{blocked}", f"file:{folder}")
    )
    world = await open_world(settings, clock)
    assert await sending.send_due(world) == 0  # there is no checkpoint yet
    for day, (sent, files) in enumerate([(1, 1), (0, 1), (1, 2)]):
        if day != 1:
            await world.store.change((), [Entry(Kind.SHOWN, day, "", "", {})])
        await sequencer.sequence(world)
        assert await sending.send_due(world) == sent
        assert await sending.send_due(world) == 0
        assert len(list(folder.iterdir())) == files
        clock.now += 86400
    kept = [checkpoint.check(file.read_text(), world.log.verifiers()[0]) for file in sorted(folder.iterdir())]
    assert [point.size for point in kept] == [1, 2]
    blocked.unlink()
    assert await sending.send_due(world) == 1  # what was not taken is due at every look
    await world.store.close()


@pytest.mark.parametrize(
    "changes",
    [
        {"CHECKPOINTS_TO": "nowhere"}, {"FINDINGS_TO": "https://a.example/hook"}, {"WEBHOOK_SECRET": "x"},
        {"CHECKPOINTS_EVERY": "5"}, {"CHECKPOINTS_EVERY": "x"}, {"PORT": "0"}, {"PORT": "-1"},
    ],
)  # fmt: skip
def test_settings_that_cannot_be_are_refused_at_the_start(changes: dict[str, str]) -> None:
    with pytest.raises(Refusal) as refused:
        Settings.from_environment({f"ONEACT_{name}": value for name, value in changes.items()})
    assert refused.value.reason is Reason.REQUEST_MALFORMED


def test_settings_for_sending_are_read() -> None:
    secret = "whsec_" + "A" * 43 + "="
    environment = {
        "ONEACT_CHECKPOINTS_TO": "file:/a, https://b.example/c", "ONEACT_CHECKPOINTS_EVERY": "3600",
        "ONEACT_WEBHOOK_SECRET": secret,
    }  # fmt: skip
    found = Settings.from_environment(environment)
    assert (found.checkpoints_to, found.checkpoints_every) == (("file:/a", "https://b.example/c"), 3600)
    assert secret not in repr(found)
