"""Where everything stands, relative to the public URL."""

from __future__ import annotations

from typing import Final

from oneact.protocol.metadata import ServerMetadata

JWKS: Final = "/oauth/jwks.json"
REGISTER: Final = "/oauth/register"
DEVICE: Final = "/oauth/device"
TOKEN: Final = "/oauth/token"  # noqa: S105 - an address
PAR: Final = "/oauth/par"
AUTHORIZE: Final = "/oauth/authorize"
TRANSACTION: Final = "/oauth/transaction"
RECEIPTS: Final = "/oauth/receipts"
CANCEL: Final = "/oauth/cancel"
INTROSPECT: Final = "/oauth/introspect"
BACKCHANNEL: Final = "/oauth/bc-authorize"
INBOX: Final = "/inbox"
PAIR: Final = "/pair"
LOG: Final = "/log"


def metadata(issuer: str, *, hosted: bool = False) -> ServerMetadata:
    """Give the server's metadata (RFC 8414); a `hosted` server is for one service, which is not linked by a flow."""
    paths = {
        "jwks_uri": JWKS,
        "registration_endpoint": REGISTER,
        "device_authorization_endpoint": DEVICE,
        "token_endpoint": TOKEN,
        "pushed_authorization_request_endpoint": PAR,
        "authorization_endpoint": AUTHORIZE,
        "transaction_authorization_endpoint": TRANSACTION,
        "receipt_endpoint": RECEIPTS,
        "cancellation_endpoint": CANCEL,
        "introspection_endpoint": INTROSPECT,
        "backchannel_authentication_endpoint": BACKCHANNEL,
    }
    if hosted:
        del paths["pushed_authorization_request_endpoint"], paths["authorization_endpoint"]
    return ServerMetadata(issuer, {name: issuer + path for name, path in paths.items()})
