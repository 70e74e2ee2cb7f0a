"""The step of a CI job that deploys: it asks for one deployment, waits for the person, and ends as that ended.

The pairing is made once, on somebody's own machine, with `oneact agent pair --key-file ci.json`; the content of that
file is the CI secret ONEACT_CI_KEY. It is the right to ask, and deploys nothing by itself.

What the job takes from its environment: ONEACT_CI_KEY, ONEACT_SERVER, DEPLOY_URL, CI_PIPELINE_ID, CI_REPO,
CI_COMMIT_SHA, CI_ENVIRONMENT; and CI_WAIT, the seconds to wait for the person, 600 (as long as an offer lives).
Exit status: 0 deployed, 1 the deployment failed, 2 set up wrongly, 3 denied, 4 expired, 5 refused, 6 unreachable,
7 outcome unknown.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from oneact.agent import Agent, AgentError, Denied, Expired, OutcomeUnknown, Refused, Unreachable

if TYPE_CHECKING:
    from collections.abc import Mapping

    from oneact.agent import Result

WANTED = (
    "ONEACT_CI_KEY",
    "ONEACT_SERVER",
    "DEPLOY_URL",
    "CI_PIPELINE_ID",
    "CI_REPO",
    "CI_COMMIT_SHA",
    "CI_ENVIRONMENT",
)
FAILED, WRONG = 1, 2
ENDS: tuple[tuple[type[AgentError], int, str], ...] = (
    (Denied, 3, "denied: {}"),
    (Expired, 4, "expired: {}; start a new pipeline to ask again"),
    (Refused, 5, "refused: {}"),
    (Unreachable, 6, "unreachable: {}; nothing was deployed, run the job again"),
    (OutcomeUnknown, 7, "outcome unknown: {}; look at the service before anybody deploys again"),
)


class NotPairedError(Exception):
    """The secret is no finished pairing; a CI job never waits for somebody to type a code."""


async def deploy(environment: Mapping[str, str], key_file: Path) -> Result:
    """Ask for the deployment, once for each pipeline and environment: a job that is run again asks nobody anew."""
    repo, sha, env = (environment[name] for name in ("CI_REPO", "CI_COMMIT_SHA", "CI_ENVIRONMENT"))
    key = f"{environment['CI_PIPELINE_ID']} {env}"
    async with await Agent.open(environment["ONEACT_SERVER"], key_file=key_file, on_code=_no_one_is_here) as agent:
        return await agent.act(
            environment["DEPLOY_URL"],
            "deploy",
            {"repo": repo, "sha": sha, "env": env},
            reason=f"Pipeline {environment['CI_PIPELINE_ID']}",
            wait=int(environment.get("CI_WAIT", "600")),
            idempotency_key=key,
        )


def main(environment: Mapping[str, str]) -> int:
    """Deploy and say in one line how it ended; give the exit status."""
    missing = [name for name in WANTED if not environment.get(name)]
    if missing:
        return _say(WRONG, f"not set: {', '.join(missing)}")
    if not environment.get("CI_WAIT", "600").isdecimal():
        return _say(WRONG, "CI_WAIT is no number of seconds")
    with tempfile.TemporaryDirectory() as folder:
        key_file = Path(folder) / "ci.json"
        key_file.touch(0o600)
        key_file.write_text(environment["ONEACT_CI_KEY"], "utf-8")
        try:
            result = asyncio.run(deploy(environment, key_file))
        except NotPairedError:
            return _say(WRONG, "ONEACT_CI_KEY holds no finished pairing; pair once, and store the file again")
        except AgentError as error:
            return next(_say(status, line.format(error)) for kind, status, line in ENDS if isinstance(error, kind))
    if result.receipt is None or result.receipt.status != "executed":
        return _say(FAILED, f"failed: the service answered {result.status}; its receipt is for {result.txn}")
    told = f"{environment['CI_COMMIT_SHA'][:12]} to {environment['CI_ENVIRONMENT']}"
    return _say(0, f"deployed {told}; receipt of {result.txn} verified")


def _say(status: int, line: str) -> int:
    print(f"CI {' '.join(line.split())}", flush=True)
    return status


def _no_one_is_here(code: str, address: str) -> None:
    raise NotPairedError(code, address)


if __name__ == "__main__":
    sys.exit(main(os.environ))
