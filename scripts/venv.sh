#!/bin/sh
# Create a virtual environment in $1 with Python 3.11 or newer, or print what is missing.
set -eu
python=${PYTHON:-python3}
if ! "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
  echo "drs-exporter needs Python 3.11 or newer; '$python' is older or missing. Try: make PYTHON=python3.11 ..." >&2
  exit 1
fi
if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
  # Debian has a package for this module.
  package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
  if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
    echo "installing $package" >&2
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$package" >/dev/null
  else
    echo "Python's module venv is missing. On Debian and Ubuntu: sudo apt-get install $package" >&2
    exit 1
  fi
fi
"$python" -m venv "$1"
