"""A service's database with one of everything in it, the ways to tamper with it, and its audit."""

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from oneact.cli.commands import app
from oneact.protocol import act, offer
from oneact.protocol.act import Act
from oneact.protocol.action import Rule
from oneact.service import actions, exchange, journal, keys
from oneact.service.receipts import Receipts
from oneact.service.store.contract import Holder, Link, Outcome, Spend, SpendKey
from oneact.service.store.sqlite import SqliteStore
from oneact.testing import InProcessApprover, TestAgent

RESOURCE = "http://localhost:1"
ACTION = actions.describe(
    "book_flight", intent="Book a flight", summary="Fly to {to}", terms=None, sources={}, display=None,
    schema={"type": "object", "required": ["to"], "properties": {"to": {"type": "string"}}},
    reversible=False, rule=Rule(), method="POST", path="/bookings",
)  # fmt: skip


@dataclass
class Books:
    """The service, its person and agent; `acts` holds of each act what the person would hold as evidence."""

    folder: Path
    person: InProcessApprover = field(default_factory=InProcessApprover)
    agent: TestAgent = field(default_factory=TestAgent)
    now: int = field(default_factory=lambda: int(time.time()))
    acts: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def file(self) -> Path:
        return self.folder / "air.db"

    @property
    def key(self) -> Path:
        return self.folder / "air.jwk"

    @property
    def receipts(self) -> Receipts:
        return Receipts(keys.load(self.key).signing)

    def asked(self, txn: str) -> Act:
        return act.build(RESOURCE, ACTION.name, ACTION.digest, {"to": txn}, None)

    def approved(self, txn: str, **changes: Any) -> Spend:
        """A spend as the guard would make it, with the token that the person's approval led to."""
        wanted = self.asked(txn)
        claims: dict[str, Any] = {"jti": f"jti-{txn}", **changes}
        text = self.person.approve_act(wanted, ACTION, self.agent, self.now, txn=txn, **claims)
        holder = Holder(self.person.sub, self.agent.client_id, self.agent.jkt, wanted.digest)
        key = SpendKey(RESOURCE, self.person.issuer, txn)
        return Spend(key, holder, f"jti-{txn}", "alice", ACTION.name, self.now, self.now + 3600, token=text)

    async def spend(self, store: SqliteStore, txn: str, *outcomes: Outcome) -> Spend:
        spend = self.approved(txn)
        assert await store.spend(spend)
        for outcome in outcomes:
            assert await store.finish(spend.key, outcome)
        receipt = outcomes[-1].receipt if outcomes else None
        self.acts[txn] = {"version": 1, "token": spend.token, "receipt": receipt, "offer": self.offered(txn, txn)}
        return spend

    def offered(self, txn: str, to: str) -> str:
        times = (self.now, self.now + 600)
        found = offer.Offer(RESOURCE, self.person.issuer, *times, "jti", txn, self.asked(to), "Book a flight")
        return offer.sign(found, self.receipts.key)

    def executed(self, txn: str) -> Outcome:
        return self.receipts.of_answer(self.approved(txn), exchange.of_json({"flew": txn}), self.now + 1)

    async def fill(self) -> None:
        store = SqliteStore(self.file)
        await store.open()
        signed = self.person.signed_roster(RESOURCE)
        assert await store.link(Link("alice", signed.roster, self.now - 9, signed.webauthn.members()))
        other = InProcessApprover(sub="other-person")
        assert await store.link(Link("bob", other.roster(RESOURCE), self.now - 8))
        await self.spend(store, "paris", self.executed("paris"))
        unknown = self.receipts.unknown(self.approved("rome"), self.now + 2)
        await self.spend(store, "rome", unknown, replace(self.executed("rome"), at=self.now + 3))
        assert await store.pin(self.person.roster(RESOURCE, 2), self.now, "a.jws.text")
        assert await store.unlink("bob", other.issuer, self.now)
        await self.spend(store, "oslo", self.receipts.unknown(self.approved("oslo"), self.now + 4))
        await self.spend(store, "running")
        await store.close()

    def copy(self, folder: Path) -> "Books":
        """The same in another folder, to be tampered with."""
        folder.mkdir()
        for file in (self.file, self.key):
            shutil.copy(file, folder / file.name)
        return replace(self, folder=folder, acts=dict(self.acts))

    @contextmanager
    def opened(self) -> Iterator[sqlite3.Connection]:
        connection = sqlite3.connect(self.file)
        connection.row_factory = sqlite3.Row
        with connection:
            yield connection
        connection.close()

    def execute(self, *statements: str) -> None:
        with self.opened() as connection:
            for statement in statements:
                assert connection.execute(statement).rowcount != 0

    def rewrite(self, seq: int, **changes: Any) -> None:
        """Change members of one entry's content, and make every hash anew, as the owner of the file can."""
        with self.opened() as connection:
            before = None
            for row in connection.execute("SELECT * FROM journal ORDER BY seq").fetchall():
                content = json.loads(row["content"]) | (changes if row["seq"] == seq else {})
                draft = journal._draft(journal.Kind(row["kind"]), row["at"], content, b"s" * 16)
                before = journal.hash_of(draft.kind, draft.at, draft.content_digest, row["seq"], before)
                columns = (draft.content, draft.content_digest, before, row["seq"])
                connection.execute("UPDATE journal SET content=?, content_digest=?, hash=? WHERE seq=?", columns)

    def contents(self) -> list[dict[str, Any]]:
        with self.opened() as connection:
            rows = connection.execute("SELECT content FROM journal ORDER BY seq").fetchall()
        return [json.loads(row["content"]) for row in rows]

    def evidence(self, *bundles: Any) -> Path:
        """A file with what a person holds, one bundle a line."""
        file = self.folder / "evidence.jsonl"
        file.write_text("".join(json.dumps(bundle) + "\n" for bundle in bundles))
        return file

    def audit(self, *evidence: Any, more: tuple[str, ...] = ()) -> dict[str, Any]:
        """Run the command and give what it prints."""
        arguments = ["--store", str(self.file), "--key", str(self.key), "--json", *more]
        if evidence:
            arguments += ["--evidence", str(self.evidence(*evidence))]
        answer = CliRunner().invoke(app, ["service", "audit", *arguments])
        assert answer.exit_code in {0, 1}, answer.output
        found: dict[str, Any] = json.loads(answer.output)
        assert answer.exit_code == bool(found["findings"])
        return found

    def faults(self, *evidence: Any, more: tuple[str, ...] = ()) -> set[str]:
        return {finding["fault"] for finding in self.audit(*evidence, more=more)["findings"]}


def audited(folder: Path) -> dict[str, Any]:
    """Audit the record of a service in a folder; give acts, receipts and findings."""
    arguments = ["--store", str(folder / "air.db"), "--key", str(folder / "air.jwk"), "--json"]
    answer = CliRunner().invoke(app, ["service", "audit", *arguments])
    found = json.loads(answer.output)
    return {name: found[name] for name in ("acts", "receipts", "findings")}
