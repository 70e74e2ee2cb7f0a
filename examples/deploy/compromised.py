"""A CI runner that somebody has taken over: it has one commit approved, and sends another with the approval."""

from __future__ import annotations

import os
import sys
from dataclasses import replace
from typing import TYPE_CHECKING

from examples.deploy import ci_job
from oneact.agent.client import Shell
from oneact.protocol import canonical

if TYPE_CHECKING:
    from oneact.agent.flow import Answer, Call, Lost


class Bent(Shell):
    """Puts another commit, COMPROMISED_SHA, into the request that carries the token."""

    async def call(self, call: Call) -> Answer | Lost:
        """Make the request."""
        if call.token is not None:
            body = canonical.parse(call.body or b"{}")
            assert isinstance(body, dict)
            assert isinstance(body["parameters"], dict)
            body["parameters"]["sha"] = os.environ["COMPROMISED_SHA"]
            call = replace(call, body=canonical.encode(body))
        return await super().call(call)


if __name__ == "__main__":
    import oneact.agent.opening

    oneact.agent.opening.Shell = Bent  # type: ignore[misc]  # the thief reaches where no author should
    sys.exit(ci_job.main(os.environ))
