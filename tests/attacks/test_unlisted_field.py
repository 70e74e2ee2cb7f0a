"""The agent brings something in by a way that the action does not list: query, form, header."""

from pathlib import Path
from typing import Annotated

import pytest
from fastapi import Header

from oneact.service.fastapi import Act, Guard
from tests.attacks.stage import FLIGHT, told
from tests.service.airline import Airline
from tests.service.world import Caller


async def test_an_unlisted_query_field_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings?to=LAX", json=FLIGHT)
    assert told(answer)[:2] == (422, "parameter_unknown")
    assert airline.books.all() == []


async def test_a_form_in_place_of_the_body_is_refused(caller: Caller, airline: Airline) -> None:
    token = await caller.approved(await caller.ask("POST", "/bookings", json=FLIGHT))
    answer = await caller.show(token, "POST", "/bookings", data=FLIGHT)
    assert told(answer)[:2] == (415, "media_type")
    assert airline.books.all() == []


def test_a_handler_that_reads_a_header_unshown_is_refused_at_the_start(tmp_path: Path) -> None:
    guard = Guard(
        resource="http://localhost:1", name="x", key=tmp_path / "k", store=tmp_path / "s", account=None, issuers=[]
    )
    with pytest.raises(ValueError, match="secretly"):

        @guard.action("book", intent="Book", summary="")
        async def book(act: Act, secretly: Annotated[str, Header()]) -> None: ...
