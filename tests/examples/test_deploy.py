"""The example deploy service and its CI job, which is a process of its own, as in a CI."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from examples.deploy.app import OLDER, SHOP, create_app, deployments

from tests.examples.conftest import Place, decide, linked, paired, running
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.spec.literal import ROOT


class Ended(NamedTuple):
    """How a job ended, and all that it printed."""

    status: int
    said: str


Job = Callable[..., Ended]


@pytest.fixture
def service(server: RunningServer, tmp_path: Path) -> Iterator[Place]:
    with running(create_app, server, tmp_path / "deploy") as place:
        yield place


@pytest.fixture
def person(server: RunningServer, service: Place) -> Visitor:
    return linked(server, service)


@pytest.fixture
def settings(server: RunningServer, service: Place, person: Visitor, tmp_path: Path) -> dict[str, str]:
    """Give what the CI sets for its jobs."""
    secret = paired(server, person, tmp_path / "ci.json").read_text("utf-8")
    return {
        "ONEACT_CI_KEY": secret, "ONEACT_SERVER": server.url, "DEPLOY_URL": service.resource, "CI_PIPELINE_ID": "7",
        "CI_REPO": "acme/shop", "CI_COMMIT_SHA": SHOP, "CI_ENVIRONMENT": "production", "COMPROMISED_SHA": OLDER,
    }  # fmt: skip


@contextlib.contextmanager
def started(settings: dict[str, str], script: str = "ci_job") -> Iterator[subprocess.Popen[str]]:
    """Run a CI job, to its end where nobody ends it before."""
    command = [sys.executable, "-m", f"examples.deploy.{script}"]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **settings}, text=True, **pipes) as process:
        try:
            yield process
        finally:
            process.kill()


@pytest.fixture
def job(settings: dict[str, str], person: Visitor) -> Job:
    """Give what runs a CI job to its end, while the person decides as told; without a decision nobody does."""

    def run(decision: str = "", script: str = "ci_job", seen: list[str] | None = None, **changes: str) -> Ended:
        with started({**settings, **changes}, script) as process:
            if decision:
                decide(person, decision, (seen if seen is not None else []).append)
            said, _ = process.communicate(timeout=60)
        return Ended(process.returncode, said)

    return run


def asked(person: Visitor) -> int:
    return len(person.server.execute("SELECT id FROM requests"))


def test_the_person_sees_the_commit_as_the_service_knows_it_and_it_is_deployed_once(
    service: Place, person: Visitor, job: Job
) -> None:
    seen: list[str] = []
    done = job("approve", seen=seen)
    assert done.status == 0, done.said
    address = f"https://git.example/acme/shop/commit/{SHOP}"
    assert f'data-format="url">{address}<' in seen[0]
    assert "Round the basket&#39;s total once, at the end" in seen[0]
    again = job()
    assert (again.status, again.said) == (0, done.said)
    assert asked(person) == 1
    assert [row[1:] for row in deployments(service.folder)] == [("ada", "acme/shop", SHOP, "production")]


def test_another_pipeline_and_another_environment_are_asked_for_anew(service: Place, person: Visitor, job: Job) -> None:
    assert job("approve", CI_ENVIRONMENT="staging").status == 0
    assert job("approve").status == 0
    assert job("approve", CI_PIPELINE_ID="8").status == 0
    assert asked(person) == 3
    assert [row[4] for row in deployments(service.folder)] == ["staging", "production", "production"]


def test_a_job_that_was_killed_while_it_waited_is_the_same_question_when_it_is_run_again(
    service: Place, person: Visitor, settings: dict[str, str], job: Job
) -> None:
    with started(settings) as process:
        until = time.monotonic() + 20
        while asked(person) == 0 and time.monotonic() < until:
            time.sleep(0.02)
        process.kill()
    assert job("approve").status == 0
    assert (asked(person), len(deployments(service.folder))) == (1, 1)


def test_two_runs_of_one_job_at_once_deploy_once_and_both_know_it(
    service: Place, person: Visitor, settings: dict[str, str]
) -> None:
    with started(settings) as one, started(settings) as other:
        decide(person, "approve")
        said = [process.communicate(timeout=60)[0] for process in (one, other)]
    assert said[0] == said[1]
    assert said[0].startswith("CI deployed ")
    assert (asked(person), len(deployments(service.folder))) == (1, 1)


def test_an_approval_of_one_commit_deploys_no_other(service: Place, job: Job) -> None:
    done = job("approve", script="compromised")
    assert (done.status, "act_mismatch" in done.said) == (5, True), done.said
    assert deployments(service.folder) == []


def test_a_denied_job_fails_with_the_persons_words_also_when_it_is_run_again(
    service: Place, person: Visitor, job: Job
) -> None:
    done = job("Not on a Friday")
    assert (done.status, done.said) == (3, "CI denied: Not on a Friday\n")
    assert (job().status, asked(person)) == (3, 1)
    assert deployments(service.folder) == []


def test_a_job_that_nobody_answers_fails_as_expired(service: Place, person: Visitor, job: Job) -> None:
    done = job(CI_WAIT="1")
    assert done.status == 4
    assert done.said.startswith("CI expired: ")
    assert person.server.execute("SELECT state FROM requests") == [("cancelled",)]
    assert deployments(service.folder) == []


@pytest.mark.parametrize(
    ("changes", "status"),
    [
        ({"CI_COMMIT_SHA": "9fceb02"}, 5),
        ({"CI_COMMIT_SHA": "0" * 40}, 5),
        ({"CI_ENVIRONMENT": "elsewhere"}, 5),
        ({"CI_REPO": "acme/../shop"}, 5),
        ({"ONEACT_CI_KEY": "{}"}, 5),
        ({"ONEACT_CI_KEY": ""}, 2),
        ({"CI_WAIT": "soon"}, 2),
        ({"DEPLOY_URL": "http://localhost:9"}, 6),
    ],
)
def test_a_job_that_cannot_be_asked_for_reaches_no_person(
    person: Visitor, job: Job, changes: dict[str, str], status: int
) -> None:
    done = job(**changes)
    assert done.status == status, done.said
    assert done.said.startswith("CI ")
    assert asked(person) == 0


def test_a_secret_that_was_never_paired_does_not_wait_for_somebody_to_type(
    person: Visitor, job: Job, tmp_path: Path
) -> None:
    unpaired = json.loads((tmp_path / "ci.json").read_text("utf-8")) | {"hint": ""}
    done = job(ONEACT_CI_KEY=json.dumps(unpaired))
    assert (done.status, asked(person)) == (2, 0), done.said


def test_no_line_of_a_job_tells_its_secret(job: Job, tmp_path: Path) -> None:
    key = json.loads((tmp_path / "ci.json").read_text("utf-8"))["key"]["d"]
    for done in (job("No"), job(ONEACT_SERVER="http://localhost:1"), job(CI_COMMIT_SHA="x")):
        assert key not in done.said
