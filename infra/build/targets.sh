#!/usr/bin/env bash
# Prints the targets of a function, a line each: the name that it registers, the service, and "public" or "private".
#
#   infra/build/targets.sh FUNCTION
#
# A target that only Pub/Sub or the scheduler may call is wrapped in platform.Pushed where it is registered.
set -euo pipefail

cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -eq 1 ] && [ -f "functions/$1/register.go" ] || { echo "usage: targets.sh FUNCTION; it is one of: $(ls functions | tr '\n' ' ')" >&2; exit 2; }
sed -n 's/.*functions\.HTTP("\([A-Za-z]*\)", \(.*\)/\1 \2/p' "functions/$1/register.go" | while read -r target rest; do
  service=$(printf '%s' "$target" | sed 's/\([A-Z]\)/-\1/g; s/^-//' | tr '[:upper:]' '[:lower:]')
  case $rest in *platform.Pushed*) access=private ;; *) access=public ;; esac
  echo "$target $service $access"
done
