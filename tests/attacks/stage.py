"""What attacks share: the honest request, and how a refusal is read."""

from typing import Any

import httpx

FLIGHT: dict[str, Any] = {"from": "SFO", "to": "NYC", "date": "2024-03-01"}


def told(answer: httpx.Response) -> tuple[int, str, int]:
    """Give status, reason and check of a refusal."""
    body = answer.json()
    return answer.status_code, str(body.get("reason")), int(body.get("check", 0))


def reason(answer: httpx.Response) -> str:
    """Give the reason of a refusal."""
    return str(answer.json().get("reason"))
