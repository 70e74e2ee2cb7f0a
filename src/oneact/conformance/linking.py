"""The one link step: the played server is linked to a test account, by its session or in its owner's browser."""

from __future__ import annotations

import contextlib
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Final
from urllib.parse import urlencode, urljoin

from oneact.conformance import outcome
from oneact.conformance.fault import Fault
from oneact.conformance.outcome import CannotRun, Failed
from oneact.conformance.stage import UNLINK
from oneact.errors import Reason, Refusal
from oneact.protocol import metadata

if TYPE_CHECKING:
    from collections.abc import Callable

    import httpx

    from oneact.conformance.stage import Stage

_HOPS: Final = 10
_REDIRECTS: Final = range(300, 400)
_ERROR: Final = 400
_AGAIN: Final = 11.0  # seconds in which a service may hold to the keys it has of an issuer, and one more
_SETTLE: Final = 12.0


def by_cookie(stage: Stage) -> None:
    """Link with the signed-in session of the cookies given; raises CannotRun.

    A service that has met this issuer a moment ago may hold to the keys of that run for ten seconds: a link that is
    refused is tried once more after that.
    """
    answer = submit(stage)
    if answer.status_code >= _ERROR and stage.server.exchanged:
        stage.server.wait_for(lambda: False, _AGAIN)
        answer = submit(stage)
    if answer.status_code >= _ERROR or not stage.server.exchanged:
        raise CannotRun(f"the account was not linked: {outcome.told(answer)}")
    settle(stage)


def in_browser(stage: Stage, say: Callable[[str], None], seconds: float) -> None:
    """Wait until the owner has linked the test account in their own browser; raises CannotRun.

    As in `by_cookie` a link that the service did not take is asked for once more.
    """
    say(f"Sign in at the service with a test account, open {stage.described.link_uri}")
    say(f"and link it to {stage.person.issuer}. Nothing is asked there; you are sent back at once.")
    _linked_after(stage, 0, seconds)
    met = len(stage.server.exchanged)
    try:
        settle(stage)
    except CannotRun:
        say(f"The service did not take that link. Open {stage.described.link_uri} and link it once more.")
        _linked_after(stage, met, seconds)
        settle(stage)


def _linked_after(stage: Stage, met: int, seconds: float) -> None:
    if not stage.server.wait_for(lambda: len(stage.server.exchanged) > met, seconds):
        raise CannotRun(f"nobody linked {stage.person.issuer} in {seconds:.0f} seconds")


def settle(stage: Stage) -> None:
    """Wait until the service knows the person; raises CannotRun.

    The callback pins the roster after the code is exchanged, and old keys of this issuer may be kept for a while. Shown
    by a passkey that is not pinned: who refuses it for that, or for anything but these three, knows the person.
    """
    unknown = {Reason.ACCOUNT_NOT_LINKED.value, Reason.TOKEN_ISSUER.value, Reason.TOKEN_KEY.value}
    wrong = Fault(passkey=lambda person: person.stranger)

    def known() -> bool:
        return outcome.body(stage.attempt(wrong)).get("reason") not in unknown

    if not stage.server.wait_for(known, _SETTLE):
        raise CannotRun(f"the service does not know the person that was linked: {stage.last['answer']}")


def end(stage: Stage) -> bool:
    """End the link by an approved act, where it stands; False where that does not work."""
    if stage.linked and UNLINK in stage.published:
        with contextlib.suppress(Failed, CannotRun, Refusal):
            asked = stage.ask({"issuer": stage.person.issuer}, stage.published[UNLINK])
            stage.linked = "oneact-receipt" not in stage.show(asked, stage.approve(asked)).headers
    return not stage.linked


def has_form(page: httpx.Response) -> bool:
    """Tell whether a page offers to link, as the link page does for somebody who is signed in and not linked."""
    return _form(page).action is not None


def submit(stage: Stage, *, issuer: str = "", bare: bool = False, elsewhere: bool = False) -> httpx.Response:
    """Open the link page, send its form with the played issuer, and go where it leads.

    `issuer` is another one, `bare` leaves out the form's other fields, `elsewhere` comes back in another browser, in
    which the same session is signed in.
    """
    page = _follow(stage, "GET", stage.described.link_uri, None)
    form = _form(page)
    if form.action is None:
        raise CannotRun(
            f"{stage.described.link_uri} has no form with a field issuer: the cookie is of no session that has just "
            f"signed in, or its account is linked already ({outcome.told(page)})"
        )
    others = {} if bare else form.fields
    body = urlencode({**others, "issuer": issuer or stage.person.issuer}).encode()
    return _follow(stage, "POST", urljoin(str(page.url), form.action), body, elsewhere=elsewhere)


def follow(stage: Stage, url: str) -> httpx.Response:
    """Open an address in the browser in which the account is linked."""
    return _follow(stage, "GET", url, None)


def _follow(stage: Stage, method: str, url: str, body: bytes | None, *, elsewhere: bool = False) -> httpx.Response:
    """Make a request as a browser would, with the service's own cookies, and follow where it redirects."""
    own = metadata.origin(stage.resource)
    for hop in range(_HOPS):
        fields = [("Content-Type", "application/x-www-form-urlencoded"), ("Origin", own)] if body is not None else []
        at_home = metadata.origin(url) == own
        cookies = stage.session if elsewhere and hop else stage.cookies
        if at_home and cookies:
            fields.append(("Cookie", "; ".join(f"{name}={value}" for name, value in cookies.items())))
        answer = stage.send(method, url, fields, body)
        if at_home:
            stage.cookies |= dict(_cookies(answer))
        if answer.status_code not in _REDIRECTS or "location" not in answer.headers:
            return answer
        method, url, body = "GET", urljoin(url, answer.headers["location"]), None
    raise CannotRun(f"{stage.described.link_uri} redirects more than {_HOPS} times")


def _cookies(answer: httpx.Response) -> list[tuple[str, str]]:
    pairs = [line.partition(";")[0].partition("=") for line in answer.headers.get_list("set-cookie")]
    return [(name.strip(), value.strip()) for name, _, value in pairs]


def _form(page: httpx.Response) -> _Form:
    found = _Form()
    found.feed(page.text)
    if "issuer" not in found.fields:
        found.action = None
    return found


class _Form(HTMLParser):
    """The first form of a page that has a field `issuer`: where it goes, and what its fields hold."""

    def __init__(self) -> None:
        super().__init__()
        self.action: str | None = None
        self.fields: dict[str, str] = {}
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Take in a form, or a field of one."""
        named = {name: value or "" for name, value in attrs}
        if tag == "form" and "issuer" not in self.fields:
            self.action, self.fields, self._inside = named.get("action", ""), {}, True
        elif self._inside and tag in {"input", "select"} and "name" in named:
            self.fields[named["name"]] = named.get("value", "")

    def handle_endtag(self, tag: str) -> None:
        """Leave a form."""
        if tag == "form":
            self._inside = False
