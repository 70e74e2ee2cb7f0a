"""The airline in processes forked off one that has loaded it, and, where it is told so, has served already."""

import os
import sys
import threading
from pathlib import Path

import waitress
from tests.service.airline import Airline

from oneact.service import wsgi


def main() -> None:
    kind, issuer, folder, port, served, *listen = sys.argv[1:]
    airline = Airline(kind, int(port), issuer, Path(folder))
    assert isinstance(airline.guard, wsgi.Guard)
    if served == "served":  # then its loop and store are open
        assert airline.app.test_client().get("/oneact/jwks.json").status_code == 200
    alive, held = os.pipe()
    for number in listen:
        if os.fork() == 0:
            os.close(held)
            threading.Thread(target=end_with, args=[alive], daemon=True).start()
            waitress.serve(airline.app, host="127.0.0.1", port=int(number), threads=16)
    threading.Event().wait()


def end_with(pipe: int) -> None:
    """End when the process that forked this one has ended."""
    os.read(pipe, 1)
    os._exit(0)


if __name__ == "__main__":
    main()
