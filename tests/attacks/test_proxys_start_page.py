"""Web pages of other sites, and names bent to this machine, at the page by which a proxy gets its person."""

from __future__ import annotations

import httpx
import pytest


def sign_in(address: str, **headers: str) -> httpx.Response:
    page, _, secret = address.partition("?")
    return httpx.post(page, data={"secret": secret}, headers=headers)


def signed_in(address: str) -> bool:
    """Tell whether the secret still opens the page, and opens it once."""
    found = sign_in(address)
    cookie = found.headers.get("set-cookie", "")
    return found.status_code == 303 and "HttpOnly" in cookie and "SameSite=Lax" in cookie


def test_who_comes_by_the_secret_is_signed_in_once(start: str) -> None:
    for _ in range(2):  # to look uses nothing up
        assert httpx.get(start).status_code == 200
    assert signed_in(start)
    assert sign_in(start).status_code == 403
    assert httpx.get(start).status_code == 403


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_form_of_another_site_signs_nobody_in(start: str, headers: dict[str, str]) -> None:
    refused = sign_in(start, **headers)
    assert (refused.status_code, refused.json()["reason"]) == (403, "csrf")
    assert signed_in(start)


@pytest.mark.parametrize("host", ["evil.example", "evil.example:80", "localhost", "localhost:1"])
@pytest.mark.parametrize("path", ["", "/oneact/link", "/.well-known/oauth-protected-resource"])
def test_another_name_for_this_machine_is_answered_nothing(start: str, host: str, path: str) -> None:
    address = start if not path else start.partition("/oneact/")[0] + path
    found = httpx.get(address, headers={"Host": host})
    assert (found.status_code, found.json()["reason"]) == (404, "address_unknown")


@pytest.mark.parametrize("secret", ["", "x", "é"])
def test_another_secret_opens_nothing(start: str, secret: str) -> None:
    page = start.partition("?")[0]
    assert httpx.get(f"{page}?{secret}").status_code == 403
    assert httpx.post(page, data={"secret": secret}).status_code == 403
    assert signed_in(start)
