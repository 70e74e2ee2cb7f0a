"""Credentials in the keyring of a desktop: GNOME's Secret Service, on a session bus of its own."""

from __future__ import annotations

import asyncio
import json
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.gateway.playing import Play, text

# A desktop whose keyring is unlocked at the sign-in, and in which its person has typed what docs/mcp-proxy.md says.
SESSION = """
printf password | gnome-keyring-daemon --foreground --unlock --components=secrets >/dev/null 2>&1 &
trap "kill $!" EXIT
for _ in 1 2 3 4 5 6 7 8 9 10; do
  printf s3cret | "$1" -m keyring set notes ada 2>/dev/null && break
done
"$@"
"""
NEEDED = ("dbus-run-session", "gnome-keyring-daemon")


class Desktop(Play):
    """A play whose proxy runs in such a session."""

    @property
    def command(self) -> list[str]:
        return [*NEEDED[:1], "--", "sh", "-c", SESSION, "session", *super().command]


@pytest.fixture
def desktop(play: Play) -> Desktop:
    """A server whose policy names an entry of the keyring; the bus of whoever runs the tests is not written into."""
    found = Desktop(play.folder, play.server, play.person)
    rules = {"tools": {"secret": "allow"}, "environment": [], "keyring": {"TEST_SECRET": "notes/ada"}}
    (play.folder / "policy.json").write_text(json.dumps(rules))
    found.options += ["--config", str(play.folder / "policy.json")]
    (play.folder / "run").mkdir(mode=0o700)
    found.environment |= {
        "HOME": str(play.folder),
        "XDG_RUNTIME_DIR": str(play.folder / "run"),
        "XDG_DATA_HOME": str(play.folder / "data"),
        "DBUS_SESSION_BUS_ADDRESS": f"unix:path={play.folder / 'no-bus'}",
    }
    return found


def holds(folder: Path, octets: bytes) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file() and octets in file.read_bytes()]


@pytest.mark.skipif(not all(map(shutil.which, NEEDED)), reason="GNOME's keyring is not installed here")
async def test_a_server_gets_what_the_keyring_of_the_desktop_keeps_and_no_file_has_it(desktop: Desktop) -> None:
    async with desktop.client() as client:
        assert text(await client.call_tool("secret", {})) == "s3cret"
    assert list((desktop.folder / "data" / "keyrings").glob("*.keyring"))
    assert holds(desktop.folder, b"s3cret") == []


async def test_where_there_is_no_keyring_the_proxy_says_so_and_starts_nothing(desktop: Desktop) -> None:
    command = Play.command.__get__(desktop)
    done = await asyncio.to_thread(
        subprocess.run, command, env=desktop.env, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("oneact mcp-proxy: keyring: notes/ada cannot be read")
