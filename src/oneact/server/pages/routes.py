"""Where the pages stand, all under the path of the public URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from oneact.server import addresses
from oneact.server.pages import account, agents, enrolling, entering, reads, requests, services, static
from oneact.server.pages.shell import form_post, json_post, open_post, opened, signed_in

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from oneact.server.hosting import Host
    from oneact.server.pages.shell import Endpoint
    from oneact.server.settings import Settings

_OPEN: dict[str, Endpoint] = {
    "/signup": opened(account.sign_up_page),
    "/signin": opened(account.sign_in_page),
    addresses.AUTHORIZE: signed_in(services.link_page),
}
_HOSTED: dict[str, Endpoint] = {"/enrol": enrolling.page}
_BESIDE: dict[str, Endpoint] = {"/signin": entering.sign_in, "/enter": entering.enter}
_READ: dict[str, Endpoint] = {
    "/": signed_in(account.front),
    "/passkeys": signed_in(account.passkeys_page),
    addresses.PAIR: signed_in(agents.pair_page),
    "/agents": signed_in(agents.agents_page),
    "/services": signed_in(services.services_page),
    addresses.INBOX: signed_in(requests.inbox_page),
    "/inbox/wait": signed_in(requests.inbox_wait),
    "/history": signed_in(requests.history_page),
    "/requests/{id}": signed_in(requests.request_page),
    "/requests/{id}/evidence": signed_in(requests.evidence),
    "/requests/{id}/wait": signed_in(requests.request_wait),
    "/reads": signed_in(reads.reads_page),
    "/reads/{id}": signed_in(reads.read_page),
    "/static/{name}": static.file,
}
_WRITE_OPEN: dict[str, Endpoint] = {
    "/signup/begin": open_post(account.begin_sign_up),
    "/signup/finish": open_post(account.finish_sign_up),
    "/signin/begin": open_post(account.begin_sign_in),
    "/signin/finish": open_post(account.finish_sign_in),
    "/signout": form_post(account.sign_out),
    "/link/begin": json_post(services.begin),
    "/link/finish": json_post(services.finish),
    "/link/deny": json_post(services.decline),
    "/services/{id}/unlink": form_post(services.unlink),
}
_WRITE_HOSTED: dict[str, Endpoint] = {
    "/enrol/begin": enrolling.post(enrolling.begin),
    "/enrol/created": enrolling.post(enrolling.created),
    "/enrol/sign": enrolling.post(enrolling.sign),
    "/enrol/finish": enrolling.post(enrolling.finish),
}
_WRITE_BESIDE: dict[str, Endpoint] = {"/signout": entering.leave}
_WRITE: dict[str, Endpoint] = {
    "/passkeys/begin": json_post(account.begin_add),
    "/passkeys/created": json_post(account.created),
    "/passkeys/finish": json_post(account.finish_add),
    "/passkeys/remove/begin": json_post(account.begin_remove),
    "/passkeys/remove/finish": json_post(account.finish_remove),
    addresses.PAIR: form_post(agents.find),
    "/pair/code": form_post(agents.new_code),
    "/pair/deny": form_post(agents.deny),
    "/pair/begin": json_post(agents.begin),
    "/pair/finish": json_post(agents.finish),
    "/agents/{id}/block": form_post(agents.block),
    "/agents/{id}/allow": form_post(agents.allow),
    "/agents/{id}/remove": form_post(agents.remove),
    "/services/begin": json_post(services.begin_update),
    "/services/finish": json_post(services.finish_update),
    "/services/removals": form_post(services.tell_removals),
    "/requests/begin": json_post(requests.begin),
    "/requests/approve": json_post(requests.approve),
    "/requests/deny": json_post(requests.deny),
    "/reads/begin": json_post(reads.begin),
    "/reads/approve": json_post(reads.approve),
    "/reads/deny": json_post(reads.deny),
    "/reads/{id}/end": form_post(reads.end),
}


def routes(settings: Settings, host: Host | None) -> list[BaseRoute]:
    """Give the routes of the pages; a server with a `host` is for that service, whose accounts are the persons."""
    path = settings.path
    read = {**_READ, **(_OPEN if host is None else _HOSTED)}
    write = {**_WRITE, **(_WRITE_OPEN if host is None else _WRITE_HOSTED)}
    if host is not None and host.keeps_session:
        read, write = {**read, **_BESIDE}, {**write, **_WRITE_BESIDE}
    return [
        *(Route(path + at, endpoint, methods=["POST"]) for at, endpoint in write.items()),
        *(Route(path + at, endpoint, methods=["GET"]) for at, endpoint in read.items()),
    ]
