#!/usr/bin/env bash
# Gives all traffic of a function's services to the revisions with a tag: of a deployment to promote it, of an older one to roll back.
#
#   infra/build/promote.sh FUNCTION REGION TAG
set -euo pipefail

[ $# -eq 3 ] || { echo "usage: promote.sh FUNCTION REGION TAG" >&2; exit 2; }
function=$1 region=$2 tag=$3
targets=$("$(dirname "${BASH_SOURCE[0]}")/targets.sh" "$function")

while read -r target service _; do
  echo "all traffic of $target to the revision with the tag $tag"
  gcloud run services update-traffic "$service" --quiet --region "$region" --to-tags "$tag=100"
done <<<"$targets"
