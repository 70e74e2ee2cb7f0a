"""What an owner's functions are given: the verified act, who asks for terms, the local account that is signed in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from oneact.protocol.canonical import Json


@dataclass(frozen=True, slots=True)
class Act:
    """One act that a person approved and that runs now, once.

    `account` is the local account, `txn` the transaction identifier, the key under which a handler may make its own
    work idempotent. `parameters` and `terms` are what was shown and signed. `approvers` are the persons, each as
    issuer and pairwise name. `client_id` and `jkt` name the agent and its key.
    """

    account: str
    txn: str
    action: str
    parameters: dict[str, Json]
    terms: dict[str, Json] | None
    approvers: tuple[str, ...]
    issuer: str
    client_id: str
    jkt: str


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks for terms: the local `account`, at which approval server under which name, and the agent with its key.

    The agent has shown who it is, the person has approved nothing yet.
    """

    account: str
    issuer: str
    sub: str
    client_id: str
    jkt: str


@dataclass(frozen=True, slots=True)
class Reading:
    """Who reads: the local `account` that has opened this `read`, until which second, and the agent with its key."""

    account: str
    read: str
    until: int
    issuer: str
    client_id: str
    jkt: str


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """The account signed in at the service: its `id`, the `label` its owner knows it by, the second of its sign-in."""

    id: str
    label: str
    auth_time: int
