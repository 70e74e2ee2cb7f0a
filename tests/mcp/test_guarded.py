"""The official conformance runner on a plain server, and on the same one behind our guard."""

from pathlib import Path

import httpx

from tests.mcp.judge import Verdict, judged, served
from tests.mcp.people import approving, link_account
from tests.mcp.scenarios import assert_kept
from tests.server.visitor import Visitor


def test_behind_our_guard_every_scenario_passes_that_passes_without_it(
    revision: str, plain: Verdict, person: Visitor, tmp_path: Path
) -> None:
    with served(tmp_path, "tests.mcp.guarded", person.server.url, str(tmp_path)) as url:
        with httpx.Client() as browser:
            link_account(person, url.removesuffix("/mcp").replace("127.0.0.1", "localhost"), browser)
        with approving(person) as approved:
            ours = judged(url, revision, tmp_path)
    assert_kept(revision, plain, ours)
    assert approved
