#!/usr/bin/env bash
# Prepare .venv, the browser that tests and demo drive, and what runs in Node. Quick when nothing has changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { printf '%s\n' "$*"; }
fail() { printf 'setup: %s\n' "$*" >&2; exit 1; }

python=${PYTHON:-python3}
command -v "$python" >/dev/null || fail "Python 3.11 or newer is needed; $python was not found."
"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || fail "Python 3.11 or newer is needed; $python is older."

wanted=$(cat requirements/dev.txt pyproject.toml | sha256sum | cut -d' ' -f1)
# A folder whose making was cut short has a python but no pip: it is made anew.
usable() { .venv/bin/python -m pip --version >/dev/null 2>&1; }
as_root_on_debian() { [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; }
install() {
  apt-get update -qq >/dev/null
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >/dev/null
}

if [ ! -x .venv/bin/python ] || [ "$(cat .venv/.oneact-setup 2>/dev/null || true)" != "$wanted" ]; then
  say "setup: preparing .venv"
  if ! usable; then
    if ! "$python" -c 'import ensurepip, venv' 2>/dev/null && as_root_on_debian; then
      say "setup: installing python3-venv"
      install python3-venv
    fi
    "$python" -m venv --clear .venv || fail "Python's venv module is missing (Debian: sudo apt-get install python3-venv)."
  fi
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements/dev.txt
  .venv/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
  printf '%s' "$wanted" > .venv/.oneact-setup
fi

if ! command -v chromium >/dev/null; then
  if as_root_on_debian; then
    say "setup: installing Chromium"
    install chromium fonts-dejavu-core
  else
    fail "Chromium is missing and only root can install it here (Debian: sudo apt-get install chromium)."
  fi
fi

# A keyring as desktops have it; its test is passed over where there is none.
if ! command -v gnome-keyring-daemon >/dev/null && as_root_on_debian; then
  say "setup: installing a keyring"
  install gnome-keyring dbus
fi

if ! command -v npm >/dev/null; then
  if as_root_on_debian; then
    say "setup: installing Node and npm"
    install nodejs npm
  else
    fail "npm is missing and only root can install it here (Debian: sudo apt-get install nodejs npm)."
  fi
fi
node -e 'const [a, b] = process.versions.node.split("."); process.exit(a > 18 || (a == 18 && b > 18) ? 0 : 1)' ||
  fail "Node 18.19 or newer is needed; $(node --version) is older."
# What runs in Node: Express for its example; the MCP inspector, the MCP conformance runner and their Node 22.
for folder in examples/express examples/mcp; do
  locked=$(cat "$folder/package.json" "$folder/package-lock.json" | sha256sum | cut -d' ' -f1)
  if [ "$(cat "$folder/node_modules/.oneact-setup" 2>/dev/null || true)" != "$locked" ]; then
    say "setup: installing the packages of $folder"
    (cd "$folder" && npm ci --silent --no-audit --no-fund --ignore-scripts) || fail "npm ci in $folder failed."
    printf '%s' "$locked" > "$folder/node_modules/.oneact-setup"
  fi
done
say "setup: ready"
