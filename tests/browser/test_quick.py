"""The shortest way: what README-quick shows is the file that its demo runs, and the demo plays to its end."""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.spec.literal import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    import pytest

FILE = ROOT / "examples" / "quick" / "notes.py"


def test_the_page_shows_the_whole_file_and_it_is_short() -> None:
    [shown] = re.findall(r"```python\n(.*?)```", (ROOT / "README-quick.md").read_text(), re.DOTALL)
    assert shown == FILE.read_text().replace("# noqa: S105 - yours", "# yours")
    assert len(shown.splitlines()) < 60
    assert f"a whole one in {len(shown.splitlines())} lines" in (ROOT / "README.md").read_text()


def test_the_sign_in_leads_to_no_other_site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    client = runpy.run_path(str(FILE))["app"].test_client()
    for elsewhere in (
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "https://evil.example",
    ):
        answer = client.post("/login", query_string={"next": elsewhere}, data={"name": "ada"})
        assert answer.headers["Location"] == "/"
    answer = client.post("/login", query_string={"next": "/approve/pair"}, data={"name": "ada"})
    assert answer.headers["Location"] == "/approve/pair"


def test_the_demo_goes_from_nothing_to_the_first_approved_call() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "examples.quick.demo"],
        cwd=ROOT, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=110, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert "the notes are now {'plan': 'rest'}" in done.stdout
    assert re.search(r"from nothing to the first approved call: \d+\.\d s", done.stdout)
