"""What a decorator of a guard takes; mypy reads this file too: an ignored line without a mistake is one to it."""

import inspect
from typing import Any

import pytest

from oneact.service import asgi, django, fastapi, flask, wsgi
from oneact.service.declaring import HandlerOptions, Options

FACES: list[Any] = [
    asgi.Guard.asgi, wsgi.Guard.wsgi,
    fastapi.Guard.action, flask.Guard.action, django.Guard.action,
    fastapi.Guard.form, flask.Guard.form, django.Guard.form,
]  # fmt: skip

# None of them is set up: a wrong call ends before anything is asked of the guard.
asgi_guard, wsgi_guard = object.__new__(asgi.Guard), object.__new__(wsgi.Guard)
fastapi_guard, flask_guard = object.__new__(fastapi.Guard), object.__new__(flask.Guard)
django_guard = object.__new__(django.Guard)


def test_a_word_that_is_no_option_is_refused_before_anything_is_guarded() -> None:
    with pytest.raises(TypeError, match="'spend'"):
        asgi_guard.asgi("book", intent="Book", summary="Book", schema={}, spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        wsgi_guard.wsgi("book", intent="Book", summary="Book", schema={}, spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        fastapi_guard.action("book", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        flask_guard.action("book", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        django_guard.action("book", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        fastapi_guard.form("book", unlinked="pass", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        flask_guard.form("book", unlinked="pass", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'spend'"):
        django_guard.form("book", unlinked="pass", intent="Book", summary="Book", spend=True)  # type: ignore[call-arg]


def test_what_has_to_be_said_is_asked_for() -> None:
    with pytest.raises(TypeError, match="'summary'"):
        asgi_guard.asgi("book", intent="Book", schema={})  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'intent'"):
        fastapi_guard.action("book", summary="Book")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'summary'"):
        flask_guard.action("book", intent="Book")  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'unlinked'"):
        django_guard.form("book", intent="Book", summary="Book")  # type: ignore[call-arg]


def test_an_option_of_another_face_is_none_of_this_one() -> None:
    with pytest.raises(TypeError, match="'max_file_octets'"):
        wsgi_guard.wsgi("book", intent="Book", summary="Book", schema={}, max_file_octets=1)  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'reads'"):
        flask_guard.action("book", intent="Book", summary="Book", reads=["X-Tenant"])  # type: ignore[call-arg]
    with pytest.raises(TypeError, match="'method'"):
        fastapi_guard.action("book", intent="Book", summary="Book", method="PUT")  # type: ignore[call-arg]


def typed() -> None:
    """Never runs: here mypy alone has something to say, of values of a wrong type and of ones that are right."""
    fastapi_guard.action("book", intent="Book", summary="Book", deadline="5")  # type: ignore[arg-type]
    flask_guard.action("book", intent="Book", summary="Book", rule=2)  # type: ignore[arg-type]
    django_guard.action("book", intent="Book", summary="Book", display=["to"])  # type: ignore[arg-type]
    asgi_guard.asgi("book", intent="Book", summary="Book", schema={}, spends=1.5)  # type: ignore[arg-type]
    flask_guard.form("book", unlinked="ask", intent="Book", summary="Book")  # type: ignore[arg-type]
    fastapi_guard.action("book", intent="Book", summary="Book", deadline=5, display={"to": ("To", "text")}, spends=True)
    django_guard.action("book", intent="Book", summary="Book", max_file_octets=5, method="PUT", terms=None)


@pytest.mark.parametrize("face", FACES)
def test_every_option_stands_in_the_signature_with_its_type(face: Any) -> None:
    options: Any = Options if face.__name__ == "described" else HandlerOptions
    parameters = inspect.signature(face).parameters
    assert {name: str(parameters[name].annotation) for name in options.__annotations__} == {
        name: hint.__forward_arg__ for name, hint in options.__annotations__.items()
    }
    needed = {name for name in options.__annotations__ if parameters[name].default is inspect.Parameter.empty}
    assert needed == {"intent", "summary"}
    assert not [found for found in parameters.values() if found.kind is found.VAR_KEYWORD]
