"""Several acts at once: one page, one gesture, an end for each; on real parts."""

from __future__ import annotations

import asyncio

import pytest

from oneact.agent import Agent, Denied, Refused, Result, Undecided
from tests.agent.stage import Stage, agent, flight, stage

__all__ = ["agent", "stage"]


async def test_a_batch_is_one_page_and_one_gesture_and_each_act_has_its_own_end(stage: Stage, agent: Agent) -> None:
    def decide(found: list[str]) -> None:
        denied = next(each for each in found if stage.to(each) == "LAX")
        page = stage.person.get(f"/requests/{found[0]}").text
        assert all(to in page for to in ("NYC", "LAX", "BOS"))
        stage.deny(denied, "Not there")
        stage.approve(*(each for each in found if each != denied))

    before = stage.booked()
    wanted = [(stage.air, "book_flight", flight(to)) for to in ("NYC", "LAX", "NYC", "BOS")]
    async with stage.deciding(decide, 4):
        first, second, third, fourth = await agent.batch(wanted, reason="You asked")
    done = [each for each in (first, third, fourth) if isinstance(each, Result)]
    assert len({each.txn for each in done}) == 3
    assert [stage.went_to(each) for each in done] == ["NYC", "NYC", "BOS"]
    assert isinstance(second, Denied)
    assert second.message == "Not there"
    assert stage.booked() == before + 3


async def test_an_act_that_gets_no_offer_does_not_keep_the_others(stage: Stage, agent: Agent) -> None:
    wanted = [(stage.air, "book_flight", flight(bags=99)), (stage.air, "book_flight", flight()), (stage.air, "no", {})]
    async with stage.approving():
        first, second, third = await agent.batch(wanted)
    assert isinstance(first, Refused)
    assert first.reason == "parameters_invalid"
    assert isinstance(second, Result)
    assert isinstance(third, Refused)
    assert third.reason == "action_unknown"


async def test_an_act_that_the_server_refuses_does_not_keep_the_others(stage: Stage, agent: Agent) -> None:
    acts = [(stage.air, "book_flight", flight("ONE")), (stage.air, "book_flight", flight("TWO"))]
    kept = await agent.batch(acts, wait=0, keep=True, idempotency_keys=["i-1", "i-2"])
    assert [type(each) for each in kept] == [Undecided, Undecided]
    acts[0] = (stage.air, "book_flight", flight("THREE"))

    def deny(found: list[str]) -> None:
        for each in found:
            stage.deny(each, "")

    async with stage.deciding(deny, 2):
        changed, same = await agent.batch(acts, idempotency_keys=["i-1", "i-2"])
    assert isinstance(changed, Refused)
    assert changed.reason == "idempotency_conflict"
    assert isinstance(same, Denied)


async def test_acts_that_start_at_once_are_one_page_and_can_be_gone_on_with_alone(stage: Stage, agent: Agent) -> None:
    def start(to: str, wait: int) -> asyncio.Task[Result]:
        asked = agent.act(
            stage.air, "book_flight", flight(to), idempotency_key=f"at-once-{to}", wait=wait, keep=True, together=True
        )
        return asyncio.create_task(asked)

    before = stage.booked()
    ended = await asyncio.gather(start("AMS", 0), start("OSL", 0), return_exceptions=True)
    assert [type(each) for each in ended] == [Undecided, Undecided]
    [[batches]] = stage.server.execute("SELECT count(DISTINCT batch_id) FROM requests WHERE state = 'pending'")
    assert (batches, len(stage.pending())) == (1, 2)
    async with stage.approving(2):
        amsterdam = await start("AMS", 60)
        with pytest.raises(Undecided):
            await start("RIX", 0)
        assert stage.went_to(await start("OSL", 60)) == "OSL"
    assert stage.went_to(amsterdam) == "AMS"
    assert stage.booked() == before + 2
    stage.deny(*stage.pending(), "")


async def test_one_that_is_given_up_does_not_hold_the_others(stage: Stage, agent: Agent) -> None:
    def start(to: str) -> asyncio.Task[Result]:
        return asyncio.create_task(agent.act(stage.air, "book_flight", flight(to), together=True))

    async with stage.approving():
        given_up, going = start("NYC"), start("LAX")
        await asyncio.sleep(0)
        given_up.cancel()
        assert stage.went_to(await going) == "LAX"
    assert given_up.cancelled()


async def test_parameters_that_change_while_the_person_is_asked_are_not_executed(stage: Stage, agent: Agent) -> None:
    before, meant = stage.booked(), flight("NYC")

    def decide(found: list[str]) -> None:
        meant["to"] = "LAX"
        stage.approve(*found)

    async with stage.deciding(decide):
        with pytest.raises(Refused) as refused:
            await agent.act(stage.air, "book_flight", meant)
    assert refused.value.reason == "act_mismatch"
    assert stage.booked() == before


async def test_no_acts_or_too_few_keys_are_no_batch(stage: Stage, agent: Agent) -> None:
    for acts, names in (([], []), ([(stage.air, "book_flight", flight())], ["a", "b"])):
        with pytest.raises(Refused) as refused:
            await agent.batch(acts, idempotency_keys=names)
        assert refused.value.reason == "request_malformed"
