"""A tool server as many are: it finds the members of a message whatever the case of their names, and takes the last."""

from __future__ import annotations

import json
import runpy
import sys
from pathlib import Path
from typing import Any, cast

EXACT = {
    name.casefold(): name for name in ("jsonrpc", "id", "method", "params", "name", "arguments", "protocolVersion")
}


def folded(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {EXACT.get(name.casefold(), name): value for name, value in pairs}


sys.stdin = cast("Any", (json.dumps(json.loads(line, object_pairs_hook=folded)) for line in sys.stdin))
runpy.run_path(str(Path(__file__).parents[1] / "gateway" / "raw.py"))
