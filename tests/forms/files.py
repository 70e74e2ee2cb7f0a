"""An agency with a form that takes a file, for the tests of what becomes of its content."""

from __future__ import annotations

import contextlib
import sqlite3
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import FastAPI, File, Form, UploadFile

from oneact.service.fastapi import Act
from tests.forms.air import Air

if TYPE_CHECKING:
    import httpx

    from tests.forms.air import Browser

PATH = "/apply"
EACH = 1000
CV = ("cv.pdf", b"%PDF-1.7 the life of Ada\r\n\x00\xff", "application/pdf")
SAID: dict[str, Any] = {"intent": "Apply", "summary": "Apply as {role} with {cv.name}", "display": {"cv": "CV"}}


class Agency(Air):
    """The airline, with a form for those who want to work there; `given` is what its handler got."""

    def __post_init__(self) -> None:
        self.given: list[dict[str, Any]] = []
        super().__post_init__()

    def _fastapi(self) -> FastAPI:
        app, guard = super()._fastapi(), self.guard

        @app.post(PATH)
        @guard.form("apply", unlinked="pass", beside={"csrf"}, max_file_octets=EACH, **SAID)
        async def apply(
            role: Annotated[str, Form()],
            cv: UploadFile,
            act: Act | None,
            photo: Annotated[bytes | None, File()] = None,
        ) -> dict[str, Any]:
            content = await cv.read()
            self.given.append(
                {
                    "account": act and act.account,
                    "role": role,
                    "cv": (cv.filename, content, cv.content_type),
                    "photo": photo,
                }
            )
            return {"size": cv.size}

        return app


def apply(browser: Browser, files: Any, role: str = "pilot", **more: str) -> httpx.Response:
    """Submit the form as a browser does; `files` as httpx takes them."""
    sent = {"Sec-Fetch-Site": "same-origin", "Origin": browser.air.resource}
    return browser.http.post(PATH, data={"role": role, "csrf": "t", **more}, files=files, headers=sent)


def rows(air: Air) -> int:
    """Count what is held."""
    with contextlib.closing(sqlite3.connect(air.folder / "air.db")) as connection:
        [(found,)] = connection.execute("SELECT count(*) FROM held").fetchall()
    return int(found)
