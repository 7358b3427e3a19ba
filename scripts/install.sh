#!/bin/sh
# Install exactly the versions of a lock file, and then the project itself:
#   sh scripts/install.sh PIP LOCK [PROJECT ...]
# PIP is the pip command to use, LOCK a file in requirements/, PROJECT is `.`, `-e .` or nothing.
# A lock file is complete. With --no-deps pip resolves nothing, so newer releases have no effect.
set -eu
pip=$1
lock=$2
shift 2
case $("$pip" --version) in
  *"(python 2."* | *"(python 3."[0-9]")" | *"(python 3.10)")
    echo "drs-exporter needs Python 3.11 or newer; that of $pip is older" >&2
    exit 1
    ;;
esac
"$pip" install --quiet --disable-pip-version-check --require-hashes --no-deps -r "$lock"
if [ $# != 0 ]; then
  # The lock file contains the build tools as well.
  "$pip" install --quiet --disable-pip-version-check --no-deps --no-build-isolation "$@"
fi
