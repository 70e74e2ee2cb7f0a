"""The benchmarks run, and print what they are for; how fast anything is stands in no test."""

from __future__ import annotations

import re
import subprocess
import sys

import pytest

from tests.spec.literal import ROOT


def lines(name: str, *arguments: str) -> list[str]:
    """Run a benchmark on little and give what it prints."""
    done = subprocess.run(
        [sys.executable, f"bench/{name}.py", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()


def test_the_check_ends_with_its_ratio() -> None:
    found = lines("check")
    assert [line.partition(":")[0] for line in found[:2]] == ["one full check", "three bare P-256 verifications"]
    assert float(found[-1]) > 0


def test_the_loop_prints_rate_and_cpu_for_each_number_of_agents() -> None:
    found = [
        re.fullmatch(r" *(\d+) agents: +([\d.]+) loops/s, +([\d.]+) ms of CPU per loop", line)
        for line in lines("loop", "0.5")[1:]
    ]
    assert [match and int(match[1]) for match in found] == [1, 8, 32]
    assert all(match and float(match[2]) > 0 for match in found)


@pytest.mark.parametrize("sizes", [("300", "600")])
def test_the_log_prints_the_cost_of_an_entry_and_of_proofs_at_each_size(sizes: tuple[str, str]) -> None:
    found = lines("log", *sizes)
    assert [line.split()[0] for line in found if line.endswith("leaves")] == list(sizes)
    assert sum("to log durably" in line for line in found) == sum("to check (" in line for line in found) == 2
    assert float(found[-1]) > 0
