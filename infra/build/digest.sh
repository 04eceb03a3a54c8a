#!/usr/bin/env bash
# Prints one digest of all files in a folder, names and contents: the same for the same source, wherever it lies.
#
#   infra/build/digest.sh FOLDER
set -euo pipefail

[ $# -eq 1 ] && [ -d "$1" ] || { echo "usage: digest.sh FOLDER" >&2; exit 2; }
cd "$1"
find . -type f -print0 | LC_ALL=C sort -z | xargs -0 sha256sum | sha256sum | cut -c1-40
