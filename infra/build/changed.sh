#!/usr/bin/env bash
# Prints the functions that a change is about: those that link a file which differs between two commits.
#
#   infra/build/changed.sh OLD [NEW]     NEW is HEAD unless it is named
#
# Without a usable OLD (a new branch, a shallow clone) it prints them all: to deploy too much is safe, too little is not.
set -euo pipefail

[ $# -ge 1 ] && [ $# -le 2 ] || { echo "usage: changed.sh OLD [NEW]" >&2; exit 2; }
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
old=$1 new=${2:-HEAD}

all() { for f in functions/*/cmd; do basename "$(dirname "$f")"; done; }

if ! files=$(git diff --name-only "$old" "$new" -- 2>/dev/null); then
  echo "there is no commit $old here: every function" >&2
  all
  exit 0
fi
if grep -qE '^(go\.mod|go\.sum|cloudbuild\.yaml|infra/build/.*)$' <<<"$files"; then
  all
  exit 0
fi
folders=$(grep -vE '(_test\.go|\.md)$|/testdata/' <<<"$files" | grep '/' | sed 's#/[^/]*$##' | sort -u || true)
all | while read -r function; do
  # A folder that is gone is linked by nobody any more, but whoever linked it has changed, too.
  linked=$(go list -deps -f '{{if and .Module .Module.Main}}{{.Dir}}{{end}}' "./functions/$function/cmd" | sed "s#^$PWD/##")
  if [ -n "$(comm -12 <(sort -u <<<"$linked") <(sort -u <<<"$folders"))" ]; then
    echo "$function"
  fi
done
