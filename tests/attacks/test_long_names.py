"""Two tools whose names begin alike and are longer than a line of the page."""

from __future__ import annotations

import asyncio

from tests.attacks.stage_proxy import play, raw
from tests.gateway.playing import Play
from tests.gateway.test_wire import link, tools
from tests.gateway.wire import wired

assert play
assert raw
LONG = "organisation_of_ours__production_cluster_of_europe__database_" + "x" * 40
READS, DELETES = LONG + "_read", LONG + "_delete"


async def test_they_do_not_look_alike_to_who_approves_one(raw: Play) -> None:
    tools(raw, "one", READS, DELETES)
    async with wired(raw) as wire:
        await wire.hello()
        await link(wire, raw)
        for number, name in enumerate((READS, DELETES), 1):
            await wire.send(id=number, method="tools/call", params={"name": name, "arguments": {}})
            while raw.asked() < number:  # noqa: ASYNC110 - another process writes it
                await asyncio.sleep(0.02)
        pages = [raw.person.get(f"/requests/{found}").text for found in raw.pending()]
    titles = {page.partition("Call the tool ")[2].partition("<")[0] for page in pages}
    assert len(pages) == len(titles) == 2
