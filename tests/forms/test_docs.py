"""The service of docs/forms.md runs as it stands there, and every argument is named."""

from __future__ import annotations

import importlib.util
import inspect
import re
from typing import TYPE_CHECKING
from urllib.parse import urljoin

import httpx

from oneact.service.django import Guard as DjangoGuard
from oneact.service.fastapi import Guard
from oneact.service.flask import Guard as FlaskGuard
from tests.embedded.notes import enrol
from tests.forms.air import request_in
from tests.ports import free_port
from tests.server.peers import RunningServer, serving
from tests.server.visitor import Visitor
from tests.spec.literal import ROOT

if TYPE_CHECKING:
    from pathlib import Path
    from types import ModuleType

    import pytest

TEXT = (ROOT / "docs" / "forms.md").read_text("utf-8")
[SITE] = re.findall(r"```python\n# air\.py\n(.*?)```", TEXT, re.DOTALL)


def loaded(folder: Path) -> ModuleType:
    """Give the document's file as a module."""
    file = folder / "form_air.py"
    file.write_text(SITE)
    spec = importlib.util.spec_from_file_location("form_air", file)
    assert spec is not None
    assert spec.loader is not None
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_service_books_what_was_approved(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("PORT", str(port))
    monkeypatch.setenv("AIR_FOLDER", str(tmp_path))
    site = loaded(tmp_path)
    with serving(site.app, port):
        url = f"http://localhost:{port}"
        person = Visitor(RunningServer(url + "/approve", None, None, tmp_path))  # type: ignore[arg-type]  # another app
        cookie = httpx.get(url + "/login").cookies["air"]
        person.http.cookies.set("air", cookie, domain="localhost.local")
        enrol(person)
        limits = httpx.Limits(max_keepalive_connections=0)
        browser = httpx.Client(base_url=url, headers={"Origin": url}, cookies={"air": cookie}, limits=limits)
        assert "action=/book" in browser.get("/").text
        address = browser.post("/book", data={"to": "NYC", "date": "2024-03-01"}).headers["location"]
        person.approve(request_in(browser.get(address).text))
        browser.get(address + "?wait=1")
        assert browser.get(address).headers["location"] == "/booked?to=NYC"
        assert browser.get("/booked?to=NYC").text == "Booked: NYC"
        for elsewhere in ("//evil.example", "/\\evil.example", "/\t/evil.example", "https://evil.example"):
            target = browser.get("/login", params={"next": elsewhere}).headers["location"]
            assert urljoin(url, target.replace("\\", "/")).startswith(url + "/")
        assert browser.get("/login", params={"next": "/approve/"}).headers["location"] == "/approve/"


def test_every_argument_is_named() -> None:
    for face in (Guard, FlaskGuard, DjangoGuard):
        missing = [name for name in inspect.signature(face.form).parameters if f"`{name}`" not in TEXT]
        assert [name for name in missing if name not in {"self", "name"}] == []
