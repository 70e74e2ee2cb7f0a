"""The samples of docs/flask.md run as they stand there, and every argument is named there or in docs/service.md."""

import inspect
import re
import tomllib
from typing import Any

import pytest
from tests.spec.literal import ROOT

from oneact.cli.flush import flush
from oneact.service import wsgi
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.flask import Guard

pytest_plugins = ["pytester"]
TEXT = (ROOT / "docs" / "flask.md").read_text("utf-8")
SETTINGS = (ROOT / "docs" / "service.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", TEXT, re.DOTALL))
PLAIN = """
import os, tempfile, time
os.environ["NOTES_FOLDER"] = tempfile.mkdtemp()
import httpx
import plain

pytest_plugins = ["oneact.testing.fixtures"]


def test_plain(oneact_approver, oneact_agent):
    oneact_approver.link(plain.guard, "ada")
    with httpx.Client(transport=httpx.WSGITransport(app=plain.app), base_url=plain.guard.resource) as client:
        asked = client.post("/notes", json={"title": "a"}, headers=oneact_approver.accept)
        actions = client.get("/oneact/actions").json()
        token = oneact_approver.approve(asked.json()["transaction_challenge"], actions, oneact_agent, int(time.time()))
        headers = oneact_agent.headers("POST", plain.guard.resource + "/notes", token, int(time.time()))
        answer = client.post("/notes", json={"title": "a"}, headers=headers)
        assert client.get("/oneact/link").status_code == 401
    plain.guard.stop_sync()
    assert answer.json() == {"published": "a", "for": "ada"}
    assert answer.headers["oneact-receipt"]
"""

READS = """
import reads
from test_app import *


def test_reads(client, oneact_approver, oneact_agent):
    oneact_approver.link(notes.guard, "ada")
    client.post("/notes", json=NOTE, headers=approved(client, oneact_approver, oneact_agent, NOTE))
    listed, now = client.get("/oneact/actions").json["reads"], int(time.time())
    token = oneact_approver.read_token(notes.guard.resource, listed, oneact_agent, now)
    for query, titles in (("?q=Mov", ["Moving"]), ("?q=x", [])):
        headers = oneact_agent.headers("GET", notes.guard.resource + "/notes", token, now)
        assert client.get("/notes" + query, headers=headers).json == titles
    assert client.get("/notes").json["reason"] == "read_token_required"
"""


def test_the_whole_application_passes_its_whole_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{name: FILES[name] for name in ("app", "test_app")})
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3)


def test_its_read_runs_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{name: FILES[name] for name in ("app", "reads", "test_app")}, test_reads=READS)
    pytester.runpytest_subprocess("-q", "test_reads.py::test_reads").assert_outcomes(passed=1)


def test_the_service_without_flask_runs_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(plain=FILES["plain"], test_plain=PLAIN)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_example_is_the_file_that_stands_there() -> None:
    assert FILES["app"] == (ROOT / "examples" / "flask_notes" / "app.py").read_text("utf-8")
    assert FILES.keys() == {"app", "test_app", "reads", "plain"}


def test_every_argument_is_that_of_the_other_faces() -> None:
    ours, theirs = (inspect.signature(guard.action).parameters.keys() for guard in (Guard, FastApiGuard))
    assert theirs - ours == {"reads"}
    assert ours <= theirs
    assert [name for name in ours - {"self"} if f"`{name}`" not in SETTINGS] == []


def test_a_read_takes_what_it_takes_in_the_other_faces() -> None:
    ours, theirs = (inspect.signature(guard.read).parameters.keys() for guard in (Guard, FastApiGuard))
    assert ours == theirs


@pytest.mark.parametrize("method", [wsgi.Guard.stop_sync, wsgi.Guard.settle_sync, wsgi.Guard.unlink_sync, Guard.bind])
def test_what_a_thread_calls_is_named(method: Any) -> None:
    assert f"guard.{method.__name__}(" in TEXT


def test_every_option_of_flush_is_named() -> None:
    options = [f"--{name.replace('_', '-')}" for name in inspect.signature(flush).parameters]
    assert [option for option in options if option not in TEXT] == []


def test_the_extra_brings_what_the_face_imports() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert [re.split("[<>=]", item)[0] for item in extras["flask"]] == ["flask", "pydantic"]
