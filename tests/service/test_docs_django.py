"""The samples of docs/django.md run as they stand there, and every argument is named there or in docs/service.md."""

import inspect
import re
import tomllib
from typing import Any

import pytest
from tests.spec.literal import ROOT

from oneact.service import django, wsgi
from oneact.service.django import Guard, middleware, serializers
from oneact.service.fastapi import Guard as FastApiGuard

pytest_plugins = ["pytester"]
TEXT = (ROOT / "docs" / "django.md").read_text("utf-8")
SETTINGS = (ROOT / "docs" / "service.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# ([\w/]+)\.py\n(.*?)```", TEXT, re.DOTALL))
EXAMPLE = {"notes/settings": "settings", "notes/models": "models", "notes/urls": "urls"}
MORE = """
import json
from test_notes import *
from django.test import override_settings
from rest_framework.permissions import IsAuthenticated
from rest_framework.views import APIView

APIView.permission_classes = [IsAuthenticated]


def of(urlconf):
    return override_settings(ROOT_URLCONF=urlconf)


def done(client, approver, agent, method, path, note=None):
    def send(headers):
        body = "" if note is None else json.dumps(note)
        return client.generic(method, path, body, "application/json", headers=headers)

    asked = send(approver.accept).json()
    actions = client.get("/oneact/actions").json()
    token = approver.approve(asked["transaction_challenge"], actions, agent, int(time.time()))
    return send(agent.headers(method, urls.guard.resource + path, token, int(time.time())))


@of("notes.classes")
def test_classes(client, oneact_approver, oneact_agent):
    note = {"title": "Down", "text": ""}
    assert done(client, oneact_approver, oneact_agent, "POST", "/notes", note).status_code == 201
    assert "Down" in client.get("/notes").json()["titles"]


@of("notes.reads")
def test_reads(client, oneact_approver, oneact_agent):
    note = {"title": "Read me", "text": ""}
    assert done(client, oneact_approver, oneact_agent, "POST", "/notes", note).status_code == 201
    listed, now = client.get("/oneact/actions").json()["reads"], int(time.time())
    token = oneact_approver.read_token(urls.guard.resource, listed, oneact_agent, now)
    for query, titles in (("?q=Read", ["Read me"]), ("?q=x", [])):
        headers = oneact_agent.headers("GET", urls.guard.resource + "/notes/all", token, now)
        assert client.get("/notes/all" + query, headers=headers).json() == {"titles": titles}
    assert client.get("/notes/all").json()["reason"] == "read_token_required"


@of("notes.rest")
def test_rest(client, oneact_approver, oneact_agent):
    made = done(client, oneact_approver, oneact_agent, "POST", "/api/notes", {"title": "REST", "text": ""})
    assert (made.status_code, list(made.json())) == (201, ["id"])
    assert client.get("/api/all").status_code == 403
    client.get("/login")
    assert client.get("/api/all").json() == {"titles": ["REST"]}
    client.logout()
    assert done(client, oneact_approver, oneact_agent, "DELETE", "/api/all").status_code == 204
    client.get("/login")
    assert client.get("/api/all").json() == {"titles": []}
"""


def write(pytester: pytest.Pytester, **more: str) -> None:
    pytester.mkpydir("notes")
    for name, text in {**FILES, **more}.items():
        (pytester.path / f"{name}.py").write_text(text, "utf-8")


def test_the_whole_site_passes_its_whole_test(pytester: pytest.Pytester) -> None:
    write(pytester)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=4)


@pytest.mark.parametrize("test", ["test_classes", "test_reads", "test_rest"])
def test_the_views_of_classes_and_of_rest_framework_run_too(pytester: pytest.Pytester, test: str) -> None:
    write(pytester, test_more=MORE)
    pytester.runpytest_subprocess("-q", f"test_more.py::{test}").assert_outcomes(passed=1)


def test_the_example_is_what_stands_there() -> None:
    for name, file in EXAMPLE.items():
        assert FILES[name] == (ROOT / "examples" / "django_notes" / f"{file}.py").read_text("utf-8")
    assert FILES.keys() == {*EXAMPLE, "notes/classes", "notes/reads", "notes/rest", "test_notes"}


def test_every_argument_is_that_of_the_other_faces_and_the_method() -> None:
    ours, theirs = (inspect.signature(guard.action).parameters.keys() for guard in (Guard, FastApiGuard))
    assert theirs - ours == {"reads"}
    assert ours - theirs == {"method"}
    assert [name for name in ours - {"self"} if f"`{name}`" not in SETTINGS + TEXT] == []


def test_a_read_takes_what_it_takes_in_the_other_faces() -> None:
    ours, theirs = (inspect.signature(guard.read).parameters.keys() for guard in (Guard, FastApiGuard))
    assert ours == theirs


@pytest.mark.parametrize("method", [wsgi.Guard.stop_sync, wsgi.Guard.settle_sync, wsgi.Guard.unlink_sync, Guard.bind])
def test_what_a_thread_calls_is_named(method: Any) -> None:
    assert f"guard.{method.__name__}(" in TEXT


def test_the_setting_and_the_classes_are_named() -> None:
    assert middleware.SETTING in TEXT
    assert f"{django.__name__}.{django.Middleware.__name__}" in TEXT
    assert django.GuardedMixin.__name__ in TEXT
    assert "HiddenField" in TEXT
    assert serializers.UNSHOWN


def test_the_extra_brings_what_the_face_imports() -> None:
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert [re.split("[<>=]", item)[0] for item in extras["django"]] == ["django", "pydantic"]
