"""Guarded services and functions as tools of agent frameworks; each framework in a file of its own, with its extra."""

from oneact.agent.integrations.telling import Told, told
from oneact.agent.integrations.tools import Tool, wish

__all__ = ["Told", "Tool", "told", "wish"]
