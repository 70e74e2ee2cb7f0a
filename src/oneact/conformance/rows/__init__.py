"""All rows, in the order in which they are played."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from oneact.conformance.rows import (
    acts,
    assertions,
    authorization,
    documents,
    links,
    offers,
    proofs,
    receipts,
    requests,
    rosters,
    spending,
    statements,
    terms,
    tokens,
)

if TYPE_CHECKING:
    from oneact.conformance.row import Group, Row

GROUPS: Final[tuple[Group, ...]] = (
    documents.GROUP,
    offers.GROUP,
    requests.GROUP,
    authorization.GROUP,
    tokens.GROUP,
    tokens.TIMES,
    tokens.AUDIENCE,
    proofs.GROUP,
    acts.GROUP,
    terms.GROUP,
    terms.ACCOUNT,
    statements.GROUP,
    assertions.GROUP,
    spending.GROUP,
    receipts.GROUP,
    receipts.DELIVERY,
    rosters.GROUP,
    rosters.END,
    links.GROUP,
)
ROWS: Final[tuple[Row, ...]] = tuple(row for group in GROUPS for row in group.rows)
