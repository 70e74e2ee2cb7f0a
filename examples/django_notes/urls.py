"""Notes: a small Django site whose agents may publish a note, one approved act at a time."""

import os
import time

from django.conf import settings
from django.contrib import auth
from django.contrib.auth.signals import user_logged_in
from django.dispatch import receiver
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.urls import path
from pydantic import BaseModel, Field

from oneact.service.django import Act, Guard, LocalAccount

from .models import Note


@receiver(user_logged_in)
def remember(request: HttpRequest, **_: object) -> None:
    """Keep when this session was signed in; `last_login` is that of any session."""
    request.session["since"] = int(time.time())


def current_user(request: HttpRequest) -> LocalAccount | None:
    """Give who is signed in, by the sign-in that you have; only the link page asks."""
    if not request.user.is_authenticated:
        return None
    return LocalAccount(str(request.user.pk), request.user.get_username(), request.session["since"])


guard = Guard(
    resource=os.environ.get("NOTES_URL", "http://localhost:8600"),
    name="Example Notes",
    key=settings.FOLDER / "notes.jwk",
    store=settings.FOLDER / "guard.db",
    account=current_user,
    issuers=[os.environ.get("NOTES_APPROVAL_SERVER", "http://localhost:8400")],
    login_uri="/login",
)


class NewNote(BaseModel):
    """What an agent asks for."""

    title: str = Field(min_length=1, max_length=80)
    text: str = ""


class Audience(BaseModel):
    """What you promise."""

    readers: str


def audience(note: NewNote) -> Audience:
    """State the terms: who will be able to read it."""
    return Audience(readers="everyone on the internet" if note.text else "nobody yet")


@guard.action("publish_note", intent="Publish a note", summary="Publish {title} for {readers}", terms=audience)
def publish(note: NewNote, act: Act) -> tuple[dict[str, object], int]:
    """Publish; runs only with a verified approval, once."""
    if Note.objects.filter(owner_id=act.account, title=note.title).exists():
        return {"detail": "there is a note of that title"}, 409
    made = Note.objects.create(owner_id=act.account, title=note.title, text=note.text)
    return {"id": made.pk}, 201


@guard.action("delete_note", intent="Delete a note", summary="Delete note {number}", method="DELETE")
def delete(number: int, act: Act) -> dict[str, int]:
    """Delete a note of the person who approved it."""
    get_object_or_404(Note, pk=number, owner_id=act.account).delete()
    return {"deleted": number}


def login(request: HttpRequest) -> HttpResponse:
    """Sign in; a real one asks for more than a name."""
    user, _ = auth.get_user_model().objects.get_or_create(username=request.GET.get("name", "ada"))
    auth.login(request, user)
    return redirect("/oneact/link")


urlpatterns = [
    *guard.urls,
    path("notes", publish),
    path("notes/<int:number>", delete),
    path("login", login),
]
