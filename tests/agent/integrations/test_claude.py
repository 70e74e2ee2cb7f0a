"""Agents of the Claude Agent SDK: the package's own CLI, its model scripted on loopback, the real approval server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

from oneact.agent import Agent
from oneact.agent.integrations import claude
from tests.agent.integrations.scripted_api import ScriptedApi
from tests.agent.stage import Stage, agent, flight, stage
from tests.ports import free_port

__all__ = ["agent", "stage"]
BOOK = "mcp__air__book_flight"


async def run(api: ScriptedApi, home: Path, **options: Any) -> list[Any]:
    """Have the CLI run to its end; give what it said. It finds nothing of whoever runs the tests."""
    with api.serving() as url:
        env = {
            "ANTHROPIC_BASE_URL": url, "ANTHROPIC_API_KEY": "none", "HOME": str(home), "CLAUDE_CONFIG_DIR": str(home),
            "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1", "DISABLE_AUTOUPDATER": "1",
        }  # fmt: skip
        given = ClaudeAgentOptions(**{"tools": [], "setting_sources": [], "env": env, "cwd": home, **options})
        return [message async for message in query(prompt="Go on", options=given)]


async def with_air(api: ScriptedApi, home: Path, tools: Any) -> list[Any]:
    return await run(api, home, mcp_servers={"air": claude.server("air", tools)}, allowed_tools=["mcp__air"])


async def test_an_approved_call_is_executed_once(stage: Stage, agent: Agent, tmp_path: Path) -> None:
    api, before = ScriptedApi((BOOK, flight())), stage.booked()
    async with stage.approving():
        said = await with_air(api, tmp_path, await agent.tools(stage.air))
    assert isinstance(said[-1], ResultMessage)
    assert "reference" in str(api.answers[0]["content"])
    assert stage.booked() == before + 1


async def test_a_no_reaches_the_model_in_the_persons_words(stage: Stage, agent: Agent, tmp_path: Path) -> None:
    api, before = ScriptedApi((BOOK, flight())), stage.booked()
    async with stage.denying("Too dear for me"):
        await with_air(api, tmp_path, await agent.tools(stage.air))
    assert api.answers[0]["is_error"]
    assert "Too dear for me" in str(api.answers[0]["content"])
    assert stage.booked() == before


async def test_an_outage_is_an_error_and_no_answer(stage: Stage, agent: Agent, tmp_path: Path) -> None:
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    api = ScriptedApi((BOOK, flight()))
    await with_air(api, tmp_path, [replace(tool, service=f"http://localhost:{free_port()}")])
    assert api.answers[0]["is_error"]
    assert "cannot be reached" in str(api.answers[0]["content"])
