"""A witness that looks at a log from outside, over HTTP."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from starlette.applications import Starlette
from starlette.staticfiles import StaticFiles

from oneact.errors import Reason
from oneact.log import tiles, tree
from oneact.log.checkpoint import Checkpoint, Verifier, sign
from oneact.log.tiles import ENTRIES, Tile
from tests.ports import free_port
from tests.server.peers import serving
from tests.tlog.lived import command

KEY = Ed25519PrivateKey.from_private_bytes(b"w" * 32)


class Published:
    """A log as static files in the layout of tlog-tiles, which is all that a log has to be."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self.origin = f"localhost:{self.port}/log"
        self.url = "http://" + self.origin

    def publish(self, entries: list[bytes], key: Ed25519PrivateKey = KEY) -> None:
        shutil.rmtree(self.folder / "log", ignore_errors=True)
        edge: dict[int, bytes] = {}
        for (level, number), octets in tiles.append(edge, 0, [tree.leaf_hash(entry) for entry in entries]).items():
            self.write("tile/" + Tile(level, number, len(octets) // 32).path(), octets)
        for number in range(-(-len(entries) // 256)):
            bundle = entries[number * 256 : (number + 1) * 256]
            self.write("tile/" + Tile(ENTRIES, number, len(bundle)).path(), tiles.bundle(bundle))
        point = Checkpoint(self.origin, len(entries), tiles.root_of_edge(edge))
        self.write("checkpoint", sign(point, key).encode())
        self.write("key", Verifier(self.origin, key.public_key()).line().encode())

    def write(self, name: str, octets: bytes) -> None:
        file = self.folder / "log" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(octets)


@pytest.fixture
def log(tmp_path: Path) -> Published:
    return Published(tmp_path / "served")


LEAVES = [b"%032d" % number for number in range(700)]


def test_a_witness_keeps_what_continues_and_refuses_what_does_not(log: Published, tmp_path: Path) -> None:
    log.publish(LEAVES[:300])
    keep = tmp_path / "kept"
    app = Starlette()
    app.mount("/", StaticFiles(directory=log.folder))
    with serving(app, log.port):
        code, output = command("log", "watch", log.url, "--keep", str(keep))
        assert code == 0, output
        assert "taken on trust" in output
        for size in (300, 512, 700):
            log.publish(LEAVES[:size])
            code, output = command("log", "watch", log.url, "--keep", str(keep))
            assert (code, f"{size} entries" in output, "trust" in output) == (0, True, False), output
        kept = keep.read_text()
        forks = {
            "rewritten": ([*LEAVES[:5], b"x" * 32, *LEAVES[6:]], KEY, Reason.LOG_CONSISTENCY),
            "rewritten and grown": ([*LEAVES[:5], b"x" * 32, *LEAVES[6:], b"y" * 32], KEY, Reason.LOG_CONSISTENCY),
            "rolled back": (LEAVES[:600], KEY, Reason.LOG_CONSISTENCY),
            "another key": (LEAVES, Ed25519PrivateKey.generate(), Reason.LOG_SIGNATURE),
        }
        for name, (entries, key, reason) in forks.items():
            log.publish(entries, key)
            code, output = command("log", "watch", log.url, "--keep", str(keep))
            assert (code, f"({reason.value}" in output) == (1, True), f"{name}: {output}"
            assert keep.read_text() == kept, name
        log.publish(LEAVES)
        key_file = tmp_path / "kept.key"
        code, output = command("log", "verify", log.url, "--key", str(key_file), "--against", str(keep))
        assert (code, "passed  root" in output) == (0, True), output
        log.write("tile/entries/001", tiles.bundle([b"z" * 32, *LEAVES[257:512]]))
        code, output = command("log", "verify", log.url, "--key", str(key_file))
        assert (code, "(log_root" in output) == (1, True), output
    code, output = command("log", "watch", log.url, "--keep", str(keep))
    assert (code, "metadata_unreachable" in output) == (1, True)
