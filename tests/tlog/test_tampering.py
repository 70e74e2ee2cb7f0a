"""Every way to tamper with a copy of the database, found by `oneact log verify`.

Each is tried three times: on a copy as it is, where it is found; on an unprotected copy, whose tamperer holds the log's
key and whose checkpoints nobody kept, where it is not; and against a checkpoint that was sent away before, where it is.
"""

from __future__ import annotations

import json
import shutil
import sqlite3
from collections.abc import Callable
from contextlib import closing

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from oneact.errors import Reason
from oneact.log import checkpoint
from oneact.log.checkpoint import Verifier
from tests.tlog.lived import Lived, command, rewrite, stolen

# The second entry, `server_started`, is the one tampered with: it changes no state, and the early checkpoint covers it.


def change(lived: Lived) -> None:
    lived.execute("UPDATE entries SET content = replace(content, '0.', '9.') WHERE seq = 2")


def change_with_salt(lived: Lived) -> None:
    lived.execute("UPDATE entries SET at = at - 60, salt = zeroblob(16) WHERE seq = 2")


def delete(lived: Lived) -> None:
    lived.execute("DELETE FROM entries WHERE seq = 2")


def reorder(lived: Lived) -> None:
    lived.execute(
        "UPDATE entries SET seq = -1, leaf = -1 WHERE seq = 2",
        "UPDATE entries SET seq = 2, leaf = 1 WHERE seq = 3",
        "UPDATE entries SET seq = 3, leaf = 2 WHERE seq = -1",
    )


def insert(lived: Lived) -> None:
    lived.execute(
        "UPDATE entries SET seq = -seq - 1, leaf = leaf + 1000 WHERE leaf > 1",
        "UPDATE entries SET seq = -seq, leaf = leaf - 999 WHERE seq < 0",
        "INSERT INTO entries (seq, at, kind, account_id, request_id, content, salt, commitment, leaf) "
        "SELECT 3, at, kind, account_id, request_id, content, salt, commitment, 2 FROM entries WHERE seq = 2",
    )


TAMPERINGS: dict[str, tuple[Callable[[Lived], None], Reason]] = {
    "change": (change, Reason.LOG_COMMITMENT),
    "change with its salt": (change_with_salt, Reason.LOG_COMMITMENT),
    "delete": (delete, Reason.LOG_ROOT),
    "reorder": (reorder, Reason.LOG_ROOT),
    "insert": (insert, Reason.LOG_ROOT),
}


def found(outcome: tuple[int, str], reason: Reason) -> None:
    code, output = outcome
    assert code == 1, output
    assert f"({reason.value}" in output


def passes(outcome: tuple[int, str]) -> None:
    code, output = outcome
    assert code == 0, output
    assert "failed" not in output


def test_an_untouched_copy_holds(lived: Lived) -> None:
    passes(lived.verify())
    passes(lived.verify("--against", str(lived.note)))
    rewrite(lived, stolen(lived))
    passes(lived.verify("--against", str(lived.note)))


@pytest.mark.parametrize("name", TAMPERINGS)
def test_tampered_entries_are_found(lived: Lived, name: str) -> None:
    tamper, reason = TAMPERINGS[name]
    tamper(lived)
    found(lived.verify(), reason)


@pytest.mark.parametrize("name", TAMPERINGS)
def test_a_log_rewritten_with_its_stolen_key_is_found_by_a_checkpoint_sent_away_and_by_nothing_else(
    lived: Lived, name: str
) -> None:
    TAMPERINGS[name][0](lived)
    rewrite(lived, stolen(lived))
    passes(lived.verify())
    found(lived.verify("--against", str(lived.note)), Reason.LOG_CONSISTENCY)


def test_a_database_rolled_back_is_found_by_a_checkpoint_of_later(lived: Lived) -> None:
    shutil.copy(lived.folder / "early.db", lived.database)
    passes(lived.verify("--against", str(lived.note)))
    found(lived.verify("--against", str(lived.folder / "server.checkpoint")), Reason.LOG_CONSISTENCY)


