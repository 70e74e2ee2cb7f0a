"""A person is erased: nothing of theirs is left in the file, and everything goes on to verify."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from tests.tlog.lived import Lived, command


def test_what_is_erased_is_gone_and_the_log_still_holds(lived: Lived) -> None:
    before = lived.database.read_bytes()
    traces = [b"Ada", lived.account.encode(), b"cancelled</", b'"to":"denied"', b"http://localhost"]
    assert b"Ada" in before
    assert b'"to":"denied"' in before
    code, output = command("log", "erase", lived.account, str(lived.database), "--yes")
    assert code == 0, output
    with closing(sqlite3.connect(lived.database)) as connection:
        for (table,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            for row in connection.execute(f'SELECT * FROM "{table}"').fetchall():  # noqa: S608 - names out of the schema
                assert lived.account not in [str(value) for value in row], table
        [[erased]] = connection.execute("SELECT count(*) FROM entries WHERE erased_at IS NOT NULL").fetchall()
    left = lived.database.read_bytes()
    assert [trace for trace in traces[:2] if trace in left] == []
    assert b'"to":"denied"' not in left
    code, output = lived.verify("--against", str(lived.note))
    assert code == 0, output
    assert f"({erased} erased)" in output
    assert erased > 10


def test_nobody_and_nothing_is_not_erased(lived: Lived, tmp_path: Path) -> None:
    assert command("log", "erase", "nobody", str(lived.database), "--yes")[0] == 2
    assert command("log", "erase", "nobody", str(tmp_path / "no.db"), "--yes")[0] == 2
    code, _ = command("log", "erase", lived.account, str(lived.database))  # nobody says yes
    assert code == 1
    assert lived.verify()[0] == 0
