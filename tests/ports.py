"""Ports for the servers of a test: each worker its own, and none that the system takes for an outgoing connection."""

import itertools
import os
import socket

_WORKER = int("".join(filter(str.isdigit, os.environ.get("PYTEST_XDIST_WORKER", ""))) or "0")
_EACH = 1000  # ports of one worker, used in turn
_FIRST = 20_000 + _EACH * (_WORKER % 12)
_turns = itertools.count(os.getpid())  # two runs at once begin at two places


def free_port() -> int:
    """Give a port of loopback on which nothing listens; none is given twice before all others were."""
    for turn in itertools.islice(_turns, _EACH):
        port = _FIRST + turn % _EACH
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        return port
    raise OSError("no port is free")
