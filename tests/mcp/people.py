"""The person of these tests, by a software passkey."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator

import httpx

from tests.flows.test_whole import link
from tests.server.visitor import Visitor


@contextlib.contextmanager
def approving(person: Visitor) -> Iterator[list[str]]:
    """Approve whatever is asked for beside the block; gives the requests that were approved."""
    over, approved = threading.Event(), []

    def decide() -> None:
        while not over.wait(0.02):
            for (request,) in person.server.execute("SELECT id FROM requests WHERE state = 'pending'"):
                assert person.approve(request).status_code == 200
                approved.append(request)

    thread = threading.Thread(target=decide)
    thread.start()
    try:
        yield approved
    finally:
        over.set()
        thread.join()


def link_account(person: Visitor, resource: str, browser: httpx.Client) -> None:
    """Link the account that is signed in in the browser."""
    answer = link(person, resource, browser)
    assert answer.status_code == 200, answer.text
