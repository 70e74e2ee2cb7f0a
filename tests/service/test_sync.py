"""The guard's loop beside the threads of an application: whose thread runs what, and when it begins and ends."""

import asyncio
import contextvars
import queue
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.ports import free_port
from tests.service.airline import Airline
from tests.service.conftest import link
from tests.service.world import ApprovalServer, Caller, eventually

from oneact.errors import Reason, Refusal
from oneact.service import wsgi
from oneact.service.background import Background
from oneact.service.visit import Visit, current

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}
MARK: contextvars.ContextVar[str] = contextvars.ContextVar("mark")


async def nothing() -> None:
    pass


@pytest.fixture
def background() -> Iterator[Background]:
    found = Background(nothing, nothing)
    yield found
    found.stop()


async def called(*functions: Callable[[], Any]) -> list[Any]:
    visit = current()
    assert visit is not None
    return [await visit.call(function) for function in functions]


def test_what_the_loop_calls_runs_in_the_thread_that_serves_in_its_context(background: Background) -> None:
    MARK.set("mine")
    ran = Visit().serve(background.submit, called(threading.get_ident, MARK.get))
    assert ran == [threading.get_ident(), "mine"]


def test_the_work_itself_sees_nothing_of_the_request(background: Background) -> None:
    MARK.set("mine")

    async def work() -> tuple[bool, int]:
        return MARK in contextvars.copy_context(), threading.get_ident()

    seen, thread = Visit().serve(background.submit, work())
    assert (seen, thread == threading.get_ident()) == (False, False)


def test_a_visit_within_a_visit_is_served_by_the_same_thread(background: Background) -> None:
    def inner() -> Any:
        return Visit().serve(background.submit, called(threading.get_ident))

    assert Visit().serve(background.submit, called(inner)) == [[threading.get_ident()]]


@pytest.mark.parametrize("error", [ValueError("no"), StopIteration(), Refusal(Reason.INTERNAL)])
def test_what_a_function_raises_reaches_the_loop_and_comes_back(background: Background, error: Exception) -> None:
    def fail() -> None:
        raise error

    with pytest.raises((type(error), RuntimeError)):
        Visit().serve(background.submit, called(fail))
    assert Visit().serve(background.submit, called(lambda: 1)) == [1]


def test_a_thread_that_is_ended_in_a_call_tells_the_loop_and_ends(background: Background) -> None:
    told: queue.Queue[BaseException] = queue.Queue()

    async def work() -> None:
        try:
            await called(sys.exit)
        except RuntimeError as error:
            told.put(error)

    with pytest.raises(SystemExit):
        Visit().serve(background.submit, work())
    assert "ended" in str(told.get(timeout=10))


def test_where_the_requests_thread_has_left_another_one_runs_the_call(background: Background) -> None:
    left, ran = threading.Event(), queue.Queue[int]()

    async def afterwards(visit: Visit) -> None:
        await asyncio.to_thread(left.wait, 10)
        ran.put(await visit.call(threading.get_ident))

    async def work() -> Any:
        visit = current()
        assert visit is not None
        return asyncio.get_running_loop().create_task(afterwards(visit))

    kept = Visit().serve(background.submit, work())
    left.set()
    assert ran.get(timeout=10) != threading.get_ident()
    assert kept is not None


def test_a_call_that_nobody_has_begun_when_the_thread_leaves_fails(background: Background) -> None:
    told: queue.Queue[BaseException] = queue.Queue()
    with pytest.raises(SystemExit):
        Visit().serve(background.submit, leaving(told))
    assert "has left" in str(told.get(timeout=10))


async def leaving(told: "queue.Queue[BaseException]") -> None:
    """Ask for two calls at once; the first ends the thread."""
    visit = current()
    assert visit is not None
    first = asyncio.create_task(visit.call(sys.exit))
    second = asyncio.create_task(visit.call(lambda: None))
    for task in (first, second):
        try:
            await task
        except RuntimeError as error:
            if task is second:
                told.put(error)


def test_the_loop_is_one_thread_begun_at_first_use_and_begins_again_after_its_end() -> None:
    order: list[str] = []

    async def begin() -> None:
        order.append("begin")

    async def end() -> None:
        order.append("end")

    background = Background(begin, end)
    background.stop()
    assert order == []
    threads = {Visit().serve(background.submit, thread()) for _ in range(3)}
    assert len(threads) == 1
    background.stop()
    assert order == ["begin", "end"]
    Visit().serve(background.submit, thread())
    background.stop()
    assert order == ["begin", "end"] * 2


