"""What a run found, for machines: one JSON object, or JUnit's XML."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree as ET

from oneact.conformance.run import title

if TYPE_CHECKING:
    from collections.abc import Sequence

    from oneact.conformance.outcome import Result
    from oneact.conformance.run import Settings

STATUSES = ("passed", "failed", "skipped")


def counts(results: Sequence[Result]) -> dict[str, int]:
    """Give how many rows passed, failed and were skipped."""
    found = Counter(result.status for result in results)
    return {status: found[status] for status in STATUSES}


def as_json(settings: Settings, results: Sequence[Result]) -> str:
    """Give one JSON object; a row that failed has the last request that it made, and what that was answered."""
    rows: list[dict[str, Any]] = []
    for result in results:
        members = {name: getattr(result, name) for name in ("number", "name", "sent", "expected", "status", "came")}
        request = {"request": result.request} if result.status == "failed" else {}
        rows.append({"group": title(result.number), **members, "seconds": round(result.seconds, 3), **request})
    head = {"service": settings.resource, "action": settings.action, "issuer": settings.issuer}
    return json.dumps({**head, **counts(results), "rows": rows}, indent=2)


def as_junit(settings: Settings, results: Sequence[Result]) -> bytes:
    """Give JUnit's XML: a suite for each group of rows, a case for each row."""
    whole = ET.Element("testsuites", {"name": f"oneact conformance {settings.resource}", **_numbers(results)})
    suites: dict[str, ET.Element] = {}
    for group in dict.fromkeys(title(result.number) for result in results):
        inside = [result for result in results if title(result.number) == group]
        suites[group] = ET.SubElement(whole, "testsuite", {"name": group, **_numbers(inside)})
    for result in results:
        group = title(result.number)
        named = {"classname": group, "name": f"{result.number} {result.name}", "time": f"{result.seconds:.3f}"}
        case = ET.SubElement(suites[group], "testcase", named)
        if result.status == "failed":
            ET.SubElement(case, "failure", message=f"came {result.came}").text = details(result)
            ET.SubElement(case, "system-out").text = json.dumps(result.request)
        elif result.status == "skipped":
            ET.SubElement(case, "skipped", message=result.came)
    return bytes(ET.tostring(whole, encoding="utf-8", xml_declaration=True))


def details(result: Result) -> str:
    """Say in three lines what was sent, what was expected and what came."""
    return f"sent      {result.sent}\nexpected  {result.expected}\ncame      {result.came}"


def _numbers(results: Sequence[Result]) -> dict[str, str]:
    found = counts(results)
    return {
        "tests": str(len(results)),
        "failures": str(found["failed"]),
        "skipped": str(found["skipped"]),
        "time": f"{sum(result.seconds for result in results):.3f}",
    }
