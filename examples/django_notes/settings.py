"""Settings of a small site; yours has more."""

import os
from pathlib import Path

FOLDER = Path(os.environ.get("NOTES_FOLDER", "var/notes"))
FOLDER.mkdir(parents=True, exist_ok=True)
SECRET_KEY = os.environ.get("NOTES_SECRET", "only for this example")
ALLOWED_HOSTS = ["localhost"]
ROOT_URLCONF = f"{__package__}.urls"
INSTALLED_APPS = [
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    __package__,
]
MIDDLEWARE = [
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
]
DATABASES = {
    "default": {"ENGINE": "django.db.backends.sqlite3", "NAME": FOLDER / "notes.db", "ATOMIC_REQUESTS": True},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
USE_TZ = True
