"""Attacks on the pure checks: whole requests of the specification's vectors, each with one thing wrong."""

import json
from typing import Any

from tests.spec.literal import ROOT
from tests.vectors.run import outcome

_FILES: dict[str, dict[str, Any]] = {}


def played(name: str, kind: str = "check") -> str:
    """Run the vector of that name and give the reason of its refusal; the honest request beside it has to pass."""
    honest = next(item for item in _vectors(kind).values() if "expect" in item)
    assert outcome(kind, honest) == {"expect": honest["expect"]}
    return str(outcome(kind, vector(name, kind)).get("reason"))


def vector(name: str, kind: str) -> dict[str, Any]:
    """Give the vector of that name."""
    return dict(_vectors(kind)[name])


def _vectors(kind: str) -> dict[str, Any]:
    if kind not in _FILES:
        document = json.loads((ROOT / "spec" / "vectors" / f"{kind}.json").read_text())
        _FILES[kind] = {item["name"]: item for item in document["vectors"]}
    return _FILES[kind]
