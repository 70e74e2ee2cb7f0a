"""The scenarios of the official conformance runner that a server of each revision has to pass."""

from tests.mcp.judge import Verdict, lost, passed

# What the runner asks of every server of a revision: a scenario that it drops or renames is seen here.
SCENARIOS = {
    "2025-11-25": """
        completion-complete dns-rebinding-protection elicitation-sep1034-defaults elicitation-sep1330-enums
        logging-set-level ping prompts-get-embedded-resource prompts-get-simple prompts-get-with-args
        prompts-get-with-image prompts-list resources-list resources-read-binary resources-read-text
        resources-subscribe resources-templates-read resources-unsubscribe server-initialize
        server-sse-multiple-streams tools-call-audio tools-call-elicitation tools-call-embedded-resource
        tools-call-error tools-call-image tools-call-mixed-content tools-call-sampling tools-call-simple-text
        tools-call-with-logging tools-call-with-progress tools-list
    """,
    "2026-07-28": """
        caching completion-complete dns-rebinding-protection input-required-result-basic-elicitation
        input-required-result-basic-list-roots input-required-result-basic-sampling
        input-required-result-capability-check input-required-result-ignore-extra-params
        input-required-result-missing-input-response input-required-result-multi-round
        input-required-result-multiple-input-requests input-required-result-non-tool-request
        input-required-result-request-state input-required-result-result-type input-required-result-tampered-state
        input-required-result-unsupported-methods input-required-result-validate-input prompts-get-embedded-resource
        prompts-get-simple prompts-get-with-args prompts-get-with-image prompts-list resources-list
        resources-read-binary resources-read-text resources-templates-read sep-2164-resource-not-found
        server-sse-multiple-streams server-stateless tools-call-audio tools-call-embedded-resource tools-call-error
        tools-call-image tools-call-mixed-content tools-call-simple-text tools-call-with-progress tools-list
    """,
}


def assert_kept(revision: str, plain: Verdict, ours: Verdict) -> None:
    """Whatever of the runner's list is not passed is failed without us, too; and no single check is lost."""
    asked = set(SCENARIOS[revision].split())
    assert not lost(plain, ours), "\n".join(lost(plain, ours))
    assert asked - passed(ours) == asked - passed(plain)
    assert asked <= plain.keys()
