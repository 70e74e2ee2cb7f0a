"""The pages of a held submission: no script, the exact lines that the person is shown to approve."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

from oneact.errors import Reason
from oneact.protocol import display
from oneact.service import exchange, link_page

if TYPE_CHECKING:
    from collections.abc import Iterable

    from oneact.protocol.display import Line
    from oneact.service.exchange import Answer
    from oneact.service.link_page import Site
    from oneact.service.store.contract import State
    from oneact.service.store.holding import Held

AGAIN: Final = 1  # seconds: a browser that goes on after one second at most keeps no entry in its history
_MINUTE: Final = 60
_ENDS: Final = {
    "denied": ("You said no", "Nothing was done.", 403),
    "expired": ("Nobody approved in time", "Nothing was done. To ask once more, submit the form again.", 410),
}
_BECAME: Final[dict[State, tuple[str, str]]] = {
    "executed": ("Done", "It was done, once, as you approved it."),
    "failed": ("It did not work", "The service tried and failed. It will not be tried again."),
    "unknown": ("Not known", "Nobody knows yet whether it was done. Look at your account before you submit it again."),
}


def waiting(site: Site, held: Held, now: int, onward: tuple[int, str]) -> Answer:
    """Say that a submission waits, what it asks for, and where its person approves.

    It goes on by itself: `onward` is after how many seconds, and where to.
    """
    left = max(1, -(-(held.expires - now) // _MINUTE))
    target = f'href="{escape(held.page)}" target="_blank" rel="noopener"'
    way = f'<p><a class="go" {target}>Approve it with your passkey</a></p>' if held.page else ""
    page = link_page.page(
        site,
        "Waiting for your approval",
        f"<p>{escape(site.name)} has received this. It is done when you have approved it with your passkey, and not "
        f"before.</p>{_lines(held.question.lines)}{way}"
        f'<p class="note">You can do so on any of your devices, at {escape(held.question.iss)}. This page goes on by '
        f"itself for {left} more minute{'s' if left > 1 else ''}. If you close it, nothing is done.</p>",
    )
    return exchange.of_page(page, 202).with_headers(("Refresh", f"{onward[0]}; url={onward[1]}"))


def running(site: Site, onward: str) -> Answer:
    """Say that an act runs at this moment."""
    page = link_page.page(site, "It is being done", "<p>You have approved it. This page goes on by itself.</p>")
    return exchange.of_page(page, 202).with_headers(("Refresh", f"{AGAIN}; url={onward}"))


def ended(site: Site, held: Held) -> Answer:
    """Say how a submission ended that was not executed."""
    if held.state in _ENDS:
        title, text, status = _ENDS[held.state]
        words = f"<p>“{_said(held.said)}”</p>" if held.said else ""
    else:
        reason = next((reason for reason in Reason if reason.value == held.said), Reason.INTERNAL)
        title, text, status, words = "That did not work", "Nothing was done.", reason.status, _reason(reason)
    page = link_page.page(site, title, f"{words}<p>{text}</p>{_lines(held.question.lines)}")
    return exchange.of_page(page, status)


def became(site: Site, held: Held, state: State) -> Answer:
    """Say what became of an act whose handler gave no answer that could be shown."""
    title, text = _BECAME.get(state, _BECAME["unknown"])
    return exchange.of_page(link_page.page(site, title, f"<p>{text}</p>{_lines(held.question.lines)}"))


def done_before(site: Site, held: Held, address: str) -> Answer:
    """Say that the same was submitted and approved before; to ask once more is a step of its own."""
    page = link_page.page(
        site,
        "You have approved this already",
        "<p>You have submitted exactly this before and approved it. It has not been asked for again.</p>"
        f"{_lines(held.question.lines)}"
        f'<p><a href="{escape(address)}">See what became of it</a></p>'
        f'<form method="post" action="{escape(address)}"><button>Ask for it once more</button></form>',
    )
    return exchange.of_page(page, Reason.ALREADY_SPENT.status)


def refused(site: Site, reason: Reason, field: str, way: tuple[str, str] | None) -> Answer:
    """Say why a submission was refused; `way` is the address and the words of what helps."""
    named = f"<p>The field <strong>{escape(field)}</strong>.</p>" if field else ""
    link = f'<p><a href="{escape(way[0])}">{escape(way[1])}</a></p>' if way is not None else ""
    page = link_page.page(site, "That did not work", f"{_reason(reason)}{named}{link}")
    return exchange.of_page(page, reason.status)


def _reason(reason: Reason) -> str:
    return f'<p data-reason="{reason.value}">{escape(reason.says)}</p>'


def _said(words: str) -> str:
    return escape(display.escape(words))


def _lines(lines: Iterable[Line]) -> str:
    """Give the lines as they are signed; what the service promises stands apart from what was filled in."""
    shown = "".join(
        f"<dt>{escape(label)}{' (promised by the service)' if section == 'term' else ''}</dt><dd>{escape(text)}</dd>"
        for section, label, _, text in lines
    )
    return f"<dl>{shown}</dl>"