async def thread() -> int:
    return threading.get_ident()


def test_a_beginning_that_fails_is_told_to_whoever_asks_next(tmp_path: Path) -> None:
    (tmp_path / "no").write_text("a file where a folder belongs")
    guard = wsgi.Guard(
        resource="http://localhost:1", name="A", key=tmp_path / "k", store=tmp_path / "no" / "s.db",
        account=lambda _: None, issuers=[],
    )  # fmt: skip
    try:
        with pytest.raises(Refusal) as refused:
            guard.settle_sync("http://localhost:2", "txn", "executed")
        assert refused.value.reason is Reason.STORE_UNAVAILABLE
    finally:
        guard.stop_sync()


def test_a_request_that_the_end_cuts_off_is_refused() -> None:
    begun = threading.Event()

    async def never() -> None:
        begun.set()
        await asyncio.Event().wait()

    guard = object.__new__(wsgi.Guard)
    guard._background = Background(nothing, nothing)
    answers: queue.Queue[Any] = queue.Queue()

    def request() -> None:
        answers.put(guard.answered("GET", "/", lambda: None, lambda _: never()))  # type: ignore[arg-type,return-value]  # nothing looks at them

    waiting = threading.Thread(target=request)
    waiting.start()
    assert begun.wait(10)
    guard.stop_sync()
    waiting.join(10)
    assert answers.get(timeout=10).status == 503


def test_an_owners_object_that_turns_out_asynchronous_is_a_mistake(tmp_path: Path) -> None:
    class Notify:
        async def __call__(self, account: str, event: str) -> None: ...

    async def call(guard: wsgi.Guard) -> None:
        with pytest.raises(TypeError, match="asynchronous"):
            await guard.call(lambda: Notify()("a", "e"))

    guard = wsgi.Guard(
        resource="http://localhost:1", name="A", key=tmp_path / "k", store=tmp_path / "s", account=lambda _: None,
        issuers=[], notify=Notify(),
    )  # fmt: skip
    guard.visited(call(guard))
    guard.stop_sync()


@pytest.mark.parametrize("airline", ["django", "flask", "wsgi"], indirect=True)
async def test_as_many_handlers_run_as_the_server_has_threads(caller: Caller, airline: Airline) -> None:
    airline.guard.threads = type(airline.guard.threads)(count=1, patience=0.1)
    slow = FLIGHT | {"note": "slow"}
    tokens = [await caller.approved(await caller.ask("POST", "/bookings", json=slow)) for _ in range(6)]
    running = [asyncio.create_task(caller.show(token, "POST", "/bookings", json=slow)) for token in tokens]
    await eventually(lambda: len(airline.books.all()) == len(tokens))
    airline.release.set()
    assert {answer.status_code for answer in await asyncio.gather(*running)} == {201}


@pytest.mark.parametrize("airline", ["flask"], indirect=True)
async def test_the_owner_can_settle_from_a_thread(caller: Caller, airline: Airline) -> None:
    body = FLIGHT | {"note": "raise"}
    cut = await caller.act("POST", "/bookings", json=body)
    txn = (await caller.verified(cut.json()["receipt"])).txn
    guard = airline.guard
    assert isinstance(guard, wsgi.Guard)
    assert await asyncio.to_thread(guard.settle_sync, caller.server.issuer, txn, "executed")
    assert not await asyncio.to_thread(guard.settle_sync, caller.server.issuer, txn, "executed")


async def test_a_process_that_ends_after_its_last_request_ends_at_once(server: ApprovalServer, tmp_path: Path) -> None:
    port = free_port()
    await link(tmp_path, f"http://localhost:{port}", server)
    code = (
        "import sys\nfrom pathlib import Path\nfrom tests.service.airline import Airline\n"
        "airline = Airline('flask', int(sys.argv[1]), sys.argv[2], Path(sys.argv[3]))\n"
        "assert airline.app.test_client().get('/oneact/jwks.json').status_code == 200\n"
    )
    before = time.monotonic()
    command = [sys.executable, "-W", "error", "-c", code, str(port), server.issuer, str(tmp_path)]
    found = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.PIPE)
    _, said = await found.communicate()
    assert (found.returncode, said) == (0, b"")
    assert time.monotonic() - before < 20
