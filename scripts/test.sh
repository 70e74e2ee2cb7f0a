#!/usr/bin/env bash
# Everything that has to hold, stage by stage; the first stage that fails ends it.
set -euo pipefail
cd "$(dirname "$0")/.."

stage() { printf '\n== %s\n' "$*"; }
bin=.venv/bin

stage "lint"; $bin/ruff check -q .
stage "format"; $bin/ruff format -q --check .
stage "types"; $bin/mypy
stage "imports"; $bin/lint-imports
stage "the bare verifier"; scripts/bare_wheel.sh
pure=(tests/test_errors.py tests/protocol tests/log tests/vectors tests/spec tests/agent/test_flow.py tests/agent/test_asking.py
  tests/agent/test_reading.py tests/agent/test_stretches.py tests/service/test_journal.py tests/service/test_audit.py
  tests/service/test_audit_waits.py tests/service/mcp/test_shape.py tests/gateway/test_rules.py)
stage "the pure rooms, every branch"
rm -f .coverage .coverage.*
$bin/coverage run -m pytest -q -n 2 "${pure[@]}"
$bin/coverage combine -q
$bin/coverage report --skip-covered --fail-under=100 \
  --include='src/oneact/errors.py,src/oneact/protocol/*,src/oneact/log/*,src/oneact/service/checks.py,src/oneact/service/asking.py,src/oneact/service/reads.py,src/oneact/service/journal.py,src/oneact/service/mcp/publishing.py,src/oneact/service/mcp/shape.py,src/oneact/service/mcp/texts.py,src/oneact/service/audit/*,src/oneact/agent/flow/*,src/oneact/gateway/rules.py'
# The rest. Most of the time a test waits, for a disk, a process or a second to pass: so six of them share two cores.
stage "tests"; $bin/python -m pytest -q -n 6 --dist loadfile ${ONEACT_ROUNDS:+--timeout=1800} "${pure[@]/#/--ignore=}" "$@"
