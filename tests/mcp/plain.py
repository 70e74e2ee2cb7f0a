"""Serve the plain server over streamable HTTP: `python -m tests.mcp.plain PORT`."""

import sys

import uvicorn

from tests.mcp.everything import Events, everything

if __name__ == "__main__":
    app = everything().streamable_http_app(event_store=Events(), retry_interval=50, host="127.0.0.1")
    uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
