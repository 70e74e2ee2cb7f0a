"""The example deploy service and its CI job, which is a process of its own, as in a CI."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from examples.deploy.app import OLDER, SHOP, create_app, deployments

from tests.examples.conftest import Place, decide, linked, paired, running
from tests.server.peers import RunningServer
from tests.server.visitor import Visitor
from tests.spec.literal import ROOT

Job = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def service(server: RunningServer, tmp_path: Path) -> Iterator[Place]:
    with running(create_app, server, tmp_path / "deploy") as place:
        yield place


@pytest.fixture
def person(server: RunningServer, service: Place) -> Visitor:
    return linked(server, service)


@pytest.fixture
def job(server: RunningServer, service: Place, person: Visitor, tmp_path: Path) -> Job:
    """Give what runs a CI job to its end, while the person decides as told; without a decision nobody does."""
    secret = paired(server, person, tmp_path / "ci.json").read_text("utf-8")
    settings = {
        "ONEACT_CI_KEY": secret, "ONEACT_SERVER": server.url, "DEPLOY_URL": service.resource, "CI_PIPELINE_ID": "7",
        "CI_REPO": "acme/shop", "CI_COMMIT_SHA": SHOP, "CI_ENVIRONMENT": "production", "COMPROMISED_SHA": OLDER,
    }  # fmt: skip

    def run(
        decision: str = "", script: str = "ci_job", seen: list[str] | None = None, **changes: str
    ) -> subprocess.CompletedProcess[str]:
        looking = (seen if seen is not None else []).append
        deciding = threading.Thread(target=decide, args=(person, decision, looking))
        if decision:
            deciding.start()
        done = subprocess.run(
            [sys.executable, "-m", f"examples.deploy.{script}"],
            cwd=ROOT, env={**os.environ, **settings, **changes}, capture_output=True, text=True, timeout=60,
            check=False,
        )  # fmt: skip
        if decision:
            deciding.join()
        return done

    return run


def asked(person: Visitor) -> int:
    return len(person.server.execute("SELECT id FROM requests"))


def test_the_person_sees_the_commit_as_the_service_knows_it_and_it_is_deployed_once(
    service: Place, person: Visitor, job: Job
) -> None:
    seen: list[str] = []
    done = job("approve", seen=seen)
    assert done.returncode == 0, done.stdout + done.stderr
    address = f"https://git.example/acme/shop/commit/{SHOP}"
    assert f'data-format="url">{address}<' in seen[0]
    assert "Round the basket&#39;s total once, at the end" in seen[0]
    again = job()
    assert (again.returncode, again.stdout) == (0, done.stdout)
    assert asked(person) == 1
    assert [row[1:] for row in deployments(service.folder)] == [("ada", "acme/shop", SHOP, "production")]


def test_another_pipeline_and_another_environment_are_asked_for_anew(service: Place, person: Visitor, job: Job) -> None:
    assert job("approve", CI_ENVIRONMENT="staging").returncode == 0
    assert job("approve").returncode == 0
    assert job("approve", CI_PIPELINE_ID="8").returncode == 0
    assert asked(person) == 3
    assert [row[4] for row in deployments(service.folder)] == ["staging", "production", "production"]


def test_an_approval_of_one_commit_deploys_no_other(service: Place, job: Job) -> None:
    done = job("approve", script="compromised")
    assert (done.returncode, "act_mismatch" in done.stdout) == (5, True), done.stdout + done.stderr
    assert deployments(service.folder) == []


def test_a_denied_job_fails_with_the_persons_words_also_when_it_is_run_again(
    service: Place, person: Visitor, job: Job
) -> None:
    done = job("Not on a Friday")
    assert (done.returncode, done.stdout) == (3, "CI denied: Not on a Friday\n")
    assert (job().returncode, asked(person)) == (3, 1)
    assert deployments(service.folder) == []


def test_a_job_that_nobody_answers_fails_as_expired(service: Place, person: Visitor, job: Job) -> None:
    done = job(CI_WAIT="1")
    assert done.returncode == 4
    assert done.stdout.startswith("CI expired: ")
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
    assert done.returncode == status, done.stdout + done.stderr
    assert done.stdout.startswith("CI ")
    assert asked(person) == 0


def test_a_secret_that_was_never_paired_does_not_wait_for_somebody_to_type(
    person: Visitor, job: Job, tmp_path: Path
) -> None:
    unpaired = json.loads((tmp_path / "ci.json").read_text("utf-8")) | {"hint": ""}
    done = job(ONEACT_CI_KEY=json.dumps(unpaired))
    assert (done.returncode, asked(person)) == (2, 0), done.stdout + done.stderr


def test_no_line_of_a_job_tells_its_secret(job: Job, tmp_path: Path) -> None:
    key = json.loads((tmp_path / "ci.json").read_text("utf-8"))["key"]["d"]
    for done in (job("No"), job(ONEACT_SERVER="http://localhost:1"), job(CI_COMMIT_SHA="x")):
        assert key not in done.stdout + done.stderr
