"""Where the sidecar listens, and who of this machine can reach it."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.sidecar import listening
from tests.ports import free_port
from tests.sidecar.running import Place, asking, sidecar, until_ended, until_open

RIGHT: dict[str, Any] = {"ticket": "t", "status": 200}


def mode(file: Path) -> int:
    return stat.S_IMODE(file.stat().st_mode)


def test_the_socket_is_its_owners_alone(tmp_path: Path) -> None:
    file = tmp_path / "s"
    with listening.unix(file).socket:
        assert mode(file) == 0o600


def test_a_socket_that_a_killed_process_left_makes_room(tmp_path: Path) -> None:
    file = tmp_path / "s"
    listening.unix(file).socket.close()
    assert file.is_socket()
    with listening.unix(file).socket:
        assert mode(file) == 0o600


def test_a_socket_that_is_listened_on_is_left_alone(tmp_path: Path) -> None:
    file = tmp_path / "s"
    with listening.unix(file).socket as held:
        held.listen()
        with pytest.raises(ValueError, match="another process listens"):
            listening.unix(file)
        assert file.is_socket()


def test_a_file_that_is_no_socket_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "s").write_text("precious", "utf-8")
    with pytest.raises(ValueError, match="is no socket"):
        listening.unix(tmp_path / "s")
    assert (tmp_path / "s").read_text("utf-8") == "precious"


def test_a_folder_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="cannot be listened on"):
        listening.unix(tmp_path / "no" / "s")


def test_a_port_has_a_secret_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    found = []
    for _ in range(2):
        door = listening.tcp(f"127.0.0.1:{free_port()}", file, anywhere=False)
        door.socket.close()
        found.append(door.secret)
    assert found[0] == found[1] == file.read_text("utf-8").strip()
    assert mode(file) == 0o600
    assert str(found[0]) not in repr(door)


def test_a_secret_that_others_can_read_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 43, "utf-8")
    (tmp_path / "secret").chmod(0o640)
    with pytest.raises(ValueError, match="0600"):
        listening.tcp(f"127.0.0.1:{free_port()}", tmp_path / "secret", anywhere=False)
    (tmp_path / "secret").chmod(0o600)
    listening.tcp(f"127.0.0.1:{free_port()}", tmp_path / "secret", anywhere=False).socket.close()


def test_a_short_secret_is_none(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("s" * 31, "utf-8")
    (tmp_path / "secret").chmod(0o600)
    with pytest.raises(ValueError, match="32 characters"):
        listening.tcp(f"127.0.0.1:{free_port()}", tmp_path / "secret", anywhere=False)


@pytest.mark.parametrize(
    "address", ["127.0.0.1", "localhost:8450", "127.0.0.1:0", "127.0.0.1:x", "127.0.0.1:65536", ":1"]
)
def test_an_address_is_a_number_and_a_port(tmp_path: Path, address: str) -> None:
    with pytest.raises(ValueError, match="an IP address and a port"):
        listening.tcp(address, tmp_path / "secret", anywhere=False)


@pytest.mark.parametrize("host", ["0.0.0.0", "[::]"])  # noqa: S104 - it is refused
def test_another_address_than_loopback_needs_the_option_that_says_so(tmp_path: Path, host: str) -> None:
    address = f"{host}:{free_port()}"
    with pytest.raises(ValueError, match="loopback"):
        listening.tcp(address, tmp_path / "secret", anywhere=False)
    door = listening.tcp(address, tmp_path / "secret", anywhere=True)
    door.socket.close()
    assert door.hosts is None
    assert door.secret


def test_a_port_that_is_taken_is_told(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(ValueError, match="cannot be listened on"):
            listening.tcp(f"127.0.0.1:{taken.getsockname()[1]}", tmp_path / "secret", anywhere=False)


async def test_over_a_port_it_answers_who_has_the_secret(place: Place) -> None:
    port, file = free_port(), place.folder / "secret"
    with sidecar(place, "--listen", f"127.0.0.1:{port}", "--secret-file", str(file)) as running:
        until_open(("127.0.0.1", port), running)
        headers = {"Authorization": f"Bearer {file.read_text('utf-8').strip()}"}
        async with httpx.AsyncClient(trust_env=False) as client:
            for host in ("127.0.0.1", "localhost"):
                answer = await client.post(f"http://{host}:{port}/receipt", json=RIGHT, headers=headers)
                assert answer.json()["reason"] == "receipt_unknown"
                bare = await client.post(f"http://{host}:{port}/receipt", json=RIGHT)
                assert bare.json()["reason"] == "client_unknown"
            named = headers | {"Host": f"rebound.example:{port}"}
            answer = await client.post(f"http://127.0.0.1:{port}/receipt", json=RIGHT, headers=named)
            assert answer.json()["reason"] == "csrf"


async def test_the_fetch_of_node_is_no_browser(place: Place) -> None:
    port, file = free_port(), place.folder / "secret"
    program = """
    const headers = { "Content-Type": "application/json", Authorization: "Bearer " + process.env.SECRET };
    const call = { method: "POST", headers, body: JSON.stringify({ ticket: "t", status: 200 }) };
    fetch(process.env.ADDRESS, call).then((answer) => answer.json()).then((found) => console.log(found.reason));
    """
    with sidecar(place, "--listen", f"127.0.0.1:{port}", "--secret-file", str(file)) as running:
        until_open(("127.0.0.1", port), running)
        environment = {"ADDRESS": f"http://127.0.0.1:{port}/receipt", "SECRET": file.read_text("utf-8").strip()}
        done = await asyncio.to_thread(
            subprocess.run, ["node", "-e", program], env={**os.environ, **environment}, capture_output=True, text=True,
            timeout=30, check=True,
        )  # fmt: skip
    assert done.stdout == "receipt_unknown\n"


async def test_it_ends_in_order_and_the_next_one_takes_its_socket(place: Place) -> None:
    with sidecar(place) as running:
        assert mode(place.socket) == 0o600
        running.terminate()
        assert await until_ended(running) in {0, -signal.SIGTERM}
    with sidecar(place):
        assert mode(place.socket) == 0o600
        async with asking(place) as client:
            assert (await client.post("/receipt", json=RIGHT)).json()["reason"] == "receipt_unknown"
