from __future__ import annotations

import re
import subprocess
import sys
import tomllib

import pytest

from oneact.cli import _INSTALL
from tests.spec.literal import ROOT

EXTRAS = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
DOCUMENTS = ["README.md", "docs/agent.md", "docs/settings.md", "docs/sidecar.md"]


def without(module: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command where a module cannot be imported."""
    program = f"import sys; sys.modules[{module!r}] = None; from oneact.cli import main; main()"
    return subprocess.run(
        [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=60, check=False
    )


@pytest.mark.parametrize(
    ("module", "arguments", "extras"),
    [
        ("typer", ["--help"], "oneact[agent,cli]"),
        ("httpx", ["agent", "list"], "oneact[agent,cli]"),
        ("httpx", ["agent", "act", "https://air.example", "book_flight"], "oneact[agent,cli]"),
        ("uvicorn", ["serve"], "oneact[cli,server]"),
        ("webauthn", ["serve"], "oneact[cli,server]"),
        ("uvicorn", ["sidecar"], "oneact[cli,server]"),
    ],
)
def test_what_is_not_installed_is_named_in_one_sentence(module: str, arguments: list[str], extras: str) -> None:
    done = without(module, *arguments)
    assert done.returncode == 2
    assert len(done.stderr.splitlines()) == 1
    assert f'pip install "{extras}"' in done.stderr


def test_a_module_that_no_extra_brings_is_a_fault_and_shown_as_one() -> None:
    done = without("oneact.cli.explain", "explain", "denied")
    assert done.returncode == 1
    assert "Traceback" in done.stderr


def test_an_explanation_needs_neither_agent_nor_server() -> None:
    for module in ("httpx", "uvicorn"):
        assert without(module, "explain", "denied").returncode == 0


def test_the_extras_that_are_named_bring_what_was_missing() -> None:
    for module, line in _INSTALL.items():
        for extras in re.findall(r"\[([a-z,]+)\]", line):
            brought = [re.split(r"[<>=]", item)[0] for name in extras.split(",") for item in EXTRAS[name]]
            assert module in brought


@pytest.mark.parametrize("name", DOCUMENTS)
def test_every_install_line_in_the_documents_names_extras_that_there_are(name: str) -> None:
    lines = re.findall(r'pip install "(?:oneact|\.)\[([a-z,]+)\]"', (ROOT / name).read_text("utf-8"))
    assert lines
    assert {extra for line in lines for extra in line.split(",")} <= set(EXTRAS)
