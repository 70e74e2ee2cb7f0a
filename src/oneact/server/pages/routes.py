"""Where the pages stand, all under the path of the public URL."""

from __future__ import annotations

from typing import TYPE_CHECKING

from starlette.routing import Route

from oneact.server import addresses
from oneact.server.pages import account, agents, reads, requests, services, static
from oneact.server.pages.shell import form_post, json_post, open_post, opened, signed_in

if TYPE_CHECKING:
    from starlette.routing import BaseRoute

    from oneact.server.pages.shell import Endpoint
    from oneact.server.settings import Settings

_READ: dict[str, Endpoint] = {
    "/": opened(account.front),
    "/signup": opened(account.sign_up_page),
    "/signin": opened(account.sign_in_page),
    "/passkeys": signed_in(account.passkeys_page),
    addresses.PAIR: signed_in(agents.pair_page),
    "/agents": signed_in(agents.agents_page),
    addresses.AUTHORIZE: signed_in(services.link_page),
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
_WRITE: dict[str, Endpoint] = {
    "/signup/begin": open_post(account.begin_sign_up),
    "/signup/finish": open_post(account.finish_sign_up),
    "/signin/begin": open_post(account.begin_sign_in),
    "/signin/finish": open_post(account.finish_sign_in),
    "/signout": form_post(account.sign_out),
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
    "/agents/{id}/remove": form_post(agents.remove),
    "/link/begin": json_post(services.begin),
    "/link/finish": json_post(services.finish),
    "/link/deny": json_post(services.decline),
    "/services/begin": json_post(services.begin_update),
    "/services/finish": json_post(services.finish_update),
    "/services/removals": form_post(services.tell_removals),
    "/services/{id}/unlink": form_post(services.unlink),
    "/requests/begin": json_post(requests.begin),
    "/requests/approve": json_post(requests.approve),
    "/requests/deny": json_post(requests.deny),
    "/reads/begin": json_post(reads.begin),
    "/reads/approve": json_post(reads.approve),
    "/reads/deny": json_post(reads.deny),
    "/reads/{id}/end": form_post(reads.end),
}


def routes(settings: Settings) -> list[BaseRoute]:
    """Give the routes of the pages."""
    path = settings.path
    return [
        *(Route(path + at, endpoint, methods=["POST"]) for at, endpoint in _WRITE.items()),
        *(Route(path + at, endpoint, methods=["GET"]) for at, endpoint in _READ.items()),
    ]
