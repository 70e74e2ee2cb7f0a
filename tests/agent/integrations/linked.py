"""An agent whose own functions its person links when it asks for that."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from oneact.agent import Agent
from tests.agent.stage import Stage


@pytest.fixture
async def agent(stage: Stage) -> AsyncIterator[Agent]:
    async with await Agent.open(stage.server.url, key_file=stage.key_file) as found:
        found.functions(on_link=stage.linking)
        yield found
