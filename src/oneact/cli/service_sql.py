"""`oneact service sql`: the table that an owner's database needs where handlers spend in their own transaction."""

from __future__ import annotations

import typer


def sql() -> None:
    """Print the SQL of the table `oneact_spends`, for SQLite and PostgreSQL; it changes nothing where that exists."""
    from oneact.service.store.owner import SPENDS_SQL

    typer.echo(SPENDS_SQL, nl=False)
