#!/usr/bin/env bash
# Deploys the staged source of a function to the services of all its targets, as revisions that get no traffic yet.
#
#   infra/build/deploy.sh FUNCTION FOLDER REGION TAG BUILDER
#
# TAG names the revisions in URLs (a short commit), BUILDER is the account that builds the containers, as projects/P/serviceAccounts/EMAIL.
set -euo pipefail

[ $# -eq 5 ] || { echo "usage: deploy.sh FUNCTION FOLDER REGION TAG BUILDER" >&2; exit 2; }
function=$1 folder=$2 region=$3 tag=$4 builder=$5
[[ $tag =~ ^[a-z][a-z0-9-]{2,40}$ ]] || { echo "a tag is 3 to 41 of a-z, 0-9 and -, and begins with a letter; not $tag" >&2; exit 2; }
[ -f "$folder/function.go" ] || { echo "$folder is not what stage.sh makes" >&2; exit 2; }
targets=$("$(dirname "${BASH_SOURCE[0]}")/targets.sh" "$function")

while read -r target service _; do
  echo "deploying $target to $service, tag $tag, no traffic"
  gcloud run deploy "$service" --quiet --region "$region" --source "$folder" --function "$target" --base-image go126 \
    --build-service-account "$builder" --no-traffic --tag "$tag"
done <<<"$targets"
