"""The vectors run on this library as they would on anyone's."""

from __future__ import annotations

import copy
import inspect
import json
import re
import subprocess
import sys
from typing import Any

import pytest

from oneact.errors import Reason
from oneact.protocol import approval
from tests.spec.literal import ROOT
from tests.vectors.run import KINDS, differs

FOLDER = ROOT / "spec" / "vectors"
FILES = {file.stem: json.loads(file.read_text()) for file in sorted(FOLDER.glob("*.json"))}
VECTORS = [(kind, vector) for kind, document in FILES.items() for vector in document["vectors"]]
# What the guard gives between or after the pure checks: it needs to remember, or to ask the service.
GUARDS = {Reason.PROOF_REPLAYED, Reason.TERMS_CHANGED}


@pytest.mark.parametrize(("kind", "vector"), VECTORS, ids=[f"{kind}: {vector['name']}" for kind, vector in VECTORS])
def test_a_vector_comes_out_as_it_says(kind: str, vector: dict[str, Any]) -> None:
    assert differs(kind, vector) == ""


def test_every_kind_has_a_file_with_both_good_and_bad() -> None:
    assert FILES.keys() == KINDS.keys()
    for kind, document in FILES.items():
        assert document.keys() == {"about", "vectors"}
        assert any("expect" in vector for vector in document["vectors"])
        assert kind in {"item", "gesture"} or any("reason" in vector for vector in document["vectors"])


def test_every_code_of_the_numbered_checks_has_a_request_that_gets_it() -> None:
    listed = [*FILES["check"]["vectors"], *FILES["read"]["vectors"]]
    given = {vector["reason"] for vector in listed if "reason" in vector}
    wanted = {reason.value for reason in Reason if 1 <= reason.check <= 10 and reason not in GUARDS}
    assert wanted - given == set()


def test_every_kind_of_gesture_has_a_challenge() -> None:
    assert {vector["tag"] for vector in FILES["gesture"]["vectors"]} == set(approval.TAGS)


def test_no_two_vectors_of_a_file_have_one_name() -> None:
    for document in FILES.values():
        names = [vector["name"] for vector in document["vectors"]]
        assert len(set(names)) == len(names)


def test_a_member_that_a_kind_does_not_know_fails_its_vector() -> None:
    for kind, document in FILES.items():
        vector = copy.deepcopy(document["vectors"][0])
        assert differs(kind, vector) == ""
        assert differs(kind, {**vector, "more": 1}) != ""
        assert differs(kind, {name: value for name, value in vector.items() if name != "expect"}) != ""


def test_the_readme_names_each_kind_with_its_inputs_and_its_outcome() -> None:
    text = (FOLDER / "README.md").read_text()
    rows = dict(re.findall(r"^\| `([a-z_]+)` \| (.*) \|$", text, re.MULTILINE))
    assert rows.keys() == KINDS.keys()
    for kind, run in KINDS.items():
        told = rows[kind] if kind != "check" else rows[kind] + text.partition(rows[kind])[2]
        good = next(vector for vector in FILES[kind]["vectors"] if "expect" in vector)
        named = [*inspect.signature(run).parameters, *good["expect"]]
        assert [name for name in named if f"`{name}`" not in told] == []


def test_another_outcome_fails_its_vector() -> None:
    for kind, document in FILES.items():
        assert differs(kind, {**document["vectors"][0], "expect": {"other": 1}}) != ""


def test_the_script_says_how_many_passed() -> None:
    script = [sys.executable, str(ROOT / "tests" / "vectors" / "run.py"), str(FOLDER)]
    done = subprocess.run(script, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1] == f"{len(VECTORS)} passed, 0 failed"
