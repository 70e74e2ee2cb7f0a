"""The one example that the tests of forms share: booking a flight for a stated price."""

from typing import Any

from oneact.protocol import act, action
from oneact.protocol.act import Act

RESOURCE = "https://air.example"
ISSUER = "https://approve.example"
PARAMETERS: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
TERMS: dict[str, Any] = {"price": {"amount": "312.00", "currency": "USD"}}


def text_schema(*names: str, **members: Any) -> dict[str, Any]:
    """Give a closed object schema whose members are texts, or what `members` say."""
    properties: dict[str, Any] = {name: {"type": "string"} for name in names} | members
    return {"type": "object", "properties": properties, "required": list(names), "additionalProperties": False}


def document(**changes: Any) -> dict[str, Any]:
    """Give the published action, with changes."""
    members: dict[str, Any] = {
        "action": "book_flight",
        "schema": text_schema("from", "to", "date"),
        "method": "POST",
        "path": "/bookings",
        "sources": {"from": "body", "to": "body", "date": "body"},
        "intent": "Book a flight",
        "summary": "Fly {/parameters/from} to {/parameters/to} on {/parameters/date}",
        "display": [
            {"pointer": "/parameters/from", "label": "From", "format": "text"},
            {"pointer": "/parameters/to", "label": "To", "format": "text"},
            {"pointer": "/parameters/date", "label": "Date", "format": "date"},
            {"pointer": "/terms/price", "label": "Price", "format": "money"},
        ],
        "terms": text_schema(price=text_schema("amount", "currency")),
        "reversible": False,
        "rule": {"approvers": 1, "requester_excluded": False},
    }
    return members | changes


FLIGHT = action.parse(document())


def one_act(**changes: Any) -> Act:
    """Give the act of booking this flight, with changed parts."""
    parts: dict[str, Any] = {
        "location": RESOURCE,
        "action": "book_flight",
        "action_digest": FLIGHT.digest,
        "parameters": PARAMETERS,
        "terms": TERMS,
    }
    return act.build(**(parts | changes))
