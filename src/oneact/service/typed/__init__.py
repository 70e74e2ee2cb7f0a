"""Handlers whose annotations say what their parameters are, read with pydantic; knows no framework."""
