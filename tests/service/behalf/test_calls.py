"""A held call waits for its person, is executed once, and its end is kept until it has reached its program."""

from __future__ import annotations

import asyncio
import json
import sqlite3
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from tests.service.behalf.desk import Desk, Program, person, request_of

from oneact.errors import Reason
from oneact.protocol import client_assertion, receipt
from oneact.service.behalf import asking, calls, following

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.server.visitor import Visitor


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    found = Desk(tmp_path)
    with found.running():
        yield found


@pytest.fixture
def ada(desk: Desk) -> Visitor:
    return person(desk)


@pytest.fixture
def program(desk: Desk, ada: Visitor) -> Program:
    assert ada.account
    return Program(desk)


def approve(ada: Visitor, standing: dict[str, Any]) -> None:
    answer = ada.approve(request_of(standing))
    assert answer.status_code == 200, answer.text


def deny(ada: Visitor, standing: dict[str, Any], message: str = "") -> None:
    identifier = request_of(standing)
    ada.get(f"/requests/{identifier}")
    assert ada.post("/requests/deny", requests=[identifier], message=message).status_code == 200


def test_nothing_is_done_before_the_approval_and_exactly_that_once_after_it(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    held = program.call()
    assert (held["state"], held["answer"]) == ("held", None)
    assert held["page"].startswith(desk.embedded.issuer)
    assert desk.written == []
    approve(ada, held)
    done = program.wait(held)
    assert done["state"] == "done"
    assert json.loads(done["answer"])["written"] == "/a"
    assert receipt.parse(done["receipt"])[0].status == "executed"
    assert desk.written == [{"path": "/a", "much": 1}]


def test_it_is_done_when_its_person_approves_whether_or_not_its_program_asks(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    held = program.call()
    approve(ada, held)
    for _ in range(200):
        if desk.written:
            break
        threading.Event().wait(0.05)
    assert desk.written == [{"path": "/a", "much": 1}]
    assert program.call()["state"] == "done"


def test_the_same_call_again_is_the_one_that_is_held_or_was_done_until_its_end_has_been_delivered(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    held = program.call()
    assert program.call()["id"] == held["id"]
    assert program.call(parameters={"much": 1})["id"] == held["id"]  # the default, said
    approve(ada, held)
    assert program.wait(held)["state"] == "done"
    again = program.call()
    assert (again["id"], again["state"]) == (held["id"], "done")
    program.tell("delivered", held)
    anew = program.call()
    assert anew["id"] != held["id"]
    assert anew["state"] == "held"
    assert len(desk.written) == 1


def test_two_of_the_same_at_once_are_one(desk: Desk, ada: Visitor, program: Program) -> None:
    found: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: found.append(program.call())) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert len({standing["id"] for standing in found}) == 1
    approve(ada, found[0])
    assert program.wait(found[0])["state"] == "done"
    assert len(desk.written) == 1


def at_once(*making: Callable[[], dict[str, Any]]) -> list[dict[str, Any]]:
    """Make calls at the same time."""
    with ThreadPoolExecutor(len(making)) as threads:
        return [found.result() for found in [threads.submit(make) for make in making]]


def test_calls_of_one_program_at_once_are_one_page_and_one_gesture_and_each_is_done_once(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    paths = ["/a", "/b", "/c"]
    held = at_once(*(partial(program.call, path) for path in paths))
    [page] = {standing["page"] for standing in held}
    shown = ada.get(page.removeprefix(desk.embedded.issuer)).text
    assert all(path in shown for path in paths)
    items = [identifier for [identifier] in ada.server.execute("SELECT id FROM requests")]
    assert ada.approve(*items).status_code == 200
    assert {program.wait(standing)["state"] for standing in held} == {"done"}
    assert sorted(found["path"] for found in desk.written) == paths


def test_one_of_a_batch_is_denied_and_the_others_are_done(desk: Desk, ada: Visitor, program: Program) -> None:
    at_once(*(partial(program.call, path) for path in ("/a", "/b")))
    asked = dict(ada.server.execute("SELECT json_extract(act, '$.parameters.path'), id FROM requests"))
    assert ada.post("/requests/deny", requests=[asked["/b"]]).status_code == 200
    assert ada.approve(asked["/a"]).status_code == 200
    assert program.wait(program.call("/a"))["state"] == "done"
    assert program.wait(program.call("/b"))["state"] == "denied"
    assert [found["path"] for found in desk.written] == ["/a"]


def test_calls_of_two_programs_at_once_are_two_pages(desk: Desk, program: Program) -> None:
    held = at_once(partial(program.call, "/a"), partial(Program(desk, "two").call, "/b"))
    assert len({standing["page"] for standing in held}) == 2


def test_a_batch_in_which_one_cannot_be_asked_for_is_asked_one_by_one(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    good, lost = at_once(partial(program.call, "/a"), program.call_lost)
    assert request_of(good)
    assert (lost["state"], lost["page"]) == ("held", "")  # the approval server may find it later, so it is tried again
    approve(ada, good)
    assert program.wait(good)["state"] == "done"
    assert [found["path"] for found in desk.written] == ["/a"]


def test_other_parameters_and_other_sessions_are_other_calls(desk: Desk, program: Program) -> None:
    assert program.call("/a")["id"] != program.call("/b")["id"]
    assert program.call("/a")["id"] != Program(desk, "two").call("/a")["id"]


def test_a_call_of_another_session_is_unknown_to_this_one(desk: Desk, program: Program) -> None:
    held = program.call()
    for path, body in (("/wait", {"seconds": 0}),):
        assert Program(desk, "two").post(path, id=held["id"], **body) == {"reason": Reason.HELD_UNKNOWN.value}
    assert program.wait({"id": "none"}, 0) == {"reason": Reason.HELD_UNKNOWN.value}


def test_a_denial_has_the_words_of_the_person_and_is_kept_until_delivered(ada: Visitor, program: Program) -> None:
    held = program.call()
    deny(ada, held, "not that folder")
    ended = program.wait(held)
    assert (ended["state"], ended["said"]) == ("denied", "not that folder")
    assert program.call()["id"] == held["id"]  # nobody is asked again because an answer was lost
    program.tell("delivered", held)
    assert program.call()["state"] == "held"


def test_a_call_without_its_person_expires_and_is_never_done(desk: Desk, program: Program) -> None:
    held = program.call()
    desk.clock.ahead += 601
    assert program.wait(held)["state"] == "expired"
    assert desk.written == []


def test_a_machine_that_slept_between_signing_and_asking_asks_again(
    desk: Desk, ada: Visitor, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[str] = []

    def build(*given: Any) -> str:
        made = client_assertion.build(*given)
        if not slept:
            desk.clock.ahead += 120
        slept.append(made)
        return made

    signing = SimpleNamespace(build=build, ASSERTION_TYPE=client_assertion.ASSERTION_TYPE, LEEWAY=5)
    monkeypatch.setattr(asking, "client_assertion", signing)
    held = program.call()
    approve(ada, held)
    assert program.wait(held)["state"] == "done"
    assert len(slept) > 2
    assert len(desk.written) == 1


def test_an_account_without_a_passkey_is_told_so(program: Program) -> None:
    assert program.call(account="bob") == {"reason": Reason.PASSKEY_NEEDED.value}


def test_what_the_schema_does_not_take_is_refused_and_nobody_is_asked(desk: Desk, program: Program) -> None:
    assert program.call(parameters={"more": 1}) == {"reason": Reason.PARAMETER_UNKNOWN.value}
    assert desk.written == []


def test_a_handler_that_fails_is_an_outcome(ada: Visitor, program: Program) -> None:
    held = program.call("/forbidden")
    approve(ada, held)
    done = program.wait(held)
    assert (done["state"], json.loads(done["answer"])) == ("done", {"said": "not there"})
    assert receipt.parse(done["receipt"])[0].status == "failed"


def test_an_answer_too_large_to_keep_still_reaches_who_waits(ada: Visitor, program: Program) -> None:
    held = program.call(parameters={"much": 100_000})
    approve(ada, held)
    assert len(json.loads(program.wait(held)["answer"])["filler"]) == 100_000


def test_who_gave_up_and_comes_again_finds_the_same_request(desk: Desk, ada: Visitor, program: Program) -> None:
    held = program.call()
    program.tell("cancel", held)
    approve(ada, held)
    assert program.wait({"id": held["id"]}, 3)["state"] == "done"  # it waits again, so it is done
    assert len(desk.written) == 1


def test_what_was_given_up_is_withdrawn_and_not_done(
    desk: Desk, ada: Visitor, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following.Followed.give_up, "__defaults__", (0.0,))
    held = program.call()
    program.tell("cancel", held)
    assert withdrawn(desk, held)
    begun = ada.begin_approval(request_of(held))
    assert begun["reason"] == Reason.NOT_PENDING.value
    assert desk.written == []


def test_one_program_that_gives_up_does_not_withdraw_what_the_other_waits_for(
    desk: Desk, ada: Visitor, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(following.Followed.give_up, "__defaults__", (0.0,))
    held = program.call()
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(program.wait, held)
        assert waited_for(desk, held)
        program.tell("cancel", held)
        assert state_of(desk, held) == "held"
        approve(ada, held)
        assert waiting.result()["state"] == "done"
    assert len(desk.written) == 1


def waited_for(desk: Desk, standing: dict[str, Any]) -> bool:
    """Tell whether somebody waits for a call before long."""
    for _ in range(300):
        if desk.calls._followed[standing["id"]].waiters:
            return True
        threading.Event().wait(0.02)
    return False


def withdrawn(desk: Desk, standing: dict[str, Any]) -> bool:
    """Tell whether a call is withdrawn before long."""
    for _ in range(300):
        if state_of(desk, standing) == "expired":
            return True
        threading.Event().wait(0.05)
    return False


def state_of(desk: Desk, standing: dict[str, Any]) -> str:
    """Give the state in which the service keeps a call, without waiting for it."""
    with sqlite3.connect(desk.folder / "files.db") as connection:
        [[found]] = connection.execute("SELECT state FROM held WHERE id = ?", (standing["id"],)).fetchall()
    return str(found)


def test_who_leaves_takes_all_its_calls_along_but_not_those_of_others(
    desk: Desk, ada: Visitor, program: Program
) -> None:
    mine, others = program.call(), Program(desk, "two").call()
    program.tell("leave")
    assert withdrawn(desk, mine)
    approve(ada, others)
    assert Program(desk, "two").wait(others)["state"] == "done"


def test_so_many_are_held_and_no_more(program: Program) -> None:
    for number in range(calls.OF_ACCOUNT):
        assert program.call(f"/{number}")["state"] == "held"
    assert program.call("/more") == {"reason": Reason.RATE_LIMITED.value}


def test_what_is_being_executed_goes_on_when_its_program_leaves(desk: Desk, ada: Visitor, program: Program) -> None:
    desk.release.clear()
    held = program.call()
    approve(ada, held)
    assert program.wait(held, 1)["state"] == "held"
    program.tell("leave")
    desk.release.set()
    assert program.wait(held)["state"] == "done"
    assert len(desk.written) == 1


def test_another_process_takes_a_held_call_up_again(tmp_path: Path) -> None:
    first = Desk(tmp_path)
    with first.running():
        ada = person(first)
        held = Program(first).call()
        done = Program(first).call("/done")
        approve(ada, done)
        assert Program(first).wait(done)["state"] == "done"
    second = Desk(tmp_path, port=first.port)
    with second.running():
        again = Program(second).call()
        assert again["id"] == held["id"]
        kept = Program(second).call("/done")  # its end may never have reached the program
        assert (kept["id"], json.loads(kept["answer"])["written"]) == (done["id"], "/done")
        approve(ada, again)
        assert Program(second).wait(again)["state"] == "done"
    assert [found["path"] for found in second.written] == ["/a"]


def test_a_call_is_refused_where_the_account_is_no_longer_linked_to_who_was_asked(
    desk: Desk, ada: Visitor, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: object) -> None:
        return None

    held = program.call()
    monkeypatch.setattr(desk.guard.store, "find_link", nobody)
    approve(ada, held)
    ended = program.wait(held)
    assert (ended["state"], ended["said"]) == ("refused", Reason.ACCOUNT_NOT_LINKED.value)
    assert desk.written == []


async def test_leaving_is_bounded_where_the_approval_server_says_nothing(
    desk: Desk, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    async def never(*_: object) -> None:
        asked.set()
        await asyncio.Event().wait()

    held = await asyncio.to_thread(program.call)
    monkeypatch.setattr(desk.calls._gathering.asking, "cancel", never)
    loop = desk.guard.loop
    assert loop is not None
    leaving = asyncio.run_coroutine_threadsafe(desk.calls.leave(None, 0.2), loop)
    await asyncio.wait_for(asyncio.wrap_future(leaving), 10)
    assert asked.is_set()
    assert state_of(desk, held) == "held"


async def test_what_is_withdrawn_at_once_is_not_withdrawn_later_because_its_caller_goes_too(
    desk: Desk, program: Program
) -> None:
    held = await asyncio.to_thread(program.call)
    followed = desk.calls._followed[held["id"]]
    followed.give_up(0.0)
    at = followed._until
    followed.give_up()
    assert followed._until == at


async def test_a_call_whose_caller_goes_while_it_is_asked_for_is_withdrawn_with_the_others(
    desk: Desk, program: Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The request stands at the approval server before the service has its answer."""
    assert await asyncio.to_thread(program.call, "/other")
    loop, ask_all = desk.guard.loop, desk.calls._gathering.asking.ask_all
    asked, answered = threading.Event(), threading.Event()

    async def slowly(held: Any) -> Any:
        found = await ask_all(held)
        asked.set()
        await asyncio.to_thread(answered.wait, 10)
        return found

    monkeypatch.setattr(desk.calls._gathering.asking, "ask_all", slowly)
    assert loop is not None
    begun = desk.calls.begin(desk.guard.actions["write"], {"path": "/gone"}, "ada", "one")
    beginning = asyncio.run_coroutine_threadsafe(begun, loop)
    assert await asyncio.to_thread(asked.wait, 10)
    beginning.cancel()
    leaving = asyncio.run_coroutine_threadsafe(desk.calls.leave("one", 10.0), loop)
    answered.set()
    await asyncio.wait_for(asyncio.wrap_future(leaving), 10)
    with sqlite3.connect(desk.folder / "approve" / "approve.db") as connection:
        found = connection.execute("SELECT state FROM requests").fetchall()
    assert found == [("cancelled",), ("cancelled",)]
    assert desk.written == []
