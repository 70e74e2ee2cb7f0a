"""Signing up and in, and what stands around every page."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import httpx
import pytest

from oneact.protocol import approval, base64url, canonical
from oneact.server import Settings, create_app
from oneact.server.pages import shell
from oneact.testing import SoftwarePasskey
from tests.ports import free_port
from tests.server.peers import Clock, RunningServer, serving
from tests.server.visitor import ELSEWHERE, OWN_PAGE, Visitor


@pytest.fixture
def visitor(server: RunningServer) -> Visitor:
    return Visitor(server).sign_up()


def reason(answer: httpx.Response) -> str:
    return str(answer.json()["reason"])


def test_a_person_signs_up_signs_out_and_signs_in_with_the_passkey_alone(visitor: Visitor) -> None:
    assert visitor.get("/inbox").status_code == 200
    assert visitor.submit("/signout").headers["location"] == "/signin"
    assert visitor.get("/inbox").status_code == 303
    assert visitor.sign_in().status_code == 200
    assert "Ada" in visitor.get("/inbox").text


def test_after_signing_out_the_old_cookie_opens_nothing(visitor: Visitor) -> None:
    cookies = dict(visitor.http.cookies)
    visitor.submit("/signout")
    assert httpx.get(visitor.server.url + "/inbox", cookies=cookies).status_code == 303


def test_a_session_ends_by_itself(visitor: Visitor) -> None:
    visitor.server.clock.now += 12 * 3600
    assert visitor.get("/inbox").status_code == 303


def test_the_store_holds_no_session_token(visitor: Visitor) -> None:
    [token] = visitor.http.cookies.values()
    [[kept]] = visitor.server.execute("SELECT id FROM sessions")
    assert token not in kept


def test_a_passkey_that_nobody_registered_signs_nobody_in(visitor: Visitor) -> None:
    stranger = SoftwarePasskey("localhost", visitor.server.url)
    assert reason(visitor.sign_in(stranger)) == "passkey_not_pinned"


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"user_verified": False}, "assertion_uv"),
        ({"user_present": False}, "assertion_up"),
        ({"origin": "http://evil.example"}, "assertion_origin"),
        (ELSEWHERE, "assertion_rp_id"),
        ({"key": SoftwarePasskey("localhost", "http://localhost").key}, "assertion_signature"),
    ],
)
def test_a_login_is_refused_when_the_gesture_is_not_whole(
    visitor: Visitor, changes: dict[str, object], expected: str
) -> None:
    for name, value in changes.items():
        setattr(visitor.passkey, name, value)
    assert reason(visitor.sign_in()) == expected


def test_a_user_handle_of_another_account_signs_nobody_in(visitor: Visitor) -> None:
    for account, status in ((visitor.account, 200), ("another", 401)):
        answer = visitor.sign(visitor.post("/signin/begin").json())
        answer["credential"]["response"]["userHandle"] = base64url.encode(account.encode())
        told = visitor.post("/signin/finish", **answer)
        assert told.status_code == status
    assert reason(told) == "passkey_not_pinned"


def test_a_login_gesture_counts_once(visitor: Visitor) -> None:
    answer = visitor.sign(visitor.post("/signin/begin").json())
    assert visitor.post("/signin/finish", **answer).status_code == 200
    assert reason(visitor.post("/signin/finish", **answer)) == "gesture_unknown"


def test_a_login_gesture_is_stale_after_two_minutes(visitor: Visitor) -> None:
    answer = visitor.sign(visitor.post("/signin/begin").json())
    visitor.server.clock.now += 120
    assert reason(visitor.post("/signin/finish", **answer)) == "gesture_unknown"


def test_an_answer_that_fails_uses_the_gesture_up(visitor: Visitor) -> None:
    begun = visitor.post("/signin/begin").json()
    stranger = SoftwarePasskey("localhost", visitor.server.url)
    assert reason(visitor.post("/signin/finish", **visitor.sign(begun, stranger))) == "passkey_not_pinned"
    assert reason(visitor.post("/signin/finish", **visitor.sign(begun))) == "gesture_unknown"


@pytest.mark.parametrize("alg", ["ES256", "EdDSA", "RS256"])
def test_each_of_the_three_algorithms_registers_and_signs_in(server: RunningServer, alg: str) -> None:
    visitor = Visitor(server)
    visitor.passkey = SoftwarePasskey("localhost", server.url, alg)
    visitor.sign_up()
    assert visitor.sign_in().status_code == 200


def test_es256_is_asked_for_first_and_the_passkey_is_on_the_device_and_verified(server: RunningServer) -> None:
    options = Visitor(server).post("/signup/begin", name="Ada").json()["options"]
    assert [item["alg"] for item in options["pubKeyCredParams"]] == [-7, -8, -257]
    assert options["authenticatorSelection"]["residentKey"] == "required"
    assert options["authenticatorSelection"]["userVerification"] == "required"


@pytest.mark.parametrize("changes", [{"user_verified": False}, {"origin": "http://evil.example"}, ELSEWHERE])
def test_a_registration_is_refused_when_it_is_not_whole(server: RunningServer, changes: dict[str, object]) -> None:
    visitor = Visitor(server)
    for name, value in changes.items():
        setattr(visitor.passkey, name, value)
    started = visitor.post("/signup/begin", name="Ada").json()
    assert reason(visitor.finish_registration("/signup/finish", started)) == "registration_invalid"
    assert server.execute("SELECT count(*) FROM accounts") == [(0,)]


def test_one_passkey_makes_one_account(visitor: Visitor) -> None:
    started = visitor.post("/signup/begin", name="Eve").json()
    assert reason(visitor.finish_registration("/signup/finish", started)) == "registration_invalid"
    assert visitor.server.execute("SELECT count(*) FROM accounts") == [(1,)]


@pytest.mark.parametrize("name", ["", "   ", "x" * 81, 7, None])
def test_a_name_is_a_text_of_a_line(server: RunningServer, name: object) -> None:
    assert reason(Visitor(server).post("/signup/begin", name=name)) == "request_malformed"


PAGES = ("/signin", "/signup", "/inbox", "/history", "/agents", "/services", "/passkeys", "/pair", "/requests/none")


@pytest.mark.parametrize("path", PAGES)
def test_every_page_forbids_framing_and_everything_from_elsewhere(visitor: Visitor, path: str) -> None:
    headers = visitor.get(path).headers
    policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["connect-src"] == policy["form-action"] == "'self'"
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "no-referrer"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["permissions-policy"].count("(self)") == 2
    assert headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/signin", "/inbox", "/pair", "/passkeys"])
def test_no_page_has_a_script_or_style_in_itself(visitor: Visitor, path: str) -> None:
    page = visitor.get(path).text
    assert "<style" not in page
    assert " style=" not in page
    assert page.count("<script") == page.count('<script type="module" src="/static/')


def test_someone_not_signed_in_signs_in_first_and_comes_back(server: RunningServer) -> None:
    answer = Visitor(server).get("/requests/abc", x="1")
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin?next=%2Frequests%2Fabc%3Fx%3D1")


@pytest.mark.parametrize(
    "target", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "evil", ""]
)
def test_nobody_is_sent_elsewhere_after_signing_in(server: RunningServer, target: str) -> None:
    page = Visitor(server).get("/signin", next=target).text
    assert 'data-next="/inbox"' in page


FORMS = ("/signout", "/pair", "/pair/code", "/pair/deny", "/agents/x/block", "/agents/x/remove", "/services/x/unlink")
SCRIPTS = (
    "/signup/begin", "/signup/finish", "/signin/begin", "/signin/finish", "/passkeys/begin", "/passkeys/created",
    "/passkeys/finish", "/passkeys/remove/begin", "/passkeys/remove/finish", "/pair/begin", "/pair/finish",
    "/link/begin", "/link/finish", "/link/deny", "/services/begin", "/services/finish", "/requests/begin",
    "/requests/approve", "/requests/deny",
)  # fmt: skip
FOREIGN = (
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Site": "none"},
    {"Origin": "http://evil.example"},
    {"Origin": "null"},
    {},
)


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_form_that_does_not_come_from_our_own_page_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    for path in FORMS:
        answer = visitor.submit(path, headers)
        assert answer.status_code == 403
        assert ">csrf<" in answer.text
    assert visitor.get("/inbox").status_code == 200


@pytest.mark.parametrize("headers", FOREIGN)
def test_a_script_that_is_not_our_own_is_refused(visitor: Visitor, headers: dict[str, str]) -> None:
    for path in SCRIPTS:
        assert reason(visitor.post(path, {**headers, "OneAct-Page": "1"})) == "csrf"


def test_a_script_has_to_carry_our_header_even_from_our_own_origin(visitor: Visitor) -> None:
    for path in SCRIPTS:
        assert reason(visitor.post(path, OWN_PAGE)) == "csrf"


def test_a_browser_without_fetch_metadata_is_known_by_its_origin(visitor: Visitor) -> None:
    assert visitor.submit("/signout", {"Origin": visitor.server.url}).status_code == 303


def test_a_script_is_answered_for_a_signed_in_person_only(server: RunningServer) -> None:
    for path in SCRIPTS[4:]:
        assert reason(Visitor(server).post(path)) == "session_required"


def test_the_cookie_is_kept_from_scripts_and_carries_the_port(visitor: Visitor) -> None:
    begun = visitor.post("/signin/begin").json()
    cookie = visitor.post("/signin/finish", **visitor.sign(begun)).headers["set-cookie"]
    port = visitor.server.url.rpartition(":")[2]
    assert cookie.startswith(f"oneact-{port}=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= {part.strip() for part in cookie.split(";")}


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://approve.example", "__Host-oneact-443"),
        ("https://approve.example/oneact", "__Secure-oneact-443"),
        ("http://localhost:8400", "oneact-8400"),
    ],
)
def test_the_cookie_is_bound_to_its_host_where_there_is_https(url: str, name: str) -> None:
    assert Settings(public_url=url).session_cookie == name


def signed_value(visitor: Visitor, begun: dict[str, Any]) -> dict[str, Any]:
    [[kept]] = visitor.server.execute("SELECT value FROM gestures WHERE id = ?", begun["gesture"])
    return dict(json.loads(kept)["value"])


def test_a_new_passkey_is_vouched_for_by_one_of_the_account_and_signs_in_then(visitor: Visitor) -> None:
    second = SoftwarePasskey("localhost", visitor.server.url)
    begun = visitor.begin_add(second, "My second phone")
    value = signed_value(visitor, begun)
    assert value.keys() == {"iss", "account", "nonce", "add"}
    assert value["add"] == {**second.credential.members(), "name": "My second phone"}
    assert (value["iss"], value["account"]) == (visitor.server.url, visitor.account)
    assert begun["options"]["challenge"] == base64url.encode(approval.challenge(approval.PASSKEY, value))
    assert [item["id"] for item in begun["options"]["allowCredentials"]] == [visitor.passkey.id]
    assert reason(visitor.sign_in(second)) == "passkey_not_pinned"
    assert visitor.post("/passkeys/finish", **visitor.sign(begun)).status_code == 200
    assert visitor.sign_in(second).status_code == 200
    assert "My second phone" in visitor.get("/passkeys").text


def test_a_passkey_that_the_account_has_is_not_made_again(visitor: Visitor) -> None:
    begun = visitor.post("/passkeys/begin", name="Second").json()
    assert [item["id"] for item in begun["options"]["excludeCredentials"]] == [visitor.passkey.id]
    again = visitor.begin_add(visitor.passkey)
    assert reason(visitor.post("/passkeys/finish", **visitor.sign(again))) == "registration_invalid"


def test_the_log_holds_the_gesture_that_vouched(visitor: Visitor) -> None:
    second = visitor.add_passkey()
    visitor.remove_passkey(visitor.passkey.id, second)
    [[added], [removed]] = visitor.server.execute(
        "SELECT content FROM entries WHERE kind IN ('passkey_added', 'passkey_removed') AND seq > "
        "(SELECT min(seq) FROM entries WHERE kind = 'passkey_added') ORDER BY seq"
    )
    for content, change, signer in ((added, "add", visitor.passkey), (removed, "remove", second)):
        found = json.loads(content)
        assert change in found["gesture"]
        assert found["webauthn"]["credential_id"] == signer.id


def test_sixteen_passkeys_are_enough(visitor: Visitor) -> None:
    for number in range(15):
        visitor.add_passkey(f"Number {number}")
    assert reason(visitor.post("/passkeys/begin", name="One more")) == "request_malformed"


def test_the_last_passkey_stays(visitor: Visitor) -> None:
    assert reason(visitor.remove_passkey(visitor.passkey.id)) == "last_passkey"
    assert visitor.sign_in().status_code == 200


def test_of_two_removals_begun_side_by_side_one_passkey_stays(visitor: Visitor) -> None:
    second = visitor.add_passkey()
    both = [visitor.post("/passkeys/remove/begin", id=item.id).json() for item in (visitor.passkey, second)]
    assert visitor.post("/passkeys/remove/finish", **visitor.sign(both[0], second)).status_code == 200
    assert reason(visitor.post("/passkeys/remove/finish", **visitor.sign(both[1], second))) == "last_passkey"


def test_a_removed_passkey_signs_nobody_in(visitor: Visitor) -> None:
    second = visitor.add_passkey()
    assert visitor.remove_passkey(visitor.passkey.id).status_code == 200
    assert reason(visitor.sign_in()) == "passkey_not_pinned"
    assert reason(visitor.remove_passkey(second.id, second)) == "last_passkey"


def test_another_persons_passkey_cannot_be_removed(visitor: Visitor) -> None:
    other = Visitor(visitor.server).sign_up("Eve")
    other.add_passkey()
    assert reason(other.remove_passkey(visitor.passkey.id)) == "not_yours"
    for nothing in (None, [], {}, "", 7):
        assert reason(other.post("/passkeys/remove/begin", id=nothing)) == "not_yours"


def test_every_gesture_signs_what_the_server_built_under_its_own_tag(visitor: Visitor) -> None:
    begun = visitor.post("/signin/begin").json()
    [[value]] = visitor.server.execute("SELECT value FROM gestures WHERE id = ?", begun["gesture"])
    kept = canonical.parse(value.encode())
    assert isinstance(kept, dict)
    signed = kept["value"]
    assert isinstance(signed, dict)
    assert signed.keys() == {"iss", "nonce", "iat"}
    assert begun["options"]["challenge"] == base64url.encode(approval.challenge(approval.LOGIN, signed))


def test_the_pages_stand_under_the_path_of_the_public_url(tmp_path: Path) -> None:
    port = free_port()
    settings = Settings(f"http://localhost:{port}/oneact", tmp_path / "server.db", tmp_path / "server.jwk")
    clock = Clock(int(time.time()))
    with serving(create_app(settings, clock=clock), port):
        server = RunningServer(f"http://localhost:{port}", None, clock, settings.database)  # type: ignore[arg-type]
        visitor = Visitor(server, "/oneact").sign_up()
        page = visitor.get("/inbox").text
        assert 'href="/oneact/history"' in page
        assert 'src="/oneact/static/inbox.js"' in page
        assert visitor.get("/static/page.css").status_code == 200
        assert visitor.submit("/signout").headers["location"] == "/oneact/signin"
        assert httpx.get(server.url + "/inbox").status_code == 404


def test_a_static_file_is_not_sent_twice(server: RunningServer) -> None:
    first = httpx.get(server.url + "/static/page.css")
    again = httpx.get(server.url + "/static/page.css", headers={"If-None-Match": first.headers["etag"]})
    assert (first.status_code, again.status_code, again.content) == (200, 304, b"")
    assert httpx.get(server.url + "/static/none.css").status_code == 404


def test_all_scripts_together_are_under_15_kb() -> None:
    folder = Path(shell.__file__).parent / "static"
    assert 0 < sum(file.stat().st_size for file in folder.glob("*.js")) < 15_000
