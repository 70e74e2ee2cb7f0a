"""The guard's settings are looked at when it is made."""

from pathlib import Path
from typing import Any

import pytest

from oneact.service import LINKED, Guard


def made(folder: Path, **changes: Any) -> Guard:
    settings: dict[str, Any] = {
        "resource": "https://air.example", "name": "Air", "key": folder / "k.jwk", "store": folder / "s.db",
        "account": lambda _: None, "issuers": ["https://approve.example"],
    }  # fmt: skip
    return Guard(**(settings | changes))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"resource": "air.example"}, "resource= 'air.example' is no address"),
        ({"resource": "https://"}, "is no address"),
        ({"resource": "http://air.example"}, "needs https"),
        ({"resource": "https://air.example?x=1"}, "no final slash, query"),
        ({"resource": "https://air.example?"}, "no final slash, query"),
        ({"resource": "https://me@air.example"}, "fragment or user"),
        ({"resource": "https://ärzte.example"}, "character"),
        ({"resource": "https://air.example:99999"}, "ort"),
        ({"issuers": "https://approve.example"}, r"issuers= is a list, as in issuers=\['https://approve.example'\]"),
        ({"issuers": ["https://approve.example/"]}, "an entry of issuers= .* no final slash"),
        ({"issuers": ["http://approve.example"]}, "an entry of issuers= .* needs https"),
        ({"issuers": ["http://localhost:8400"]}, "an entry of issuers= .* needs https"),
        ({"issuers": [None]}, "an entry of issuers= is a text"),
        ({"private_hosts": "approve"}, r"private_hosts= is a list"),
        ({"name": ""}, "name= has 1 to 80 characters"),
        ({"name": "x" * 81}, "this one 81"),
        ({"login_uri": "login"}, "login_uri= 'login' is a path"),
        ({"login_uri": "javascript:alert(1)"}, "is a path"),
        ({"terms_per_minute": 0}, "terms_per_minute= is at least 1"),
    ],
)
def test_a_setting_that_could_not_work_is_told_when_the_guard_is_made(
    tmp_path: Path, changes: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValueError, match=said):
        made(tmp_path, **changes)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "changes",
    [
        {"resource": "https://air.example/api"},
        {"resource": "http://localhost:8500"},
        {"resource": "http://127.0.0.1"},
        {"resource": "http://air:8000", "private_hosts": ["air"]},
        {"resource": "http://localhost:1", "issuers": ["http://localhost:8400", "https://approve.example/tenant"]},
        {"issuers": ["http://localhost:8400"], "private_hosts": ["localhost"]},
        {"issuers": ("http://approve:8400",), "private_hosts": {"approve"}},
        {"issuers": LINKED},
        {"login_uri": "/login?next=/oneact/link"},
        {"login_uri": "https://air.example/login"},
    ],
)
def test_every_setting_that_can_work_is_taken(tmp_path: Path, changes: dict[str, Any]) -> None:
    guard = made(tmp_path, **changes)
    assert guard.resource == changes.get("resource", "https://air.example")


def test_a_final_slash_of_the_services_own_identifier_is_left_out(tmp_path: Path) -> None:
    assert made(tmp_path, resource="https://air.example/").resource == "https://air.example"
