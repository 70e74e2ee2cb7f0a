"""The official conformance runner on a plain server, and on the same one behind our proxy."""

from pathlib import Path

from tests.mcp.judge import Verdict, judged, served
from tests.mcp.people import approving
from tests.mcp.proxied import proxied
from tests.mcp.scenarios import assert_kept
from tests.server.visitor import Visitor


def test_through_our_proxy_every_scenario_passes_that_passes_without_it(
    revision: str, plain: Verdict, person: Visitor, tmp_path: Path
) -> None:
    with (
        served(tmp_path, "tests.mcp.plain") as upstream,
        proxied(upstream, person, tmp_path) as url,
        approving(person) as approved,
    ):
        ours = judged(url, revision, tmp_path)
    assert_kept(revision, plain, ours)
    assert approved
