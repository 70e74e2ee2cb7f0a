"""The deploy demo: approval server, deploy service and CI jobs, on this machine.

With a terminal it walks you through your own browser. With HEADLESS=1, or without a terminal, Chromium plays the
person, and the exit status is 0 only if exactly the one approved deployment stands.
"""

from __future__ import annotations

import os
import shutil
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from examples import processes
from examples.deploy.app import OLDER, SHOP, deployments

if TYPE_CHECKING:
    from examples.person import Person
    from examples.processes import Lines

FOLDER: Final = Path("var/demo-deploy")
SERVER: Final = os.environ.get("ONEACT_SERVER", "http://localhost:8400")
DEPLOY: Final = os.environ.get("DEPLOY_URL", "http://localhost:8700")
_INTENT: Final = "Deploy a commit"
_TYPE: Final = "and type "
_SETTINGS: Final = {
    **processes.settings_of_server(SERVER, FOLDER),
    "ONEACT_SERVER": SERVER,
    "DEPLOY_URL": DEPLOY,
    "DEPLOY_FOLDER": str(FOLDER / "deploy"),
    "CI_REPO": "acme/shop",
    "CI_COMMIT_SHA": SHOP,
    "COMPROMISED_SHA": OLDER,
}


def _say(text: str) -> None:
    print(f"[{time.strftime('%H:%M:%S')}] {text}", flush=True)


class Jobs:
    """The CI: its secret, and the jobs that it runs with it."""

    def __init__(self) -> None:
        self.key_file = FOLDER / "ci.json"
        self.wrong: list[str] = []

    def pairing(self) -> tuple[str, ...]:
        """Give the command by which somebody pairs the CI, once."""
        name = ("--name", "CI of acme/shop", "--key-file", str(self.key_file))
        return ("-m", "oneact.cli", "agent", "pair", "--server", SERVER, *name)

    def start(self, pipeline: str, environment: str, script: str = "ci_job") -> tuple[tuple[str, ...], dict[str, str]]:
        """Give the command of a job, and its environment."""
        settings = {
            **_SETTINGS,
            "ONEACT_CI_KEY": self.key_file.read_text("utf-8"),
            "CI_PIPELINE_ID": pipeline,
            "CI_ENVIRONMENT": environment,
        }
        return ("-m", f"examples.deploy.{script}"), settings

    def ended(self, what: str, lines: Lines, expected: tuple[int, str]) -> None:
        """Say how a job ended, and note where it should have ended otherwise."""
        said = lines.next("CI ")
        status = lines.end()
        _say(f"{what}: {said} (exit status {status})")
        if status != expected[0] or expected[1] not in said:
            self.wrong.append(f"expected {expected}: {status}, {said}")


def headless() -> int:
    """Play the whole demo; give the exit status."""
    from examples.person import Person, chromium

    jobs = Jobs()
    with chromium() as page:
        ada = Person(page, FOLDER, SERVER)
        ada.sign_up("Ada")
        with processes.speaking(jobs.pairing(), _SETTINGS) as lines:
            ada.pair(lines.next("To pair this agent").rpartition(_TYPE)[2])
            _say(f"paired the CI: {lines.next('paired; ')}")
        ada.link(DEPLOY, "deploy")
        _say("linked the account at the deploy service")
        _play(ada, jobs)
    done = deployments(FOLDER / "deploy")
    _say(f"the deploy service holds {len(done)} deployment(s): {[row[2:] for row in done]}")
    _say(f"pictures of the pages are in {FOLDER}/")
    for line in jobs.wrong:
        _say(f"WRONG {line}")
    return 0 if [row[2:] for row in done] == [("acme/shop", SHOP, "production")] and not jobs.wrong else 1


def _play(ada: Person, jobs: Jobs) -> None:
    """Deny one job, approve one, run that one again, and have a third send another commit than the approved one."""
    with processes.speaking(*jobs.start("101", "staging")) as lines:
        ada.open_request(_INTENT)
        ada.deny("Not before the tests are green.")
        jobs.ended("a job that was denied", lines, (3, "denied"))
    with processes.speaking(*jobs.start("102", "production")) as lines:
        ada.open_request(_INTENT, "deploy-request")
        ada.approve("Done. Receipt verified.", "deploy-outcome")
        jobs.ended("a job that was approved", lines, (0, "deployed"))
    with processes.speaking(*jobs.start("102", "production")) as lines:
        jobs.ended("the same job, run again; nobody was asked", lines, (0, "deployed"))
    with processes.speaking(*jobs.start("103", "production", "compromised")) as lines:
        ada.open_request(_INTENT)
        ada.approve("Handed over", "deploy-other-commit")
        jobs.ended("a runner that sends another commit than the approved one", lines, (5, "act_mismatch"))


def by_hand() -> int:
    """Walk a person through their own browser: pair, link, then job after job until they end it."""
    jobs, number = Jobs(), 0
    print(f"\n 1. Make an account with a passkey:  {SERVER}/signup")
    with processes.speaking(jobs.pairing(), _SETTINGS) as lines:
        print(f" 2. Pair the CI: type its code       {lines.next('To pair this agent').rpartition(_TYPE)[2]}")
        print(f"    at                               {SERVER}/pair")
        lines.next("paired; ", 3600)
    print(f" 3. Sign in at the service and link: {DEPLOY}/login   then   {DEPLOY}/oneact/link")
    print(f" 4. Approve or deny in your inbox:   {SERVER}/inbox\n Ctrl-C ends the demo.\n")
    while True:
        number += 1
        input(f"Enter starts pipeline {number}. ")
        for what in ("its job", "its job, run again"):
            with processes.speaking(*jobs.start(str(number), "production")) as lines:
                _say(f"{what}: {lines.next('CI ', 3600)}")


def main() -> int:
    """Run the demo in a fresh folder."""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir(parents=True)
    alone = os.environ.get("HEADLESS") == "1" or not sys.stdin.isatty()
    port = DEPLOY.rpartition(":")[2]
    serve = ("-m", "uvicorn", "--factory", "examples.deploy.app:from_environment", "--port", port)
    parts = [processes.approval_server(SERVER), processes.Part("deploy", (*serve, "--log-level", "warning"), DEPLOY)]
    _say(f"starting: approval server {SERVER}, deploy service {DEPLOY}")
    try:
        with processes.running(parts, _SETTINGS, FOLDER):
            return headless() if alone else by_hand()
    except (KeyboardInterrupt, EOFError):
        return 0
    except RuntimeError as error:
        _say(f"stopped: {error}")
        return 1


if __name__ == "__main__":
    sys.exit(main())
