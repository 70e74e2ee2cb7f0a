"""Messages that really arrive: files, a pushed git repository, a webhook, an e-mail."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import subprocess
import threading
from pathlib import Path
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route

from oneact import notify
from oneact.errors import Reason
from oneact.notify import Address, Means, Message
from tests.ports import free_port
from tests.protocol.refusing import expect_refusal
from tests.server.peers import serving

SECRET = "whsec_" + base64.b64encode(b"s" * 32).decode()
MESSAGE = Message("m1", "log.checkpoint", 7, "0000000300.txt", "300 entries", "note\n\u2014 sig\n", {"size": 300})


def send(address: str, **means: Any) -> None:
    notify.send(notify.parse(address), MESSAGE, Means(**means), 1_800_000_000)


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("file:/a/b", Address("file", "/a/b")),
        ("file:///a/b", Address("file", "/a/b")),
        ("git:/a", Address("git", "/a")),
        ("https://a.example/x?y", Address("webhook", "https://a.example/x?y")),
        ("mailto:ada@a.example", Address("mail", "ada@a.example")),
    ],
)
def test_an_address_is_read(text: str, address: Address) -> None:
    assert notify.parse(text) == address


@pytest.mark.parametrize(
    "text", ["", "a", "file:a", "file://host/a", "ftp://a", "https://", "mailto:", "mailto:a", "mailto:a@b,c@d"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with expect_refusal(Reason.REQUEST_MALFORMED):
        notify.parse(text)


def test_a_file_is_written_whole(tmp_path: Path) -> None:
    send(f"file:{tmp_path}/deep/er")
    assert [file.read_text() for file in (tmp_path / "deep" / "er").iterdir()] == [MESSAGE.text]
    (tmp_path / "taken").write_text("")
    with expect_refusal(Reason.METADATA_UNREACHABLE):
        send(f"file:{tmp_path}/taken")


def git(*arguments: str) -> str:
    return subprocess.run(["git", *arguments], capture_output=True, text=True, check=True).stdout


def test_a_commit_is_made_and_pushed(tmp_path: Path) -> None:
    bare, tree = tmp_path / "bare", tmp_path / "tree"
    git("init", "-q", "--bare", str(bare))
    git("init", "-q", "-b", "main", str(tree))
    send(f"git:{tree}")  # nowhere to push to yet
    git("-C", str(tree), "remote", "add", "origin", str(bare))
    git("-C", str(tree), "push", "-q", "-u", "origin", "main")
    (tree / MESSAGE.name).write_text("older")
    git("-C", str(tree), "-c", "user.name=a", "-c", "user.email=a", "commit", "-aqm", "older")
    for _ in range(2):
        send(f"git:{tree}")
    assert git("-C", str(bare), "log", "--format=%s", "main").split("\n")[:3] == ["300 entries", "older", "300 entries"]
    assert git("-C", str(bare), "show", f"main:{MESSAGE.name}") == MESSAGE.text
    with expect_refusal(Reason.METADATA_UNREACHABLE):
        send(f"git:{tmp_path}")


def test_a_webhook_is_signed_so_that_its_taker_can_tell() -> None:
    taken: list[tuple[dict[str, str], bytes]] = []
    status = [204]

    async def take(request: Any) -> Response:
        taken.append((dict(request.headers), await request.body()))
        return Response(status_code=status[0])

    port = free_port()
    url = f"http://localhost:{port}/hook"
    with serving(Starlette(routes=[Route("/hook", take, methods=["POST"])]), port):
        send(url, webhook_secret=SECRET, private_hosts={"localhost"})
        [(headers, body)] = taken
        signed = f"{headers['webhook-id']}.{headers['webhook-timestamp']}.".encode() + body
        expected = base64.b64encode(hmac.digest(b"s" * 32, signed, hashlib.sha256)).decode()
        assert headers["webhook-signature"] == f"v1,{expected}"
        assert (headers["webhook-id"], headers["webhook-timestamp"]) == ("m1", "1800000000")
        assert json.loads(body) == {"type": "log.checkpoint", "timestamp": 7, "data": {"size": 300}}
        status[0] = 500
        with expect_refusal(Reason.METADATA_UNREACHABLE):
            send(url, webhook_secret=SECRET, private_hosts={"localhost"})
        for secret in ("", "whsec_!", "whsec_AAAA", SECRET.removeprefix("whsec_")):
            with expect_refusal(Reason.REQUEST_MALFORMED):
                send(url, webhook_secret=secret, private_hosts={"localhost"})


class MailServer:
    """As much of SMTP as one letter needs (RFC 5321), on loopback."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.letters: list[str] = []
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def _serve(self) -> None:
        connection, _ = self.socket.accept()
        with connection, connection.makefile("rwb") as lines:
            self._say(lines, "220 here")
            while (line := lines.readline()) and not line.upper().startswith(b"QUIT"):
                if line.upper().startswith(b"DATA"):
                    self._say(lines, "354 go on")
                    letter = []
                    while (part := lines.readline()) != b".\r\n":
                        letter.append(part.decode())
                    self.letters.append("".join(letter))
                self._say(lines, "250 fine")
            self._say(lines, "221 bye")

    @staticmethod
    def _say(lines: Any, text: str) -> None:
        lines.write(text.encode() + b"\r\n")
        lines.flush()


def test_an_e_mail_is_handed_to_the_mail_server() -> None:
    server = MailServer()
    send("mailto:ada@a.example", smtp_url=f"smtp://localhost:{server.port}")
    server.thread.join(5)
    server.socket.close()
    [letter] = server.letters
    assert "To: ada@a.example" in letter
    assert "Subject: 300 entries" in letter
    for url in ("", "https://a", f"smtp://localhost:{server.port}"):
        with expect_refusal(Reason.METADATA_UNREACHABLE):
            send("mailto:ada@a.example", smtp_url=url)
