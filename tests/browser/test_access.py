"""The pages for someone who reads with the ears, works with the keys, sees little, or holds a small phone."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Page, expect

from oneact.service import link_page
from tests.browser.conftest import Browsing
from tests.server.peers import Agent, Service
from tests.server.test_reads import asked

SITE = link_page.Site("Example Air", "http://localhost/")
SERVICE_PAGES = [
    link_page.form(SITE, "ada", ["http://localhost"], "/oneact/link", "x"),
    link_page.form(SITE, "ada", ["http://localhost", "http://localhost:2"], "/oneact/link", "x"),
    link_page.form(SITE, "ada", None, "/oneact/link", "x"),
    link_page.linked(
        SITE, "ada", ["http://localhost"], link_page.Ways("http://localhost/a", "http://localhost/b"), waits=False
    ),
    link_page.message(SITE, "Not linked", "You said no."),
]
# Every text that can be seen, and every placeholder, whose colour stands out too little from what lies under it.
FAINT = """() => {
    const parse = (text) => { const [r, g, b, a = 1] = text.match(/[\\d.]+/g).map(Number); return [r, g, b, a]; };
    const over = ([r, g, b, a], under) => [r, g, b].map((value, at) => value * a + under[at] * (1 - a));
    const light = (rgb) => rgb.map(value => value / 255)
        .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
        .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
    const ratio = (one, other) => {
        const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
        return (high + 0.05) / (low + 0.05);
    };
    const ground = (item) => over(parse(getComputedStyle(item).backgroundColor),
        item.parentElement ? ground(item.parentElement) : [255, 255, 255]);
    for (const item of document.querySelectorAll('details')) item.open = true;
    const found = [];
    const look = (item, text, style) => {
        const [r, g, b, a] = parse(style.color), under = ground(item);
        const seen = ratio(over([r, g, b, a * style.opacity], under), under);
        if (seen < 4.5) found.push(`${text.trim()} ${seen.toFixed(2)}`);
    };
    for (const item of document.querySelectorAll('body *')) {
        const own = [...item.childNodes].filter(node => node.nodeType === 3).map(node => node.data).join('');
        const seen = item.checkVisibility() && !item.disabled && item.tagName !== 'NOSCRIPT';
        if (seen && own.trim()) look(item, own, getComputedStyle(item));
        if (seen && item.placeholder) look(item, item.placeholder, getComputedStyle(item, '::placeholder'));
    }
    return found;
}"""
FOCUS = """() => {
    const item = document.activeElement, style = getComputedStyle(item), box = item.getBoundingClientRect();
    return { name: item.outerHTML.slice(0, 80), page: item === document.body, index: items().indexOf(item),
        ring: style.outlineStyle !== 'none' && parseFloat(style.outlineWidth) >= 2,
        inside: box.top >= 0 && box.bottom <= innerHeight && box.left >= 0 && box.right <= innerWidth };
}"""
ITEMS = """() => {
    const controls = 'a[href], button, input:not([type=hidden]), select, summary';
    window.items = () => [...document.querySelectorAll(controls)].filter(item => item.checkVisibility());
    document.body.tabIndex = -1;
    document.body.focus();
    document.body.removeAttribute('tabindex');
}"""
NAMELESS = re.compile(r"^\s*- (button|link|textbox|combobox|checkbox|radio)(?: \[[^\]]*\])*:?$", re.MULTILINE)


@pytest.fixture
def paths(browsing: Browsing, ready: Agent, shop: Service) -> list[str]:
    """Every page a person can come to, with something of each kind on them; the last one waits for a decision."""
    server, page = browsing.server, browsing.page

    def ask(**parameters: str) -> str:
        offered = shop.offer(server.url, int(time.time()), shop.act(**parameters))
        return str(ready.ask(offered, reason="You told me to").json()["transaction_authorization_id"])

    denied, silent = ask(to="LAX"), ask(to="ORD")
    browsing.go(f"/requests/{denied}")
    page.get_by_text("Say something to the agent").click()
    page.get_by_label("Words to the agent").fill("Not today")
    page.get_by_role("button", name="Deny", exact=True).click()
    expect(page.locator("#outcome")).to_contain_text("Denied")
    browsing.go(f"/requests/{silent}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#outcome")).to_contain_text("Approved")
    assert ready.poll(silent).json()["token_type"] == "DPoP"
    server.execute("UPDATE requests SET token_exp = 1 WHERE id = ?", silent)
    server.execute(
        "INSERT INTO findings (id, kind, account_id, request_id, resource, txn, detail, found_at)"
        " SELECT 'f', 'no_word', account_id, id, resource, txn, '', 1 FROM requests WHERE id = ?", silent
    )  # fmt: skip
    opened, pending = (asked(ready, shop, duration=seconds) for seconds in (600, 3600))
    browsing.go(f"/reads/{opened}")
    page.get_by_role("button", name="Approve").click()
    expect(page.locator("#outcome")).to_contain_text("Open")
    waits = ask(to="NYC\u202e")
    return [
        *("/inbox", "/history", "/agents", "/services", "/reads", "/passkeys", "/pair", "/requests/none"),
        *(f"/reads/{item}" for item in (opened, pending)),
        *(f"/requests/{item}" for item in (denied, silent, waits)),
    ]


def test_every_text_stands_out_in_light_and_dark(browsing: Browsing, paths: list[str]) -> None:
    page, faint = browsing.page, {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme="dark" if scheme == "dark" else "light")
        for path in paths:
            browsing.go(path)
            faint[scheme, path] = page.evaluate(FAINT)
        page.goto("about:blank")  # leaves the policy of our own pages
        for number, html in enumerate(SERVICE_PAGES):
            page.set_content(html)
            faint[scheme, f"service {number}"] = page.evaluate(FAINT)
    browsing.page.context.clear_cookies()
    for path in ("/signin", "/signup"):
        browsing.go(path)
        faint["dark", path] = page.evaluate(FAINT)
    assert {where: texts for where, texts in faint.items() if texts} == {}


def walk(page: Page) -> None:
    """Go through a page with the tabulator: all there is, in its order, each seen and marked."""
    page.evaluate(ITEMS)
    expected = page.evaluate("items().length")
    assert expected
    reached = []
    for _ in range(expected):
        page.keyboard.press("Tab")
        found = page.evaluate(FOCUS)
        assert found["ring"], found
        assert found["inside"], found
        reached.append(found["index"])
    assert reached == list(range(expected))


def test_the_tabulator_reaches_every_control_in_order_and_shows_where_it_is(
    browsing: Browsing, paths: list[str]
) -> None:
    for path in paths:
        browsing.go(path)
        walk(browsing.page)


def test_every_control_has_a_name_for_the_ears(browsing: Browsing, paths: list[str]) -> None:
    page = browsing.page
    for path in paths:
        browsing.go(path)
        heard = page.locator("body").aria_snapshot()
        assert NAMELESS.findall(heard) == [], path
        assert page.locator("main").count() == 1
        assert page.locator("h1").count() == 1
    for html in SERVICE_PAGES:
        page.set_content(html)
        assert NAMELESS.findall(page.locator("body").aria_snapshot()) == []


def test_nothing_has_to_be_moved_sideways_on_a_small_phone(browsing: Browsing, paths: list[str]) -> None:
    page = browsing.page
    page.set_viewport_size({"width": 320, "height": 568})
    for path in paths:
        browsing.go(path)
        assert page.evaluate("document.documentElement.scrollWidth") == 320, path
    page.goto("about:blank")
    for html in SERVICE_PAGES:
        page.set_content(html)
        assert page.evaluate("document.documentElement.scrollWidth") == 320


def test_what_needs_the_script_cannot_be_pressed_before_it_is_there(browsing: Browsing) -> None:
    browsing.page.route("**/static/passkey.js", lambda route: route.abort())
    browsing.go("/signup")
    browsing.page.get_by_label("Your name").fill("Ada")
    browsing.page.keyboard.press("Enter")
    expect(browsing.page.get_by_role("button", name="Make a passkey")).to_be_disabled()
    assert browsing.page.url == browsing.server.url + "/signup"


def test_the_inbox_says_what_is_new_and_leaves_the_keyboard_where_it_was(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    page = browsing.page
    ready.ask(shop.offer(browsing.server.url, int(time.time()), shop.act(to="LAX")))
    browsing.go("/inbox")
    page.locator("#inbox a.row").focus()
    held = page.evaluate("document.activeElement.href")
    ready.ask(shop.offer(browsing.server.url, int(time.time()), shop.act(to="ORD")))
    expect(page.get_by_role("status")).to_have_text("2 requests wait for you.", timeout=10_000)
    assert page.evaluate("document.activeElement.href") == held


def test_who_gives_up_the_passkey_is_told_and_stands_on_the_same_button(
    browsing: Browsing, ready: Agent, shop: Service
) -> None:
    page = browsing.page
    ready.ask(shop.offer(browsing.server.url, int(time.time()), shop.act()))
    browsing.open_first()
    page.evaluate("() => { navigator.credentials.get = async () => { throw new DOMException('', 'AbortError'); }; }")
    page.locator("#approve").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("The passkey was not used. Nothing has happened.")
    expect(page.get_by_role("alert")).to_be_in_viewport()
    expect(page.locator("#approve")).to_be_focused()


def test_the_outcome_is_a_status_that_is_heard(browsing: Browsing, ready: Agent, shop: Service) -> None:
    ready.ask(shop.offer(browsing.server.url, int(time.time()), shop.act()))
    browsing.open_first()
    browsing.page.get_by_role("button", name="Deny", exact=True).click()
    expect(browsing.page.get_by_role("status")).to_contain_text("Denied. Nothing was done.")
    expect(browsing.page.get_by_role("status")).to_be_focused()
