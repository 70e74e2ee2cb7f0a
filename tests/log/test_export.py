from __future__ import annotations

import pytest

from oneact.errors import Reason
from oneact.log import export
from oneact.log.export import Head
from tests.log.test_replay import LOG
from tests.protocol.refusing import expect_refusal

HEAD = Head(("name+00000000+AAAA",), "note\n")


def test_lines_are_read_back() -> None:
    assert export.parse_head(export.head_line(HEAD)) == HEAD
    for found in (LOG[3], LOG[3]._replace(leaf=None), LOG[3]._replace(entry=None, salt=None)):
        assert export.parse_record(export.record_line(found)) == found


def test_a_public_line_says_nothing_of_what_was_logged() -> None:
    line = export.record_line(LOG[3], public=True)
    assert export.parse_record(line) == LOG[3]._replace(entry=None, salt=None)
    assert b"account" not in line


@pytest.mark.parametrize(
    "line", [b"", b"{}", b"[]", b'{"checkpoint":"n","keys":["k"],"oneact_log":"2"}', b'{"checkpoint":"n","keys":[]}']
)
def test_what_is_no_head_is_refused(line: bytes) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        export.parse_head(line)


@pytest.mark.parametrize(
    "line",
    [
        b"", b"{}", b'{"leaf":-1,"commitment":"x"}', b'{"leaf":0,"commitment":"x"}',
        export.record_line(LOG[3]).replace(b'"salt":"', b'"salt":"!'),
        export.record_line(LOG[3]).replace(b"asked", b"no"),
    ],
)  # fmt: skip
def test_what_is_no_record_is_refused(line: bytes) -> None:
    with expect_refusal(Reason.LOG_MALFORMED):
        export.parse_record(line)
