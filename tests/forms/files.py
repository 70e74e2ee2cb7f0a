"""An agency with a form that takes a file, for the tests of what becomes of its content."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Annotated, Any

import flask
from fastapi import Depends, FastAPI, File, Form, HTTPException, Request, UploadFile
from werkzeug.datastructures import FileStorage

from oneact.service import flask as typed
from oneact.service.fastapi import Act
from tests.forms.air import TOKEN, Air

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.forms.air import Browser

PATH = "/apply"
EACH = 1000
CV = ("cv.pdf", b"%PDF-1.7 the life of Ada\r\n\x00\xff", "application/pdf")
FIELD = "csrfmiddlewaretoken"  # as Django names it; the others follow
SAID: dict[str, Any] = {"intent": "Apply", "summary": "Apply as {role} with {cv.name}", "display": {"cv": "CV"}}
SAID |= {"unlinked": "pass", "beside": {FIELD}, "max_file_octets": EACH}


class Agency(Air):
    """The airline, with a form for those who want to work there; `given` is what its handler got.

    Where it has `forgeries`, a check of the host's own reads the form before the guard does: in FastAPI as a whole, and
    `closes` it, or `by_field`.
    """

    def __init__(self, folder: Path, kind: str, **more: Any) -> None:
        self.given: list[dict[str, Any]] = []
        self.closes, self.by_field = False, kind == "fastapi-field"
        super().__init__(folder, kind.partition("-")[0], **more)

    def take(self, act: Act | None, role: str, cv: tuple[Any, ...], photo: bytes | None) -> None:
        self.given.append({"account": act and act.account, "role": role, "cv": cv, "photo": photo})

    def refuses(self, cookies: Any, form: Any) -> bool:
        """Tell what the host's own check says of a form."""
        return self.is_forged(cookies.get("csrftoken"), form.get(FIELD, ""))

    def _fastapi(self) -> FastAPI:
        app, guard = super()._fastapi(), self.guard

        async def unforged(request: Request) -> AsyncIterator[None]:
            if not self.forgeries:
                yield
                return
            form = await request.form()
            try:
                if self.refuses(request.cookies, form):
                    raise HTTPException(403, "forged")
                if self.closes:
                    await form.close()
                yield
            finally:
                await form.close()

        def unforged_field(
            request: Request, token: Annotated[str, Form(alias=FIELD)], cv: Annotated[UploadFile | None, File()] = None
        ) -> None:
            assert cv is not None
            if self.refuses(request.cookies, {FIELD: token}):
                raise HTTPException(403, "forged")

        @app.post(PATH, dependencies=[Depends(unforged_field if self.by_field else unforged)])
        @guard.form("apply", **SAID)
        async def apply(
            role: Annotated[str, Form()],
            cv: UploadFile,
            act: Act | None,
            photo: Annotated[bytes | None, File()] = None,
        ) -> dict[str, Any]:
            self.take(act, role, (cv.filename, await cv.read(), cv.content_type), photo)
            return {"size": cv.size}

        return app

    def _flask(self) -> flask.Flask:
        app, guard = super()._flask(), self.guard

        @app.before_request
        def unforged_file() -> Any:
            found = flask.request
            if found.path == PATH and self.forgeries and self.refuses(found.cookies, found.form):
                return flask.jsonify(detail="forged"), 403
            return None

        @app.post(PATH)
        @guard.form("apply", **SAID)
        def apply(
            role: Annotated[str, typed.Form()],
            cv: FileStorage,
            act: Act | None,
            photo: Annotated[bytes | None, typed.File()] = None,
        ) -> Any:
            self.take(act, role, (cv.filename, cv.read(), cv.content_type), photo)
            return {"size": cv.content_length}

        return app

    def _django_site(self) -> Any:
        from tests.forms import django_files  # noqa: PLC0415 - it is made of what stands here

        return django_files


def apply(browser: Browser, files: Any, role: str = "pilot", token: str = TOKEN, **more: str) -> httpx.Response:
    """Submit the form as a browser does; `files` as httpx takes them."""
    sent = {"Sec-Fetch-Site": "same-origin", "Origin": browser.air.resource}
    return browser.http.post(PATH, data={"role": role, FIELD: token, **more}, files=files, headers=sent)


def rows(air: Air) -> int:
    """Count what is held."""
    with contextlib.closing(sqlite3.connect(air.folder / "air.db")) as connection:
        [(found,)] = connection.execute("SELECT count(*) FROM held").fetchall()
    return int(found)
