"""The configuration: every mistake is told at the start, by the name of the member."""

import subprocess
import sys
from pathlib import Path

import pytest

from oneact.service import LINKED, Beside
from oneact.sidecar import config
from oneact.sidecar.verifier import Verifier
from tests.sidecar.running import EXPRESS
from tests.spec.literal import ROOT

INTENT = 'intent = "Book a flight"\n'
WHOLE = (EXPRESS / "sidecar.toml").read_text("utf-8")


def test_the_example_is_read_whole(tmp_path: Path) -> None:
    found = config.parse(WHOLE, tmp_path)
    assert found.settings["store"] == tmp_path / "var/air.db"
    assert found.reads["bookings"].path == "/bookings"
    book, cancel = found.actions
    assert (book.action.name, book.deadline, book.action.terms is not None) == ("book_flight", 30, True)
    assert cancel.action.sources == {"reference": "path", "refund": "query"}
    assert cancel.action.path == "/bookings/{reference}"


def test_linked_stands_for_whichever_server_a_person_links(tmp_path: Path) -> None:
    text = WHOLE.replace('["http://localhost:8400"]', '"linked"')
    assert config.parse(text, tmp_path).settings["issuers"] is LINKED


def test_the_server_beside_the_service_is_named_in_a_table(tmp_path: Path) -> None:
    text = WHOLE.replace('["http://localhost:8400"]', '{ beside = "http://localhost:8400" }')
    assert config.parse(text, tmp_path).settings["issuers"] == Beside("http://localhost:8400")


def test_labels_and_formats_are_published(tmp_path: Path) -> None:
    text = WHOLE.replace(
        'path = "/bookings"\n', 'path = "/bookings"\ndisplay = { to = "Goal", from = ["Start", "url"] }\n', 1
    )
    shown = {
        entry.pointer: (entry.label, entry.format) for entry in config.parse(text, tmp_path).actions[0].action.display
    }
    assert shown["/parameters/to"] == ("Goal", "text")
    assert shown["/parameters/from"] == ("Start", "url")


@pytest.mark.parametrize(
    ("before", "after", "says"),
    [
        ('name = "Example Air"', 'nmae = "Example Air"', "nmae is not known"),
        ('name = "Example Air"', "", "name is missing"),
        ('name = "Example Air"', "name = 1", "name is a text"),
        ('["http://localhost:8400"]', '"http://localhost:8400"', "issuers"),
        ('["http://localhost:8400"]', '["http://approve.example"]', "issuers"),
        ('["http://localhost:8400"]', '{ besides = "http://localhost:8400" }', "issuers is an array"),
        ('["http://localhost:8400"]', "{ beside = 1 }", "issuers is an array"),
        ('["http://localhost:8400"]', '{ beside = "http://localhost:8400/" }', "no final slash"),
        ('"http://localhost:3000"', '"http://air.example"', "resource"),
        ('login_uri = "/login"', "terms_per_minute = 0", "terms_per_minute"),
        ('login_uri = "/login"', "terms_per_minute = true", "terms_per_minute is a whole number"),
        ('login_uri = "/login"', 'private_hosts = "air.example"', "private_hosts is an array"),
        (INTENT[:-1], "", "actions.book_flight.intent is missing"),
        (INTENT[:-1], INTENT + "rule = 2", "actions.book_flight.rule is not known"),
        (INTENT[:-1], INTENT + "deadline = 0", "actions.book_flight.deadline"),
        (
            'intent = "Book a flight"',
            INTENT + "display = { to = 1 }",
            "actions.book_flight.display.to",
        ),
        (INTENT[:-1], INTENT + 'display = { to = ["A", "b"] }', "display= of to"),
        (INTENT[:-1], INTENT + 'sources = { too = "query" }', "too is no parameter"),
        (INTENT[:-1], INTENT + 'sources = { to = "path" }', "to and the path do not"),
        ('"Fly {from} to {to} on {date}"', '"Fly {from} to {there}"', "{there}"),
        ('path = "/bookings/{reference}"', 'path = "/bookings/{id}"', "id is no parameter"),
        ("maximum = 5, default = 0", "maximum = 5.5, default = 0", "maximum holds 5.5"),
        ('type = "integer"', 'type = "number"', "parameter bags"),
        ('title = "From"', "title = 2024-03-01", "title holds"),
        ('pattern = "^[A-Z]{3}$", title', 'pattern = "(?i)x", title', "parameter from"),
        ('name = "Example Air"', "name = ", "Invalid value"),
        ('intent = "See your bookings"', "", "reads.bookings.intent is missing"),
        ('intent = "See your bookings"', 'intent = ""', "read bookings: a name is"),
        ('See your bookings"\npath = "/bookings"', 'See your bookings"', "reads.bookings.path is missing"),
        ('See your bookings"\npath = "/', 'See your bookings"\npath = "', "read bookings: a name is"),
        ('intent = "See your bookings"', 'intent = "See"\nmethod = "GET"', "reads.bookings.method is not known"),
        ("[reads.bookings]", "[reads.Bookings]", "read Bookings: a name is"),
    ],
)
def test_a_mistake_is_told_by_its_name(tmp_path: Path, before: str, after: str, says: str) -> None:
    assert before in WHOLE
    with pytest.raises(ValueError, match=r"\w") as told:
        Verifier(config.parse(WHOLE.replace(before, after, 1), tmp_path))
    assert says in str(told.value)


