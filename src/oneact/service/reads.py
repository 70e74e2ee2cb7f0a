"""The checks of a read token, which reads what a person has opened and never leads to an act (section 7.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from oneact.errors import Reason, Refusal
from oneact.protocol import display, passkey, read_token, reading
from oneact.service.act import Reading
from oneact.service.checks import check_shown, check_time, pinned

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from oneact.protocol.dpop import Proof
    from oneact.protocol.read_token import ReadToken
    from oneact.protocol.reading import Read, Statement, Wanted
    from oneact.service.checks import Account, Shown, Trust


def check_read(
    shown: Shown, name: str, published: Mapping[str, Read], trust: Trust, now: int
) -> tuple[ReadToken, Proof, Wanted]:
    """Make checks 1, 2, 4, 5, 3 and 6 of a read token for the read `name` at second `now`.

    `published` are the reads that the service has. That the proof's `jti` is new in this process is the guard's to
    look up (check 5, `proof_replayed`).
    """
    found, proof = check_shown(read_token.parse, shown, trust, now)
    check_time(found, now, read_token.LIFETIME)
    wanted = reading.parse_details(found.details, Reason.READ_MALFORMED)
    if wanted.location != trust.resource or name not in wanted.names:
        raise Refusal(Reason.READ_NOT_OPENED, f"{name!r} at {wanted.location!r}")
    if wanted != reading.want(trust.resource, _published(wanted, published), wanted.duration):
        raise Refusal(Reason.READ_CHANGED, f"{wanted.names}")
    return found, proof, wanted


def check_opened(
    found: ReadToken, wanted: Wanted, name: str, published: Mapping[str, Read], account: Account | None
) -> Reading:
    """Make checks 8, 9 and 10; `account` is the local one of (`iss`, `sub`), if there is one."""
    if account is None:
        raise Refusal(Reason.ACCOUNT_NOT_LINKED, f"iss {found.iss!r}, sub {found.sub!r}")
    statement, assertion = read_token.parse_approvals(found.approvals)
    lines = reading.render(_published(wanted, published), wanted.duration)
    _check_statement(statement, found, wanted, display.digest(lines))
    approver, credential = pinned(assertion.credential_id, found.iss, account.approvers)
    passkey.verify(assertion, credential, statement.challenge(), approver.roster.rp_id, approver.roster.origins)
    return Reading(account.id, name, statement.exp, found.iss, found.client_id, found.jkt)


def _published(wanted: Wanted, published: Mapping[str, Read]) -> Sequence[Read]:
    gone = [name for name in wanted.names if name not in published]
    if gone:
        raise Refusal(Reason.READ_CHANGED, f"{gone} are not published")
    return [published[name] for name in wanted.names]


def _check_statement(statement: Statement, found: ReadToken, wanted: Wanted, shown: str) -> None:
    """Check 9."""
    if statement.iss != found.iss:
        raise Refusal(Reason.STATEMENT_ISSUER, f"iss {statement.iss!r}")
    if statement.client_id != found.client_id:
        raise Refusal(Reason.STATEMENT_CLIENT, f"client_id {statement.client_id!r}")
    if statement.jkt != found.jkt:
        raise Refusal(Reason.STATEMENT_KEY, f"jkt {statement.jkt!r}")
    if not statement.iat <= found.iat < found.exp <= statement.exp:
        raise Refusal(Reason.STATEMENT_TIME, f"{statement.iat} to {statement.exp}")
    if statement.exp - statement.iat > wanted.duration:
        raise Refusal(Reason.STATEMENT_LIFETIME, f"{statement.exp - statement.iat} s, at most {wanted.duration}")
    if (statement.aud, statement.sub, statement.wanted, statement.display) != (found.aud, found.sub, wanted, shown):
        raise Refusal(Reason.STATEMENT_ITEM, "another service, person, list of reads or display")
