"""Asking on behalf of programs that have no key of their own (specification, section 6.3)."""
