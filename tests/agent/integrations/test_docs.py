"""The samples of docs/agent-frameworks.md run as they stand there, but for the two addresses."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from pydantic_ai.messages import ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import FunctionModel

from oneact.agent import keys
from tests.agent.integrations import test_langchain as of_langchain
from tests.agent.integrations import test_openai_agents as of_openai
from tests.agent.integrations.scripted_api import ScriptedApi
from tests.agent.stage import Stage, flight, stage
from tests.gateway.conftest import play
from tests.gateway.playing import Play
from tests.spec.literal import ROOT

__all__ = ["play", "stage"]
TEXT = (ROOT / "docs" / "agent-frameworks.md").read_text("utf-8")
SAMPLES = dict(re.findall(r"```python\n# (?:with_)?(\w+)\.py\n(.*?)```", TEXT, re.DOTALL))


@pytest.fixture
def main(stage: Stage, request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give the sample's `main`, which finds the pairing where it looks for it, and whose functions are linked."""
    monkeypatch.setenv("ONEACT_HOME", str(tmp_path))
    shutil.copy(stage.key_file, keys.default_file(stage.server.url))
    monkeypatch.setattr("oneact.agent.agent._print_link", stage.linking)
    source = SAMPLES[request.function.__name__.removeprefix("test_").partition("_calls_")[0]]
    source = source.replace("http://localhost:8400", stage.server.url).replace("http://localhost:8500", stage.air)
    found: dict[str, Any] = {}
    exec(source, found)  # noqa: S102 - our own sample
    return found["main"]


@contextlib.asynccontextmanager
async def booking(stage: Stage, count: int = 1) -> AsyncIterator[None]:
    """Have the person approve; see that one flight more was booked."""
    before = stage.booked()
    async with stage.approving(count):
        yield
    assert stage.booked() == before + 1


async def test_quickstart(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    async with play.client() as client:
        await play.link(client)
    home = play.folder / "home"
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    started = f'["mcp-proxy", "--no-open", "--server", "{play.server.url}", "--"'
    command = ", ".join(f'"{word}"' for word in play.upstream)
    source = SAMPLES["quickstart"].replace('"python", "notes_server.py"', command)
    source = source.replace('["mcp-proxy", "--name", "notes", "--"', started).replace(
        '"args"', f'"env": {{"ONEACT_HOME": "{home}", "TEST_CALLS": "{play.folder / "calls"}"}}, "args"'
    )
    found: dict[str, Any] = {}
    exec(source, found)  # noqa: S102 - our own sample
    model = of_openai.Scripted(("sample", {"name": "a", "text": "b"}))
    model.name = "write_note"
    async with play.deciding("approve"):
        await found["main"](model)
    assert play.calls == ["write a b 1"]
    assert "written" in str(model.answers[0])


async def test_plain(stage: Stage, main: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with booking(stage):
        await main()
    assert "reference" in capsys.readouterr().out


async def test_langchain(stage: Stage, main: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with booking(stage):
        await main(of_langchain.Scripted(calls=[of_langchain.call()]))
    asked, said = capsys.readouterr().out.splitlines()
    assert asked == f"Your approval is asked for at {stage.server.url}/inbox"
    assert said == "done"


async def test_langchain_own(stage: Stage, main: Any, tmp_path: Path) -> None:
    draft = tmp_path / "draft.txt"
    draft.touch()
    async with stage.approving():
        await main(of_langchain.Scripted(calls=[{"name": "remove", "args": {"file": str(draft)}}]))
    assert not draft.exists()


async def test_openai_agents(stage: Stage, main: Any, capsys: pytest.CaptureFixture[str]) -> None:
    model = of_openai.Scripted(("sample", flight()))
    async with booking(stage):
        await main(model)
    assert "reference" in model.answers[0]
    assert capsys.readouterr().out == "done\n"


async def test_openai_agents_calls_a_function_of_the_file(stage: Stage, main: Any) -> None:
    model = of_openai.Scripted(("own", {"text": "the milk"}))
    model.name = "remind"
    async with stage.approving():
        await main(model)
    assert model.answers == ["will remind of the milk"]


async def test_claude(stage: Stage, main: Any, tmp_path: Path) -> None:
    api = ScriptedApi(("mcp__air__book_flight", flight()))
    with api.serving() as url:
        env = {
            "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "HOME": str(tmp_path),
            "CLAUDE_CONFIG_DIR": str(tmp_path), "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
        }  # fmt: skip
        async with booking(stage):
            await main(tools=[], setting_sources=[], env=env, cwd=tmp_path)
    assert "reference" in str(api.answers[0]["content"])


async def test_pydantic_ai(stage: Stage, main: Any, capsys: pytest.CaptureFixture[str]) -> None:
    def script(messages: Any, _: Any) -> ModelResponse:
        if any(part.part_kind == "tool-return" for part in messages[-1].parts):
            return ModelResponse([TextPart("done")])
        return ModelResponse([ToolCallPart("book_flight", flight())])

    async with booking(stage):
        await main(FunctionModel(script))
    asked, said = capsys.readouterr().out.splitlines()
    assert asked == f"Your approval is asked for at {stage.server.url}/inbox"
    assert said == "done"


async def test_own(stage: Stage, main: Any, capsys: pytest.CaptureFixture[str]) -> None:
    async with stage.approving():
        await main()
    assert capsys.readouterr().out == "sent to ada@example.com\n"


def test_every_sample_is_run() -> None:
    assert {f"test_{name}" for name in SAMPLES} <= globals().keys()
