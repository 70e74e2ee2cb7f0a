"""The agent's side: pair once, then one act at a time, each approved by the person."""

try:
    from oneact.agent.agent import Agent
except ModuleNotFoundError as missing:
    missing.add_note('oneact.agent needs: pip install "oneact[agent]"')
    raise
from oneact.agent.errors import (
    AgentError,
    Denied,
    Expired,
    OutcomeUnknown,
    Refused,
    TermsChanged,
    Undecided,
    Unreachable,
)
from oneact.agent.published import published_actions, published_reads
from oneact.agent.result import Result

__all__ = [
    "Agent",
    "AgentError",
    "Denied",
    "Expired",
    "OutcomeUnknown",
    "Refused",
    "Result",
    "TermsChanged",
    "Undecided",
    "Unreachable",
    "published_actions",
    "published_reads",
]
