"""The agent's side: pair once, then one act at a time, each approved by the person."""

from oneact.agent.agent import Agent, Result
from oneact.agent.errors import AgentError, Denied, Expired, OutcomeUnknown, Refused, TermsChanged, Unreachable
from oneact.agent.published import published_actions, published_reads

__all__ = [
    "Agent",
    "AgentError",
    "Denied",
    "Expired",
    "OutcomeUnknown",
    "Refused",
    "Result",
    "TermsChanged",
    "Unreachable",
    "published_actions",
    "published_reads",
]
