"""What an annotation may say of an argument beside its type, where the framework has no word of its own for it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Form:
    """A form field, or a model of form fields: `Annotated[str, Form()]`. `alias` is its name on the wire."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Body:
    """A member of the JSON body that is no model: `Annotated[str, Body()]`. `alias` is its name on the wire."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class Query:
    """A field of the query, as what is no model is anyway: `Annotated[str, Query(alias="from")]`."""

    alias: str | None = None


@dataclass(frozen=True, slots=True)
class File:
    """One file of a multipart form, where its type does not tell: `Annotated[bytes, File()]`; `alias` as above."""

    alias: str | None = None
