"""Reads the literal run out of the specification's text, as someone who knows nothing of how it was made."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.spec.literal import ROOT
from tests.spec.telling import MARKS

RUN = (ROOT / "spec" / "oneact.md").read_text().partition(MARKS[0])[2].partition(MARKS[1])[0]


@dataclass
class Message:
    """A request or an answer: its first line in words, its headers by name, its body."""

    start: list[str]
    headers: dict[str, str]
    body: str

    @property
    def url(self) -> str:
        """Give the address of a request."""
        return f"https://{self.headers['Host']}{self.start[1]}"

    @property
    def status(self) -> int:
        """Give the status of an answer."""
        return int(self.start[1])

    def form(self) -> dict[str, str]:
        """Give the fields of a form; an empty one for any other body."""
        typed = self.headers.get("Content-Type") == "application/x-www-form-urlencoded"
        return dict(parse_qsl(self.body, strict_parsing=True)) if typed else {}

    def json(self) -> Any:
        """Give a JSON body."""
        return json.loads(self.body)


def messages() -> Iterator[Message]:
    """Give every message of the run."""
    for block in re.findall(r"^```http\n(.*?)\n```$", RUN, re.DOTALL | re.MULTILINE):
        head, _, body = block.partition("\n\n")
        start, *lines = head.split("\n")
        yield Message(start.split(" ", 2), dict(line.split(": ", 1) for line in lines), body)


def exchanges() -> Iterator[tuple[Message, Message | None]]:
    """Give every request with its answer: the next one that is not another's, or None where a page answers."""
    waiting: list[Message] = []
    for message in messages():
        if not message.start[0].startswith("HTTP/"):
            waiting.append(message)
            continue
        if message.status == 303:  # to the form of the service's own page, which is not told
            continue
        yield waiting.pop(), message
    yield from ((message, None) for message in waiting)
