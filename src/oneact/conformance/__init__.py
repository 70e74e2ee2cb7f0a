"""Conformance: approval server, agent and person played against a running service, one wrong request a row."""
