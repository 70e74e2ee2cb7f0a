"""Makes the specification's error table from the enum: `python -m tests.spec.errors_table`."""

from __future__ import annotations

from pathlib import Path

from oneact.errors import Reason

FILE = Path(__file__).resolve().parent.parent.parent / "spec" / "oneact.md"
MARKS = ("<!-- error table -->\n", "<!-- end of error table -->\n")


def table() -> str:
    """Give the table as Markdown."""
    rows = ["| reason | error | status | check | meaning |", "|---|---|---|---|---|"]
    for reason in Reason:
        check = reason.check or ""
        rows.append(f"| `{reason.value}` | `{reason.error}` | {reason.status} | {check} | {reason.says} |")
    return "\n".join(rows) + "\n"


def main() -> None:
    """Write it between its marks."""
    text = FILE.read_text()
    before, _, rest = text.partition(MARKS[0])
    FILE.write_text(before + MARKS[0] + table() + MARKS[1] + rest.partition(MARKS[1])[2])


if __name__ == "__main__":
    main()
