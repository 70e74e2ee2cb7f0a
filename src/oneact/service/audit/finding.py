"""What an audit finds: something that does not agree, in a plain sentence."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class Fault(StrEnum):
    """What a finding is about."""

    CHAIN = "chain"
    HEAD = "head"
    SPEND = "spend"
    APPROVAL = "approval"
    OUTCOME = "outcome"
    RECEIPT = "receipt"
    TABLE = "table"
    LINK = "link"
    EVIDENCE = "evidence"
    ONLY_PERSON = "only_person"
    ONLY_SERVICE = "only_service"


class Finding(NamedTuple):
    """Something that does not agree: `where` names the entry, act, link or bundle, `says` is a plain sentence."""

    fault: Fault
    where: str
    says: str
