"""A form of an application that is mounted under a path, which is part of the service's identifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.forms.air import FLIGHT, Air, Browser, person, request_in

if TYPE_CHECKING:
    from pathlib import Path


@pytest.mark.parametrize("path", ["/air", "/caf%C3%A9-%E6%9D%B1"])
@pytest.mark.parametrize("kind", ["fastapi", "flask", "django"])
def test_what_was_approved_runs_once_there_too(kind: str, path: str, tmp_path: Path) -> None:
    air = Air(tmp_path, kind, path=path)
    with air.running():
        ada, browser = person(air), Browser(air)
        address = browser.held()
        assert address.startswith(air.resource + "/oneact/held/")
        assert ada.approve(request_in(browser.http.get(address).text)).status_code == 200
        assert browser.onward(address).headers["location"] == address
    assert air.booked == [("ada", {**FLIGHT, "bags": 0})]
