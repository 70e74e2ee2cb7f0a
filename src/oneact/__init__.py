"""OneAct: let an agent do one act, approved by a person's passkey, verified by the service."""

from oneact.errors import Reason, Refusal

__all__ = ["Reason", "Refusal"]
__version__ = "0.1.0"
