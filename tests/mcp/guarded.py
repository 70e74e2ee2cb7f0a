"""Serve the plain server behind our guard: `python -m tests.mcp.guarded ISSUER FOLDER PORT`.

One of the tools that the runner calls needs an approval, the others are allowed.
"""

import sys
import time
from pathlib import Path

import uvicorn

from oneact.service.mcp import Guard, LocalAccount
from tests.mcp.everything import Events, everything
from tests.mcp.judge import POLICY


def owner(_request: object) -> LocalAccount:
    """Everybody is ada here: whom the caller may be is the host's own affair."""
    return LocalAccount("ada", "ada@example", int(time.time()))


if __name__ == "__main__":
    issuer, folder, port = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    guard = Guard(
        resource=f"http://localhost:{port}", name="Everything", key=folder / "everything.jwk",
        store=folder / "everything.db", account=owner, issuers=[issuer], login_uri="/login",
    )  # fmt: skip
    server = everything()
    guard.protect(server, POLICY)
    app = server.streamable_http_app(event_store=Events(), retry_interval=50, host="127.0.0.1")
    uvicorn.run(guard.around(app, "/mcp"), host="127.0.0.1", port=port, log_level="warning")
