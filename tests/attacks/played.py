"""Attacks on the pure checks: whole requests of the specification's vectors, each with one thing wrong."""

import json
from typing import Any

from tests.spec.literal import ROOT
from tests.vectors.run import outcome

_FILES: dict[str, dict[str, Any]] = {}


def played(name: str, kind: str = "check") -> str:
    """Run the vector of that name and give the reason of its refusal; the honest request beside it has to pass."""
    if kind not in _FILES:
        document = json.loads((ROOT / "spec" / "vectors" / f"{kind}.json").read_text())
        _FILES[kind] = {item["name"]: item for item in document["vectors"]}
    honest = next(item for item in _FILES[kind].values() if "expect" in item)
    assert outcome(kind, honest) == {"expect": honest["expect"]}
    return str(outcome(kind, _FILES[kind][name]).get("reason"))
