"""The samples of docs/service.md run as they stand there, and every argument is named."""

import inspect
import re
from typing import Any

import pytest
from tests.spec.literal import ROOT

from oneact.service import Act, Asker, Reading
from oneact.service.asgi import Guard
from oneact.service.fastapi import Guard as FastApiGuard
from oneact.service.guard import GuardCore

pytest_plugins = ["pytester"]
TEXT = (ROOT / "docs" / "service.md").read_text("utf-8")
FILES = dict(re.findall(r"```python\n# (\w+)\.py\n(.*?)```", TEXT, re.DOTALL))
PLAIN = """
import os, tempfile, time
import httpx
os.environ["AIR_FOLDER"] = tempfile.mkdtemp()
import plain

pytest_plugins = ["oneact.testing.fixtures"]
FLIGHT = {"from": "SFO", "to": "NYC", "bags": 1}


async def booked(approver, agent):
    transport = httpx.ASGITransport(app=plain.app)
    async with httpx.AsyncClient(transport=transport, base_url=plain.guard.resource) as client:
        await approver.link_async(plain.guard, "ada")
        asked = await client.post("/bookings", json=FLIGHT, headers=approver.accept)
        actions = (await client.get("/oneact/actions")).json()
        token = approver.approve(asked.json()["transaction_challenge"], actions, agent, int(time.time()))
        headers = agent.headers("POST", plain.guard.resource + "/bookings", token, int(time.time()))
        page = await client.get("/oneact/link")
        assert page.status_code == 401
        plain.sessions["s"] = plain.LocalAccount("ada", "Ada", int(time.time()))
        page = await client.get("/oneact/link", headers={"Cookie": "air=s"})
        assert "Ada" in page.text
        answer = await client.post("/bookings", json=FLIGHT, headers=headers)
    await plain.guard.stop()
    return answer


def test_plain(oneact_approver, oneact_agent):
    import asyncio
    answer = asyncio.run(booked(oneact_approver, oneact_agent))
    assert answer.json()["reference"].startswith("NYC-")
    assert answer.headers["oneact-receipt"]
"""
BANK = """
import os, tempfile, time
os.environ["BANK_FOLDER"] = tempfile.mkdtemp()
from fastapi.testclient import TestClient
from sqlalchemy import text
import bank

pytest_plugins = ["oneact.testing.fixtures"]
PATH = "/transfers?recipient=bob&cents=5"


def test_bank(oneact_approver, oneact_agent):
    with TestClient(bank.app, base_url=bank.guard.resource) as client:
        oneact_approver.link(bank.guard, "ada")
        asked = client.post(PATH, headers=oneact_approver.accept)
        actions = client.get("/oneact/actions").json()
        token = oneact_approver.approve(asked.json()["transaction_challenge"], actions, oneact_agent, int(time.time()))

        def show():
            headers = oneact_agent.headers("POST", bank.guard.resource + "/transfers", token, int(time.time()))
            return client.post(PATH, headers=headers)

        with bank.engine.begin() as connection:
            connection.execute(text("ALTER TABLE transfers RENAME TO away"))
        assert show().json()["reason"] == "act_rolled_back"
        with bank.engine.begin() as connection:
            connection.execute(text("ALTER TABLE away RENAME TO transfers"))
        assert show().status_code == 201
        assert show().json()["reason"] == "already_spent"
    with bank.engine.begin() as connection:
        assert connection.execute(text("SELECT recipient, cents FROM transfers")).all() == [("bob", 5)]
    bank.engine.dispose()
"""


def test_the_whole_service_passes_its_whole_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(**{name: FILES[name] for name in ("air", "test_air")})
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=3)


def test_the_service_without_fastapi_books_too(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(plain=FILES["plain"], test_plain=PLAIN)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_the_service_that_spends_in_its_own_transaction_does_so_once(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(bank=FILES["bank"], test_bank=BANK)
    pytester.runpytest_subprocess("-q").assert_outcomes(passed=1)


def test_no_other_file_stands_there_untried() -> None:
    assert FILES.keys() == {"air", "test_air", "plain", "bank"}


@pytest.mark.parametrize(
    "function", [GuardCore.__init__, FastApiGuard.action, FastApiGuard.read, Guard.asgi, Guard.asgi_read]
)
def test_every_argument_is_named(function: Any) -> None:
    missing = [name for name in inspect.signature(function).parameters if f"`{name}`" not in TEXT and name != "self"]
    assert missing == []


def test_everything_a_handler_is_told_of_its_act_is_named() -> None:
    told = TEXT.partition("**`act`** has")[2].partition("\n\n")[0]
    assert [name for name in Act.__slots__ if f"`{name}`" not in told and name != "action"] == []


def test_everything_that_is_told_of_who_asks_and_who_reads_is_named() -> None:
    for told, sort in (("`asker` has", Asker), ("`reading: Reading` has", Reading)):
        text = TEXT.partition(told)[2].partition("\n\n")[0]
        assert [name for name in sort.__slots__ if f"`{name}`" not in text] == []
