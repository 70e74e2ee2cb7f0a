"""What is of Django REST framework: its errors, its responses, and views whose other methods ask who calls."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

    from django.http import HttpResponse

try:
    from rest_framework.exceptions import APIException
except ImportError:  # the framework is not there, so nobody raises any
    ERRORS: tuple[type[Exception], ...] = ()
else:
    ERRORS = (APIException,)

MARK: Final = "oneact_handler"  # the attribute by which a guarded view is known
_ASKING: Final = ("authentication_classes", "permission_classes")


class GuardedMixin:
    """Lets agents through to the guarded methods of an `APIView` or a viewset; the first of its bases.

    An agent shows a token and a proof, of which the view's authenticators and permissions know nothing. Its other
    methods ask as they always did, and throttles count both.
    """

    def get_authenticators(self) -> Sequence[Any]:
        """Give none for a guarded method."""
        return [] if self._is_guarded() else super().get_authenticators()  # type: ignore[misc]  # of the view beside it

    def get_permissions(self) -> Sequence[Any]:
        """Give none for a guarded method."""
        return [] if self._is_guarded() else super().get_permissions()  # type: ignore[misc]  # the same

    def _is_guarded(self) -> bool:
        return hasattr(getattr(self, str(self.request.method).lower(), None), MARK)  # type: ignore[attr-defined]  # the same


def check_lets_agents_through(route: str, view_class: type) -> None:
    """Raise ValueError for a view that would ask an agent to sign in."""
    if issubclass(view_class, GuardedMixin) or not any(getattr(view_class, name, ()) for name in _ASKING):
        return
    raise ValueError(
        f"{route}: {view_class.__name__} asks agents to sign in; put GuardedMixin first among its bases, or set "
        f"{' and '.join(_ASKING)} to []"
    )


def render(response: HttpResponse) -> None:
    """Have a response of the framework's written as JSON: a receipt covers octets, so nobody negotiates about them."""
    from rest_framework.renderers import JSONRenderer  # noqa: PLC0415 - only where a response of its own is at hand

    response.accepted_renderer, response.renderer_context = JSONRenderer(), {}
    response.accepted_media_type = JSONRenderer.media_type
