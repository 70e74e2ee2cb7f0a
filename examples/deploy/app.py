"""The example deploy service: one commit, to one environment, with the approval of the person who answers for it.

The CI job names repository, commit and environment. The service itself says what that commit is: the terms hold its
address and its title, as the service knows them, so the person reads those on the approval page and signs them.
Whoever asks is told the title; where titles are not for everybody, leave it out and let the address speak.
"""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import FastAPI, HTTPException, Request
from pydantic import BaseModel, Field

from examples.signin import SignIn
from oneact.service.fastapi import Act, Guard

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastapi.responses import HTMLResponse

GIT = "https://git.example"
SHOP, OLDER = "9fceb02d0ae598e95dc970b74767f19372d61af8", "1d2b7c4e6a8f0b3c5d7e9f1a2b3c4d5e6f708192"
# What a real one asks its git host for.
COMMITS = {
    ("acme/shop", SHOP): "Round the basket's total once, at the end",
    ("acme/shop", OLDER): "Start the checkout anew",
}


class Deployment(BaseModel):
    """What a CI job can ask for."""

    repo: str = Field(title="Repository", pattern="^[a-z0-9-]{1,40}/[a-z0-9-]{1,40}$")
    sha: str = Field(title="Commit", pattern="^[0-9a-f]{40}$")
    env: Literal["staging", "production"] = Field(title="Environment")


class Terms(BaseModel):
    """What the service says of the commit."""

    title: str = Field(title="Title of the commit")
    commit: Annotated[str, Field(title="The commit", json_schema_extra={"format": "uri"})]


class Deployed(BaseModel):
    """What a deployment answers."""

    number: int
    sha: str
    env: str


def state(deployment: Deployment) -> Terms:
    """Say what the commit is; one that the service does not know is not offered to anybody."""
    title = COMMITS.get((deployment.repo, deployment.sha))
    if title is None:
        raise HTTPException(404, "no such commit")
    return Terms(title=title, commit=f"{GIT}/{deployment.repo}/commit/{deployment.sha}")


def create_app(resource: str, issuer: str, folder: Path) -> FastAPI:
    """Make the service that is known as `resource`, takes approvals of `issuer` and keeps its files in `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    signin = SignIn("⇪ Example Deploy", resource)
    guard = Guard(
        resource=resource,
        name="Example Deploy",
        key=folder / "deploy.jwk",
        store=folder / "guard.db",
        account=signin.account,
        issuers=[issuer],
        login_uri="/login",
    )
    app = FastAPI(title="Example Deploy")
    app.include_router(guard.router)
    app.include_router(signin.router)

    @app.post("/deployments", status_code=201)
    @guard.action("deploy", intent="Deploy a commit", summary="Deploy {title} of {repo} to {env}", terms=state)
    async def deploy(deployment: Deployment, act: Act) -> Deployed:
        """Deploy; runs only with a verified approval, and once."""
        row = (act.txn, act.account, deployment.repo, deployment.sha, deployment.env)
        with closing(_database(folder)) as database, database:
            made = database.execute("INSERT INTO deployments VALUES (NULL, ?, ?, ?, ?, ?)", row)
        return Deployed(number=made.lastrowid or 0, sha=deployment.sha, env=deployment.env)

    @app.get("/")
    async def home(request: Request) -> HTMLResponse:
        """Show what was deployed."""
        return signin.home(request, "Deployments", [row[2:] for row in deployments(folder)])

    return app


def deployments(folder: Path) -> list[tuple[str, ...]]:
    """Give every deployment: transaction, account, repository, commit, environment."""
    with closing(_database(folder)) as database:
        return database.execute("SELECT txn, account, repo, sha, env FROM deployments ORDER BY number").fetchall()


def _database(folder: Path) -> sqlite3.Connection:
    database = sqlite3.connect(folder / "deployments.db", timeout=10)
    # The transaction is the key of the service's own work: whatever comes twice stands once.
    database.execute(
        "CREATE TABLE IF NOT EXISTS deployments "
        "(number INTEGER PRIMARY KEY, txn TEXT NOT NULL UNIQUE, account TEXT, repo TEXT, sha TEXT, env TEXT)"
    )
    return database


def from_environment(environment: Mapping[str, str] = os.environ) -> FastAPI:
    """Make the service by DEPLOY_URL, ONEACT_SERVER and DEPLOY_FOLDER."""
    return create_app(
        environment.get("DEPLOY_URL", "http://localhost:8700"),
        environment.get("ONEACT_SERVER", "http://localhost:8400"),
        Path(environment.get("DEPLOY_FOLDER", "var/deploy")),
    )
