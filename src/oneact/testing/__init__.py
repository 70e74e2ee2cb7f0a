"""For tests of those who adopt OneAct: a software authenticator, an in-process approver, fixtures, a frozen clock."""

from oneact.testing.approver import InProcessApprover, TestAgent, new_key, one_act
from oneact.testing.authenticator import SoftwarePasskey
from oneact.testing.clock import FrozenClock

__all__ = ["FrozenClock", "InProcessApprover", "SoftwarePasskey", "TestAgent", "new_key", "one_act"]
