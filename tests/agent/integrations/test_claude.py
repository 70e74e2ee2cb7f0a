"""Agents of the Claude Agent SDK: the package's own CLI, its model scripted on loopback, the real approval server."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from claude_agent_sdk import ClaudeAgentOptions, ResultMessage, query

from oneact.agent import Agent
from oneact.agent.integrations import claude
from tests.agent.integrations.linked import agent
from tests.agent.integrations.scripted_api import ScriptedApi
from tests.agent.stage import Stage, flight, stage
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


async def test_a_hook_lets_a_call_pass_once_with_what_was_approved(stage: Stage, agent: Agent, tmp_path: Path) -> None:
    made, shown = tmp_path / "made", []
    api = ScriptedApi(("Bash", {"command": f"touch {made}", "description": "Make a file"}))

    def decide(found: list[str]) -> None:
        shown.append(stage.person.get(f"/requests/{found[0]}").text)
        assert not made.exists()
        stage.approve(*found)

    async with stage.deciding(decide):
        await run(api, tmp_path, tools=["Bash"], hooks={"PreToolUse": [claude.pre_tool_use(agent)]})
    assert made.exists()
    assert f"touch {made}" in shown[0]
    assert "stops the model, not a hostile program" in shown[0]


async def test_a_hook_tells_the_model_a_no_and_lets_what_is_allowed_pass(
    stage: Stage, agent: Agent, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    api = ScriptedApi(("Bash", {"command": f"touch {made}", "description": "Make a file"}))
    async with stage.denying("Leave it"):
        await run(
            api, tmp_path, tools=["Bash"], allowed_tools=["Bash"],
            hooks={"PreToolUse": [claude.pre_tool_use(agent)]},
        )  # fmt: skip
    assert api.answers[0]["is_error"]
    assert "Leave it" in str(api.answers[0]["content"])
    assert not made.exists()
    asked = stage.asked()
    allowed = claude.pre_tool_use(agent, allowed=["Ba*"])
    await run(api, tmp_path, tools=["Bash"], allowed_tools=["Bash"], hooks={"PreToolUse": [allowed]})
    assert (made.exists(), stage.asked()) == (True, asked)


async def test_a_hook_that_meets_an_outage_blocks_the_call(stage: Stage, agent: Agent, tmp_path: Path) -> None:
    made = tmp_path / "made"
    api = ScriptedApi(("Bash", {"command": f"touch {made}", "description": "Make a file"}))
    gone = await Agent.open(stage.server.url, key_file=stage.key_file)
    gone.functions(on_link=lambda _: None)
    in_the_way = await agent.functions()._open()  # the port of the functions is taken
    assert in_the_way.resource
    await run(
        api, tmp_path, tools=["Bash"], allowed_tools=["Bash"],
        hooks={"PreToolUse": [claude.pre_tool_use(gone)]},
    )  # fmt: skip
    await gone.close()
    assert not made.exists()
    assert api.answers[0]["is_error"]


async def test_a_permission_callback_asks_the_person_where_claude_would_ask(
    stage: Stage, agent: Agent, tmp_path: Path
) -> None:
    made = tmp_path / "made"
    api = ScriptedApi(("Bash", {"command": f"touch {made}", "description": "Make a file"}))
    async with stage.approving():
        await run(api, tmp_path, tools=["Bash"], can_use_tool=claude.can_use_tool(agent))
    assert made.exists()
    made.unlink()
    asked = stage.asked()
    await run(api, tmp_path, tools=["Bash"], can_use_tool=claude.can_use_tool(agent))
    assert "let pass before" in str(api.answers[0]["content"])  # the very same call
    assert (made.exists(), stage.asked()) == (False, asked)
    api = ScriptedApi(*api.calls)
    async with stage.denying("Not now"):
        await run(api, tmp_path, tools=["Bash"], can_use_tool=claude.can_use_tool(agent))
    assert not made.exists()
    assert "Not now" in str(api.answers[0]["content"])
