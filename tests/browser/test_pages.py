from __future__ import annotations

import json
import time

import httpx
from playwright.sync_api import expect

from oneact.protocol import token
from tests.browser.conftest import Browsing
from tests.server.peers import DOCUMENT, Agent, Service

WAIT = {"Prefer": "wait=1"}


def ask(browsing: Browsing, agent: Agent, shop: Service, **parameters: str) -> str:
    offered = shop.offer(browsing.server.url, int(time.time()), shop.act(**parameters))
    return str(agent.ask(offered, reason="You told me to").json()["transaction_authorization_id"])


def test_an_act_is_approved_in_the_browser_and_the_token_is_the_agents(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    identifier = ask(browsing, ready, shop)
    browsing.open_first()
    page = browsing.page
    for text in ("Book a flight", "Example Air", "312.00 USD", "The service promises", "ada@example"):
        expect(page.get_by_text(text).first).to_be_visible()
    expect(page.get_by_text("You told me to")).to_be_visible()
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#outcome")).to_be_visible()
    answer = ready.poll(identifier).json()
    assert answer["token_type"] == "DPoP"
    expect(page.get_by_text("It waits for your answer")).to_have_count(0)
    receipt = shop.receipt(browsing.server.url, _claims(answer["access_token"]), shop.act().digest, int(time.time()))
    delivered = httpx.post(
        browsing.server.url + "/oauth/receipts", content=receipt, headers={"Content-Type": "application/jwt"}
    )
    assert delivered.status_code == 204
    expect(page.locator("#outcome")).to_contain_text("Receipt verified", timeout=15_000)
    assert browsing.complaints == []


def _claims(text: str) -> dict[str, object]:
    return dict(token.parse(text)[0].claims())


COVERED = """() => [...document.querySelectorAll('.act *, .agent *')].filter(item => {
    if (item.children.length || !item.textContent.trim()) return false;
    item.scrollIntoView({ block: 'end' });
    const box = item.getBoundingClientRect();
    const top = document.elementFromPoint(box.left + box.width / 2, box.bottom - 2);
    const approve = document.getElementById('approve').getBoundingClientRect();
    return !(top && (item.contains(top) || top.contains(item))) || approve.top < box.bottom;
}).map(item => item.textContent)"""


def test_nobody_reaches_approve_without_having_passed_every_line_and_none_is_covered(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    ask(browsing, ready, shop)
    browsing.open_first()
    for width, height in ((1280, 860), (390, 844), (320, 480)):
        browsing.page.set_viewport_size({"width": width, "height": height})
        assert browsing.page.evaluate(COVERED) == []
    warning, promise = (browsing.page.locator(name).bounding_box() for name in (".final", ".promise"))
    assert warning is not None
    assert promise is not None
    assert warning["y"] + warning["height"] <= promise["y"]


def test_the_items_of_a_batch_look_alike_and_none_can_be_denied_once_all_are_decided(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    offers = [shop.offer(browsing.server.url, int(time.time()), shop.act(to=to)) for to in ("LHR", "JFK", "LAX")]
    batch = {"batch": json.dumps(offers), "login_hint": ready.hint}
    assert ready.post("/oauth/transaction", **batch).status_code == 200
    browsing.open_first()
    page = browsing.page
    sizes = page.evaluate("[...document.querySelectorAll('.intent')].map(item => getComputedStyle(item).fontSize)")
    assert len(sizes) == 3
    assert len(set(sizes)) == 1
    page.get_by_role("button", name="Deny this one").first.click()
    page.get_by_role("button", name="Approve 2").click()
    expect(page.locator("#outcome")).to_be_visible()
    expect(page.get_by_role("button", name="Deny this one")).to_have_count(0)
    assert browsing.complaints == []


def test_a_denial_with_words_reaches_the_agent(browsing: Browsing, ready: Agent, shop: Service) -> None:
    identifier = ask(browsing, ready, shop)
    browsing.open_first()
    page = browsing.page
    page.get_by_text("Say something to the agent").click()
    page.get_by_label("Words to the agent").fill("Not today")
    page.get_by_role("button", name="Deny", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("Denied")
    expect(page.get_by_text("It does not listen")).to_have_count(0)
    page.get_by_text("What the log says").click()
    expect(page.get_by_text("You denied")).to_be_visible()
    assert ready.poll(identifier).json()["message"] == "Not today"
    assert browsing.complaints == []


def test_i_did_not_ask_for_this_blocks_the_agent(browsing: Browsing, ready: Agent, shop: Service) -> None:
    ask(browsing, ready, shop)
    browsing.open_first()
    browsing.page.get_by_text("Say something to the agent").click()
    browsing.page.get_by_role("button", name="I did not ask for this").click()
    expect(browsing.page.locator("#outcome")).to_be_visible()
    again = ready.ask(shop.offer(browsing.server.url, int(time.time())))
    assert again.json()["reason"] == "hint_unknown"


def test_the_keyboard_alone_is_enough(browsing: Browsing, ready: Agent, shop: Service) -> None:
    identifier = ask(browsing, ready, shop)
    browsing.open_first()
    page = browsing.page
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.id") == "approve":
            break
    assert page.evaluate("document.activeElement.id") == "approve"
    page.keyboard.press("Enter")
    expect(page.locator("#outcome")).to_be_visible()
    expect(page.locator("#outcome")).to_be_focused()
    assert ready.poll(identifier).json()["token_type"] == "DPoP"


OVERTAKEN = """() => {
    const answered = window.fetch;
    const shown = () => document.getElementById('outcome').textContent.includes('Denied');
    const pause = () => new Promise((done) => setTimeout(done, 10));
    window.fetch = async (url, ...rest) => {
        const found = await answered(url, ...rest);
        if (String(url).endsWith('/requests/deny')) {
            while (!shown()) await pause();
            document.body.dataset.late = 'yes';
        }
        return found;
    };
}"""


def test_an_outcome_that_is_there_before_the_answer_to_the_press_stays(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    ask(browsing, ready, shop)
    browsing.open_first()
    browsing.page.evaluate(OVERTAKEN)
    browsing.page.get_by_role("button", name="Deny", exact=True).click()
    expect(browsing.page.locator("body[data-late=yes]")).to_be_attached()
    expect(browsing.page.locator("#deny")).to_have_count(0)
    browsing.page.evaluate("() => new Promise((done) => setTimeout(done))")  # past what the press began
    expect(browsing.page.locator("#outcome")).to_contain_text("Denied. Nothing was done.")


def test_a_new_request_appears_in_the_open_inbox_by_itself(browsing: Browsing, ready: Agent, shop: Service) -> None:
    browsing.go("/inbox")
    expect(browsing.page.get_by_text("Nothing waits for you")).to_be_visible()
    ask(browsing, ready, shop)
    expect(browsing.page.locator("#inbox a.row")).to_have_count(1, timeout=10_000)


def test_what_would_deceive_is_shown_escaped(browsing: Browsing, ready: Agent, shop: Service) -> None:
    ask(browsing, ready, shop, to="NYC\u202egnp.exe\n<b>312.00 USD</b>")
    browsing.open_first()
    shown = browsing.page.inner_text("article")
    assert "\\u{202E}" in shown
    assert "\\u{A}" in shown
    assert "<b>312.00 USD</b>" in shown


def test_marks_piled_up_in_a_value_paint_nothing_over_the_price(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    shop.documents.append(plain := {**DOCUMENT, "summary": "Fly"})  # the value stands right below the price
    seen = []
    for to in ("NYC", "N" + "\u0651\u064b" * 80):
        offered = shop.offer(browsing.server.url, int(time.time()), shop.act(plain, to=to, **{"from": "SFO"}))
        browsing.go("/requests/" + ready.ask(offered).json()["transaction_authorization_id"])
        expect(browsing.page.locator(".promise .local")).to_be_visible()
        seen.append(browsing.page.locator(".promise").screenshot())
    assert seen[0] == seen[1]


def test_nothing_is_asked_of_anyone_else(browsing: Browsing, ready: Agent, shop: Service) -> None:
    ask(browsing, ready, shop)
    browsing.open_first()
    for path in ("/history", "/agents", "/services", "/passkeys", "/pair", "/inbox"):
        browsing.go(path)
    elsewhere = [url for url in browsing.asked if not url.startswith(browsing.server.url + "/")]
    assert elsewhere == []
    assert browsing.complaints == []


def test_a_person_signs_out_and_in_again_with_the_passkey_alone(browsing: Browsing) -> None:
    browsing.sign_up("Grace")
    browsing.page.get_by_role("button", name="Sign out").click()
    browsing.go("/signin")
    browsing.page.get_by_role("button", name="Sign in with your passkey").click()
    expect(browsing.page.get_by_role("heading", name="Inbox")).to_be_visible()
    expect(browsing.page.get_by_text("Grace")).to_be_visible()


def test_the_pages_follow_the_systems_darkness(browsing: Browsing) -> None:
    browsing.go("/signin")
    grounds = []
    for scheme in ("light", "dark"):
        browsing.page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        grounds.append(browsing.page.evaluate("getComputedStyle(document.body).backgroundColor"))
    assert grounds[0] != grounds[1]


def test_a_passkey_is_added_and_removed_by_one_the_person_had_before(browsing: Browsing) -> None:
    browsing.sign_up()
    page = browsing.page
    browsing.go("/passkeys")
    page.get_by_label("What shall it be called?").fill("My key on a <b>ring</b>")
    ring = browsing.add_device(transport="usb")
    page.get_by_role("button", name="Make it").click()
    expect(page.locator("#vouch")).to_contain_text("My key on a <b>ring</b> is made, and counts for nothing yet")
    assert browsing.server.execute("SELECT count(*) FROM passkeys") == [(1,)]
    browsing.take_device(ring)
    page.get_by_role("button", name="Add it with your passkey").click()
    expect(page.get_by_role("heading", name="My key on a <b>ring</b>")).to_be_visible()
    page.get_by_role("region", name="My key on a").get_by_role("button", name="Remove").click()
    expect(page.get_by_role("heading", name="My key on a <b>ring</b>")).to_have_count(0)
    assert browsing.server.execute("SELECT count(*) FROM passkeys WHERE removed_at IS NULL") == [(1,)]
    assert browsing.complaints == []
