"""Around every page: who is there, whether the request came from our own page, the answer to a refusal."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from starlette.responses import HTMLResponse, RedirectResponse

from oneact.errors import Reason, Refusal
from oneact.server import hosting, http, sessions
from oneact.server.pages import looks

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from starlette.requests import Request
    from starlette.responses import Response

    from oneact.protocol.canonical import Json
    from oneact.server.sessions import Session
    from oneact.server.settings import Settings
    from oneact.server.world import World

    Endpoint = Callable[[Request], Awaitable[Response]]
    Page = Callable[[Request, World, Session], Awaitable[Response]]
    OpenPage = Callable[[Request, World, Session | None], Awaitable[Response]]
    Call = Callable[[World, Session, dict[str, Json]], Awaitable[dict[str, Any]]]

PAGE_HEADER: Final = "oneact-page"  # cannot be set by a form of another site
_logger: Final = logging.getLogger("oneact.server")


def opened(page: OpenPage) -> Endpoint:
    """Make an endpoint of a page that also someone not signed in may see."""

    async def answer(request: Request) -> Response:
        try:
            world = http.world_of(request)
            return await page(request, world, await current(request))
        except Refusal as refusal:
            return _refused_page(request, refusal)

    return answer


def signed_in(page: Page) -> Endpoint:
    """Make an endpoint of a page for a signed-in person; anyone else signs in first and comes back."""

    async def answer(request: Request, world: World, session: Session | None) -> Response:
        if session is None:
            here = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            way = "/signin" if world.host is None else "/enrol"
            return redirect(world.settings, f"{way}?next={quote(here, safe='')}")
        return await page(request, world, session)

    return opened(answer)


def form_post(page: Page) -> Endpoint:
    """Make an endpoint of a plain form's post, from our own pages only."""

    async def answer(request: Request, world: World, session: Session | None) -> Response:
        check_own_page(request, world.settings)
        if session is None:
            raise Refusal(Reason.SESSION_REQUIRED, request.url.path)
        return await page(request, world, session)

    return opened(answer)


def json_post(call: Call) -> Endpoint:
    """Make an endpoint of a script's post for a signed-in person."""

    async def signed(request: Request, value: dict[str, Json]) -> Response:
        session = await current(request)
        if session is None:
            raise Refusal(Reason.SESSION_REQUIRED, request.url.path)
        return http.answer(await call(http.world_of(request), session, value))

    return open_post(signed)


def open_post(call: Callable[[Request, dict[str, Json]], Awaitable[Response]]) -> Endpoint:
    """Make an endpoint of a script's post; the header that it carries cannot come from a form."""

    async def answer(request: Request) -> Response:
        try:
            _check_own_script(request, http.world_of(request).settings)
            return await call(request, await http.json_object(request))
        except Refusal as refusal:
            return http.refused(refusal)

    return answer


def check_own_page(request: Request, settings: Settings) -> None:
    """Refuse `csrf` unless the browser says that the request comes from our own origin."""
    site = request.headers.get("sec-fetch-site")
    own = request.headers.get("origin") == settings.origin if site is None else site == "same-origin"
    if not own:
        raise Refusal(Reason.CSRF, f"Sec-Fetch-Site {site!r}")


def _check_own_script(request: Request, settings: Settings) -> None:
    check_own_page(request, settings)
    if PAGE_HEADER not in request.headers:
        raise Refusal(Reason.CSRF, "the header of our own script is missing")


async def current(request: Request) -> Session | None:
    """Give the session of the request's cookie, or of who is signed in at the service that hosts this; or None."""
    world = http.world_of(request)
    if world.host is not None:
        return await hosting.session(world, world.host, await world.host.guest(world, request))
    token = request.cookies.get(world.settings.session_cookie, "")
    return await sessions.find(world, token) if token else None


def set_cookie(response: Response, settings: Settings, token: str, seconds: int = sessions.LIFETIME) -> None:
    """Give the browser its session; an empty token takes it away."""
    response.set_cookie(
        settings.session_cookie,
        token,
        max_age=seconds if token else 0,
        path=settings.path or "/",
        secure=settings.secure,
        httponly=True,
        samesite="lax",
    )


def redirect(settings: Settings, path: str) -> Response:
    """Send the browser to one of our own pages."""
    return RedirectResponse(settings.path + path, 303)


def own_path(settings: Settings, path: str) -> str:
    """Give `path` if it is one of our own pages, else the inbox: nobody is sent elsewhere after signing in."""
    own = path.startswith(settings.path + "/") and not path.startswith("//")  # so it has neither scheme nor host
    plain = path.isascii() and path.isprintable() and "\\" not in path
    return path if own and plain else settings.path + "/inbox"


def render(request: Request, session: Session | None, template: str, status: int = 200, **context: Any) -> Response:  # noqa: ANN401 - what the template shows
    """Render a page."""
    world = http.world_of(request)
    shown = {"base": world.settings.path, "person": session, "host": world.host, **context}
    return HTMLResponse(looks.render(template, **shown), status)


def _refused_page(request: Request, refusal: Refusal) -> Response:
    _logger.info("refused: %s", refusal)
    headings = {Reason.NOT_YOURS: "Nothing here", Reason.RATE_LIMITED: "Too many tries"}
    return render(
        request,
        None,
        "refused.html",
        refusal.reason.status,
        heading=headings.get(refusal.reason, "That did not work"),
        reason=refusal.reason,
    )
