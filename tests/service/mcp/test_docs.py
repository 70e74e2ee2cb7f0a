"""The samples of docs/mcp.md run as they stand there, and the specification's section on tools says what is so."""

from __future__ import annotations

import inspect
import json
import re
import tomllib
from typing import Any

import pytest
from tests.spec.literal import ROOT

from oneact.agent.mcp import call_tool
from oneact.protocol import base64url, receipt, tool
from oneact.service.mcp import Guard

pytest_plugins = ["pytester"]
TEXT = (ROOT / "docs" / "mcp.md").read_text("utf-8")
SPEC = (ROOT / "spec" / "oneact.md").read_text("utf-8").partition("### 6.7 Tools")[2].partition("\n## 7")[0]
FILES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", TEXT, re.DOTALL))


def test_the_whole_server_passes_its_whole_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{name: FILES[name] for name in ("server", "test_server")})
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=2)


@pytest.mark.parametrize("function", [Guard.tool, Guard.protect, Guard.around, call_tool])
def test_every_argument_is_named(function: Any) -> None:
    named = [
        found.name for found in inspect.signature(function).parameters.values() if found.kind is found.KEYWORD_ONLY
    ]
    assert [name for name in named if not re.search(rf"`{name}\b|\b{name}=|\({name}\b|, {name}\b", TEXT)] == []


def test_the_extra_brings_what_the_face_imports() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert [re.split("[<>=]", item)[0] for item in extras["mcp"]] == ["mcp", "pydantic"]


def test_the_specification_names_every_member() -> None:
    members = [tool.AUTHORIZATION, tool.PROOF, tool.ACCEPT, tool.RECEIPT, tool.SALT, tool.PENDING, tool.REFUSED]
    assert [member for member in members if f"`{member}`" not in SPEC] == []


def test_the_specifications_result_has_its_octets_and_digest() -> None:
    result = json.loads(re.findall(r"```json\n(.*?)```", SPEC, re.DOTALL)[1])
    octets, digest = re.findall(r"has the octets `(.*?)` and the `result_digest` `(.*?)`", SPEC)[0]
    assert tool.octets(result).decode() == octets
    assert receipt.result_digest(base64url.decode(result["_meta"][tool.SALT]), octets.encode()) == digest
