"""Which functions of the tests assert something: by themselves, or by another function of the tests that they call."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_PYTEST = frozenset({"pytest.raises", "pytest.fail", "pytest.warns"})
_METHOD = re.compile(r".*\.assert_outcomes|expect\(.*\)\.(not_)?to_\w+", re.DOTALL)  # of pytester, of the browser
_Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Module:
    """One file: its functions, and what it imports of other files of the tests, by name."""

    functions: dict[str, _Function] = field(default_factory=dict)
    imported: dict[str, tuple[Path, str]] = field(default_factory=dict)


@cache
def read(path: Path) -> Module:
    """Read one file of the tests."""
    found = Module()
    for node in ast.parse(path.read_text("utf-8")).body:
        if isinstance(node, _Function):
            found.functions[node.name] = node
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("tests."):
            other = ROOT.joinpath(*node.module.split("."))
            for name in node.names:
                found.imported[name.asname or name.name] = (other.with_suffix(".py"), name.name)
    return found


def tests(path: Path) -> list[_Function]:
    """Give the test functions of a file, those of classes too."""
    nodes = ast.walk(ast.parse(path.read_text("utf-8")))
    return [node for node in nodes if isinstance(node, _Function) and node.name.startswith("test")]


def asserts(path: Path, function: ast.AST, above: tuple[tuple[Path, str], ...] = ()) -> bool:
    """Tell whether a function asserts something: what is the same whatever was tested, as `assert True`, is nothing."""
    return any(_is_assertion(node) or _calls_one(path, node, above) for node in ast.walk(function))


def _is_assertion(node: ast.AST) -> bool:
    if isinstance(node, ast.Assert):
        return not isinstance(node.test, ast.Constant)
    if isinstance(node, ast.Raise):
        return node.exc is not None and "AssertionError" in ast.unparse(node.exc)
    if not isinstance(node, ast.Call):
        return False
    named = ast.unparse(node.func)
    return named in _PYTEST or (isinstance(node.func, ast.Attribute) and bool(_METHOD.fullmatch(named)))


def _calls_one(path: Path, node: ast.AST, above: tuple[tuple[Path, str], ...]) -> bool:
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        return False
    module, name = read(path), node.func.id
    at, named = module.imported.get(name, (path, name))
    if (at, named) in above or not at.is_file():
        return False
    function = read(at).functions.get(named)
    return function is not None and asserts(at, function, (*above, (at, named)))
