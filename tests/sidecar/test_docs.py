"""docs/sidecar.md: its files are the example that the other tests run; every member, setting and reason is named."""

import re
from dataclasses import fields
from pathlib import Path

import pytest

from oneact.errors import Reason
from oneact.service import Act, Reading
from oneact.sidecar import calls, config
from oneact.sidecar.verifier import _members
from tests.sidecar.running import EXPRESS, asking, settle_in, sidecar
from tests.sidecar.service import refused
from tests.spec.literal import ROOT

REASONS = [
    Reason.REQUEST_MALFORMED, Reason.REQUEST_TOO_LARGE, Reason.CLIENT_UNKNOWN, Reason.CSRF, Reason.ADDRESS_UNKNOWN,
    Reason.RECEIPT_UNKNOWN, Reason.METHOD_NOT_ALLOWED, Reason.RECEIPT_CONFLICT, Reason.MEDIA_TYPE,
    Reason.STORE_UNAVAILABLE,
]  # fmt: skip
TEXT = (ROOT / "docs" / "sidecar.md").read_text("utf-8")
PROSE = re.sub(r"```(?:toml|js)\n.*?```", "", TEXT, flags=re.DOTALL)
FILES = dict(re.findall(r"```(?:toml|js)\n(?:#|//) ([a-z.]+)\n(.*?)```", TEXT, re.DOTALL))


@pytest.mark.parametrize("name", ["sidecar.toml", "app.js"])
def test_the_files_are_those_of_the_example(name: str) -> None:
    assert FILES[name] == (EXPRESS / name).read_text("utf-8")


def test_no_other_file_stands_there_untried() -> None:
    assert FILES.keys() == {"sidecar.toml", "app.js"}
    assert len(re.findall(r"```(?:toml|js)\n", TEXT)) == 2


def test_every_call_is_named_with_its_members() -> None:
    rows = re.findall(r"^\| `(/[a-z]+)` \| (.*?) \|", TEXT, re.MULTILINE)
    assert [path for path, _ in rows] == list(calls.MEMBERS)
    for path, said in rows:
        members = set(re.findall(r"`([a-z_0-9]+)`", said)) or set(re.findall(r"`([a-z_0-9]+)`", rows[0][1]))
        needed, optional = calls.MEMBERS[path]
        assert members == needed | optional
        assert {name for name in members if f"`{name}`?" in (said if "`" in said else rows[0][1])} == optional


async def test_the_call_that_is_shown_gets_an_offer(tmp_path: Path) -> None:
    place = await settle_in(tmp_path, issuers='["http://localhost:8400"]')
    [(path, body)] = re.findall(
        r"http://localhost(/\w+) -H 'Content-Type: application/json' -d '(.*?)'\n", TEXT, re.DOTALL
    )
    with sidecar(place):
        async with asking(place) as client:
            answer = await client.post(path, content=body, headers={"Content-Type": "application/json"})
    assert refused(answer.json()) == (401, "approval_required")


@pytest.mark.parametrize("name", [*config.SETTINGS, *config.ACTION, *config.READ])
def test_every_member_of_the_configuration_is_named(name: str) -> None:
    assert f"`{name}`" in PROSE or f"`[{name}.NAME]`" in PROSE


def test_everything_that_is_handed_out_is_named() -> None:
    told = PROSE.partition("**`execute`** has")[2].partition("\n\n")[0]
    reading = PROSE.partition("**`/read`** says")[2].partition("\n\n")[0]
    assert [found.name for found in fields(Reading) if f"`{found.name}`" not in reading] == []
    act = Act("alice", "txn", "book_flight", {}, None, (), "issuer", "client", "jkt")
    assert [name for name in _members(act, 0) if name != "action" and f"`{name}`" not in told] == []


@pytest.mark.parametrize("reason", REASONS)
def test_every_reason_of_the_private_api_is_named(reason: Reason) -> None:
    row = next(
        row for row in PROSE.partition("| status | reason | why |")[2].splitlines() if f"`{reason.value}`" in row
    )
    assert str(reason.status) in row
