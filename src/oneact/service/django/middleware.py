"""A middleware that binds the guard when the site starts, and answers for its addresses before any view."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.utils.module_loading import import_string

from oneact.service.django.guard import Guard

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

SETTING: Final = "ONEACT_GUARD"  # where the guard stands: "project.guard.guard"


class Middleware:
    """Serve the guard that the setting ONEACT_GUARD names; stands below what `account=` needs of the request.

    A mistake in a route of a guarded handler ends the start of the site. Raises TypeError where the setting names
    something else.
    """

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: Callable[[HttpRequest], Any]) -> None:
        guard = import_string(getattr(settings, SETTING))
        if not isinstance(guard, Guard):
            raise TypeError(f"{SETTING} names no guard for Django")
        self._guard, self._get_response = guard, get_response
        if iscoroutinefunction(get_response):
            markcoroutinefunction(self)
        guard.bind()

    def __call__(self, request: HttpRequest) -> Any:  # noqa: ANN401 - a response, or what will give one
        """Answer for the guard's own addresses, and leave all others to the site."""
        if not self._guard.is_own(request.path_info):
            return self._get_response(request)
        if iscoroutinefunction(self._get_response):
            return sync_to_async(self._guard.own, thread_sensitive=True)(request)
        return self._guard.own(request)
