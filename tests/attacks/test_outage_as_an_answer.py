"""A service or an approval server that cannot be reached must not look like an answer to the model."""

from __future__ import annotations

from dataclasses import replace

import pytest
from starlette.applications import Starlette
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount, Route

from oneact.agent import Agent, OutcomeUnknown, Refused, Unreachable
from oneact.agent.integrations import told
from tests.agent.integrations import frameworks
from tests.agent.stage import Stage, agent, flight, stage
from tests.ports import free_port
from tests.server.peers import Service
from tests.service.world import served

__all__ = ["agent", "stage"]


@pytest.mark.parametrize("name", frameworks.ALL)
async def test_an_outage_ends_the_run(stage: Stage, agent: Agent, name: str) -> None:
    [tool] = await agent.tools(stage.air, only=["book_flight"])
    gone = replace(tool, service=f"http://localhost:{free_port()}")
    with pytest.raises(Exception, match="cannot be reached") as raised:
        await frameworks.ALL[name].run(gone, "gone", flight())
    assert isinstance(raised.value.__cause__ or raised.value, Unreachable)


@pytest.mark.parametrize(
    "page",
    [
        RedirectResponse("https://login.example/", 302),
        HTMLResponse("<p>We will be back soon"),
        Response(status_code=204),
        HTMLResponse("<p>default backend", 404),
    ],
)
async def test_the_page_of_something_in_between_is_no_answer(agent: Agent, page: Response) -> None:
    port = free_port()
    service = Service(f"http://localhost:{port}")
    in_between = Route("/oneact/act", lambda _: page, methods=["POST"])
    with served(Starlette(routes=[in_between, Mount("/", service.app())]), port):
        [tool] = await agent.tools(service.url, only=["book_flight"])
        with pytest.raises((Unreachable, Refused)):
            await tool.call(flight())


@pytest.mark.parametrize(
    "error",
    [
        Unreachable("gone"),
        OutcomeUnknown("txn"),
        Refused("store_unavailable", "", 503),
        Refused("http_502", "", 502),
        Refused("http_404", "", 404),
        Refused("rate_limited", "", 429),
        Refused("hint_unknown", "", 400),
    ],
)
def test_what_is_no_word_of_service_or_person_is_not_worded_for_a_model(error: Exception) -> None:
    with pytest.raises(type(error)):
        told(error)  # type: ignore[arg-type]
