#!/bin/sh
# Print the public address of this repository, or nothing if it is not known: $PROJECT_URL, or else the remote `origin`
# of git, if it is on GitHub or GitLab. On another server, paths must begin as there: blob/HEAD/ for files, raw/HEAD/ for
# pictures.
set -eu
cd "$(dirname "$0")/.."
url=${PROJECT_URL:-}
if [ -z "$url" ]; then
  host='(github\.com|gitlab\.com)' word='[A-Za-z0-9._~-]+'
  # --git-dir: not of a repository that contains this folder, or that GIT_DIR names.
  url=$(git --git-dir=.git remote get-url origin 2>/dev/null |
    sed -nE "s#^(https://([^/@]*@)?$host/|ssh://[^/@]+@$host/|[^/@:]+@$host:/?)($word(/$word)*/?)\$#https://\3\4\5/\6#p")
fi
url=${url%/}
url=${url%.git}
if [ -n "$url" ]; then
  printf '%s' "$url" | tr '\n' ' ' | grep -xE 'https://[A-Za-z0-9.-]+(:[0-9]+)?(/[A-Za-z0-9._~-]+)*' || {
    echo "PROJECT_URL is not an https:// address without user, query and fragment" >&2
    exit 1
  }
fi
