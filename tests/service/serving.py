"""Real servers around an airline: uvicorn for the asynchronous faces, two WSGI servers for the others."""

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import waitress
from tests.service.airline import Airline
from tests.service.world import served
from waitress import wasyncore
from werkzeug.serving import make_server

from oneact.service import wsgi


@contextlib.contextmanager
def serving(airline: Airline, port: int) -> Iterator[None]:
    """Serve an airline until the block ends: Flask by waitress, plain WSGI by werkzeug's threads."""
    if not airline.is_wsgi:
        with served(airline.app, port):
            yield
        return
    assert isinstance(airline.guard, wsgi.Guard)
    run = by_waitress if airline.kind == "flask" else by_werkzeug
    try:
        with run(airline.app, port):
            yield
    finally:
        airline.release.set()
        airline.guard.stop_sync()


@contextlib.contextmanager
def by_waitress(app: Any, port: int) -> Iterator[None]:
    sockets: dict[int, Any] = {}
    server = waitress.create_server(app, map=sockets, host="127.0.0.1", port=port, threads=32)
    thread = threading.Thread(target=server.run)
    thread.start()
    try:
        yield
    finally:
        server.trigger.pull_trigger(lambda: wasyncore.close_all(sockets, ignore_all=True))
        thread.join()
        server.task_dispatcher.shutdown()


@contextlib.contextmanager
def by_werkzeug(app: Any, port: int) -> Iterator[None]:
    server = make_server("127.0.0.1", port, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