def test_an_action_that_is_no_table_is_a_mistake(tmp_path: Path) -> None:
    text = WHOLE.partition("[actions.book_flight]")[0] + "[actions]\nbook_flight = 1\n"
    with pytest.raises(ValueError, match=r"actions.book_flight is a table"):
        config.parse(text, tmp_path)


@pytest.mark.parametrize(
    ("text", "says"), [("reads = 1\n", "reads is a table"), ("reads.bookings = 1\n", "reads.bookings is a table")]
)
def test_reads_that_are_no_tables_are_mistakes(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        config.parse(text + WHOLE.partition("[reads.bookings]")[0], tmp_path)


def test_a_service_without_reads_is_one(tmp_path: Path) -> None:
    assert config.parse(WHOLE.partition("[reads.bookings]")[0], tmp_path).reads == {}


def test_a_name_that_no_action_has_is_told(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"action Book: a name is lower-case letters"):
        config.parse(WHOLE.replace("actions.book_flight", "actions.Book"), tmp_path)


def test_a_name_is_taken_by_the_guards_own_act(tmp_path: Path) -> None:
    text = WHOLE.replace("actions.cancel_flight", 'actions."oneact.unlink"')
    with pytest.raises(ValueError, match=r"two actions are named oneact\.unlink"):
        Verifier(config.parse(text, tmp_path))


@pytest.mark.parametrize(
    ("text", "options", "says"),
    [
        (None, ("--unix", "s"), "cannot be read"),
        ("resource = 1", ("--unix", "s"), "resource is a text"),
        (WHOLE.replace("var/air.db", "/dev/null/air.db"), ("--unix", "s"), "/dev/null/air.db"),
        (WHOLE.replace("var/air.jwk", "/dev/null/air.jwk"), ("--unix", "s"), "/dev/null/air.jwk"),
        (WHOLE, (), "give either --unix or --listen"),
        (WHOLE, ("--unix", "s", "--listen", "127.0.0.1:8450"), "give either --unix or --listen"),
        (WHOLE, ("--listen", "127.0.0.1:8450"), "--secret-file"),
        (WHOLE, ("--listen", "192.0.2.1:8450", "--secret-file", "x"), "192.0.2.1 is not on this machine's loopback"),
    ],
)
def test_the_command_says_in_one_line_what_keeps_it_from_starting(
    tmp_path: Path, text: str | None, options: tuple[str, ...], says: str
) -> None:
    file = tmp_path / "sidecar.toml"
    if text is not None:
        file.write_text(text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-m", "oneact.cli", "sidecar", "--config", str(file), *options],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("oneact sidecar: ")
    assert says in done.stderr
    assert len(done.stderr.splitlines()) == 1