def test_a_swapped_key_is_found_by_whoever_knows_the_right_one(lived: Lived) -> None:
    other = Ed25519PrivateKey.generate()
    rewrite(lived, other)
    found(lived.verify(), Reason.LOG_SIGNATURE)
    found(command("log", "verify", str(lived.database)), Reason.LOG_SIGNATURE)  # the log itself names another
    line = Verifier(checkpoint.parse(lived.note.read_text()).origin, other.public_key()).line()
    with closing(sqlite3.connect(lived.database, isolation_level=None)) as connection:
        [(seq, content)] = connection.execute("SELECT seq, content FROM entries WHERE kind = 'key_created'").fetchall()
        told = json.dumps({**json.loads(content), "log_keys": [line]}, sort_keys=True, separators=(",", ":"))
        connection.execute("UPDATE entries SET content = ? WHERE seq = ?", (told, seq))
    rewrite(lived, other)
    passes(command("log", "verify", str(lived.database)))  # nobody who knows nothing can tell
    found(lived.verify(), Reason.LOG_SIGNATURE)
    found(command("log", "verify", str(lived.database), "--against", str(lived.note)), Reason.LOG_SIGNATURE)


STATES = {
    "a denial made an approval": "UPDATE requests SET state = 'issued' WHERE state = 'denied'",
    "an act exchanged": "UPDATE requests SET act_digest = 'x' WHERE state = 'issued'",
    "what was shown exchanged": "UPDATE requests SET display_digest = 'x' WHERE state = 'issued'",
    "a request deleted": "DELETE FROM requests WHERE state = 'denied'",
    "a request slipped in": "UPDATE requests SET id = 'other' WHERE state = 'denied'",
    "a request given to another person": "UPDATE requests SET account_id = 'other' WHERE state = 'denied'",
    "a receipt exchanged": "UPDATE receipts SET receipt = 'x'",
    "a receipt deleted": "DELETE FROM receipts",
    "a passkey exchanged": "UPDATE passkeys SET public_key = 'x'",
    "a blocked agent let in again": "UPDATE pairings SET blocked_at = NULL",
    "a removed agent let in again": "UPDATE pairings SET removed_at = NULL",
    "an agent's key exchanged": "UPDATE pairings SET jkt = 'x'",
    "a roster exchanged": "UPDATE links SET roster = '{}' WHERE state = 'linked'",
    "a link restored": "UPDATE links SET state = 'linked' WHERE state = 'unlinked'",
    "an account renamed": "UPDATE accounts SET name = 'Eve'",
}


@pytest.mark.parametrize("name", STATES)
def test_a_state_changed_behind_the_logs_back_is_found(lived: Lived, name: str) -> None:
    lived.execute("PRAGMA foreign_keys = OFF", STATES[name])
    found(lived.verify(), Reason.LOG_STATE)
    code, exported = command("log", "export", str(lived.database))  # an export has no states to be compared
    assert code == 0
    file = lived.folder / "export.jsonl"
    file.write_text(exported)
    passes(command("log", "verify", str(file), "--key", str(lived.key)))


def test_an_export_is_verified_on_any_machine(lived: Lived) -> None:
    for public in ([], ["--public"]):
        code, exported = command("log", "export", str(lived.database), *public)
        assert code == 0
        assert ("asked" in exported) is not bool(public)
        file = lived.folder / "export.jsonl"
        file.write_text(exported)
        passes(command("log", "verify", str(file), "--key", str(lived.key), "--against", str(lived.note)))
        lines = exported.splitlines(keepends=True)
        file.write_text("".join([*lines[:4], *lines[5:]]))
        found(command("log", "verify", str(file), "--key", str(lived.key)), Reason.LOG_ROOT)


def test_one_entry_is_shown_with_its_proof(lived: Lived) -> None:
    code, output = lived.verify("--entry", "0")
    assert code == 0
    assert '"kind":"key_created"' in output
    lived.execute("UPDATE entries SET content = '{}' WHERE leaf = 0")
    found(lived.verify("--entry", "0"), Reason.LOG_COMMITMENT)
    lived.execute(
        "UPDATE entries SET commitment = (SELECT commitment FROM entries WHERE leaf = 1), content = '', "
        "salt = x'', erased_at = 1 WHERE leaf = 0"
    )
    found(lived.verify("--entry", "0"), Reason.LOG_INCLUSION)


@pytest.mark.parametrize("what", ["nowhere.db", "README.md"])
def test_what_is_no_log_is_said_to_be_none(what: str) -> None:
    code, output = command("log", "verify", what)
    assert code == 2
    assert "failed" in output
