#!/usr/bin/env bash
# Build the wheel, install it with nothing but what a verifier needs, and run the vectors on it.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
.venv/bin/python -m hatchling build -t wheel -d "$folder/wheel" >/dev/null 2>&1
python3 -m venv "$folder/venv"
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/bare.txt
"$folder/venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps "$folder"/wheel/*.whl
"$folder/venv/bin/python" -m pip list --disable-pip-version-check --format=freeze | grep -viE '^(pip|setuptools|wheel)=='
cd "$folder"
"$folder/venv/bin/python" -I -c 'import oneact.service, oneact.service.guard; print("oneact.service imports")'
"$folder/venv/bin/python" -I "$OLDPWD/tests/vectors/run.py" "$OLDPWD/spec/vectors"
