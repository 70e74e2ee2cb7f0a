"""The house holds: what no linter looks at."""

from __future__ import annotations

import re
import subprocess
import tomllib

import pytest

import oneact
import oneact.agent
import oneact.server
import oneact.service
import oneact.testing
from tests.spec.literal import ROOT

FILES = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()
SOURCES = [name for name in FILES if name.startswith("src/") and name.endswith(".py")]


def read(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


@pytest.mark.parametrize("name", [name for name in FILES if name.startswith("requirements/") and name.endswith(".txt")])
def test_requirements_are_hashed_and_name_no_hosts(name: str) -> None:
    text = read(name)
    assert "://" not in text
    for block in re.split(r"\n(?=[a-z0-9])", text.strip()):
        assert "==" in block
        assert "--hash=sha256:" in block


def test_no_lock_file_names_where_things_are_fetched_from() -> None:
    assert not {"uv.lock", "poetry.lock", "Pipfile.lock"} & set(FILES)
    locks = [name for name in FILES if name.endswith("package-lock.json")]
    assert [name for name in locks if "://" in read(name) or '"integrity": "sha512-' not in read(name)] == []


@pytest.mark.parametrize("name", SOURCES)
def test_a_file_is_one_thing(name: str) -> None:
    assert len(read(name).splitlines()) <= 500


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".py")])
def test_every_exception_from_a_rule_has_its_reason(name: str) -> None:
    for line in read(name).splitlines():
        found = re.search(r"#\s*noqa(?::\s*[A-Z0-9, ]+)?(.*)$", line)
        assert found is None or found[1].strip(" -"), f"{name}: {line.strip()}"


def test_every_rule_that_is_left_out_has_its_reason() -> None:
    section = read("pyproject.toml").partition("[tool.ruff.lint]")[2].partition("[tool.ruff.format]")[0]
    for line in section.splitlines():
        if re.match(r'\s+"[A-Z]+[0-9]*",', line):
            assert "#" in line, line


def test_the_verifier_needs_two_packages_and_nothing_else() -> None:
    project = tomllib.loads(read("pyproject.toml"))["project"]
    assert [re.split(r"[<>=]", item)[0] for item in project["dependencies"]] == ["cryptography", "rfc8785"]


@pytest.mark.parametrize("door", [oneact, oneact.service, oneact.agent, oneact.server, oneact.testing])
def test_what_a_door_lists_is_there(door: object) -> None:
    names = door.__all__  # type: ignore[attr-defined]
    assert len(set(names)) == len(names)
    assert all(hasattr(door, name) for name in names)


def test_ci_calls_the_test_command_of_the_readme_and_nothing_else() -> None:
    assert read(".ci/run").splitlines()[-1] == "exec make test"
    assert "make test " in read("README.md")


def test_all_links_between_documents_lead_somewhere() -> None:
    for name in FILES:
        if not name.endswith(".md"):
            continue
        folder = (ROOT / name).parent
        prose = re.sub(r"^ *```.*?^ *```$|`[^`\n]*`", "", read(name), flags=re.DOTALL | re.MULTILINE)
        for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", prose):
            assert (folder / target).exists(), f"{name}: {target}"
