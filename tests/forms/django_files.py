"""The agency's form as a Django site: the check that reads it before the guard is Django's own."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from django.core.files.uploadedfile import UploadedFile
from django.urls import path

from oneact.service.django import Act, File, Form
from tests.forms import django_air
from tests.forms.django_air import account, site_async
from tests.forms.files import PATH, SAID
from tests.service.django_site import UNPROTECTED, serving

if TYPE_CHECKING:
    from tests.forms.files import Agency

__all__ = ["account", "site", "site_async"]


def site(air: Agency) -> Any:
    """Give the agency as a WSGI application."""
    air.patterns = [*django_air.patterns(air), *patterns(air)]
    served = serving(air.guard, air.patterns)
    return lambda environ, start: served({**environ, UNPROTECTED: not air.forgeries}, start)


def patterns(air: Agency) -> list[Any]:
    @air.guard.form("apply", **SAID)
    def apply(
        role: Annotated[str, Form()],
        cv: UploadedFile,
        act: Act | None,
        photo: Annotated[bytes | None, File()] = None,
    ) -> Any:
        air.take(act, role, (cv.name, cv.read(), cv.content_type), photo)
        return {"size": cv.size}

    return [path(PATH.removeprefix("/"), apply)]
