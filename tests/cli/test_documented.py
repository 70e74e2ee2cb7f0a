from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from typing import Any

import click
import pytest
import typer

from oneact.agent import Agent
from oneact.cli.commands import app
from tests.spec.literal import ROOT

AGENT = (ROOT / "docs" / "agent.md").read_text("utf-8")
ROOMS = ("oneact agent", "oneact explain", "oneact mcp", "oneact serve", "oneact sidecar")
PROXY = (ROOT / "docs" / "mcp-proxy.md").read_text("utf-8")
SETTINGS = (ROOT / "docs" / "settings.md").read_text("utf-8")
SIDECAR = (ROOT / "docs" / "sidecar.md").read_text("utf-8")


def commands(group: click.Command, name: str = "oneact") -> list[tuple[str, click.Command]]:
    found = getattr(group, "commands", None)
    if found is None:
        return [(name, group)]
    return [item for word, command in found.items() for item in commands(command, f"{name} {word}")]


TOLD = [found for found in commands(typer.main.get_command(app)) if found[0].startswith(ROOMS)]


@pytest.mark.parametrize(("name", "command"), commands(typer.main.get_command(app)))
def test_a_paragraph_of_help_is_one_line_which_the_terminal_breaks(name: str, command: click.Command) -> None:
    paragraphs = inspect.cleandoc(command.help or "").split("\n\n")
    assert [text for text in paragraphs if "\n" in text] == [], name


@pytest.mark.parametrize(("name", "command"), TOLD)
def test_every_command_and_option_is_documented(name: str, command: click.Command) -> None:
    text = (
        PROXY
        if name.startswith("oneact mcp")
        else {"oneact serve": SETTINGS, "oneact sidecar": SIDECAR}.get(name, AGENT)
    )
    assert f"`{name}" in text or f"{name}\n" in text
    for parameter in command.params:
        for option in parameter.opts:
            if not option.startswith("--"):
                continue
            setting = f"`ONEACT_{option.strip('-').replace('-', '_').upper()}`"
            assert f"`{option}`" in text or setting in text, f"{name} {option}"


@pytest.mark.parametrize("method", [Agent.open, Agent.act, Agent.batch, Agent.call, Agent.read])
def test_every_option_of_an_agents_method_is_documented(method: Callable[..., Any]) -> None:
    options = [name for name, given in inspect.signature(method).parameters.items() if given.kind is given.KEYWORD_ONLY]
    assert [name for name in options if not re.search(rf"`{name}`|\b{name}=", AGENT)] == []
