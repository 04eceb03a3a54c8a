#!/usr/bin/env bash
# Asks every new revision of a function whether it answers as it should, before it gets traffic. Nothing happens by it: a webhook must refuse
# who shows no credential, and what Pub/Sub or the scheduler calls must refuse a request without a token.
#
#   infra/build/smoke.sh FUNCTION REGION TAG PUSHER AUDIENCE
set -euo pipefail

[ $# -eq 5 ] || { echo "usage: smoke.sh FUNCTION REGION TAG PUSHER AUDIENCE" >&2; exit 2; }
function=$1 region=$2 tag=$3 pusher=$4 audience=$5
targets=$("$(dirname "${BASH_SOURCE[0]}")/targets.sh" "$function")

# url SERVICE is where the revision with the tag is.
url() {
  gcloud run services describe "$1" --region "$region" --format json |
    tag="$tag" perl -0777 -ne 'while (/\{[^{}]*\}/g) { my $t = $&; if ($t =~ /"tag":\s*"\Q$ENV{tag}\E"/ && $t =~ /"url":\s*"([^"]+)"/) { print $1; last } }'
}

# ask URL [HEADER] prints the status and the type of the answer to an empty event.
ask() {
  curl --silent --show-error --max-time 60 --retry 2 --retry-delay 1 --retry-connrefused --output /dev/null --write-out '%{http_code} %{content_type}' \
    --request POST --header 'Content-Type: application/json' ${2:+--header "$2"} --data '{}' "$1/"
}

failed=0
while read -r target service access; do
  at=$(url "$service")
  [ -n "$at" ] || { echo "FAIL $target: $service has no revision with the tag $tag"; failed=1; continue; }
  if [ "$access" = public ]; then
    want='^(401|404) application/problem\+json' # 404: a webhook's senders have names
    got=$(ask "$at")
  else
    token=$(gcloud auth print-identity-token --impersonate-service-account "$pusher" --audiences "$audience" --include-email)
    want='^(200|400) ' # a sweep sweeps; an empty event is none
    got=$(ask "$at" "Authorization: Bearer $token")
  fi
  if [[ $got =~ $want ]]; then
    echo "ok   $target: $got"
  else
    echo "FAIL $target: $got, and should be $want"
    failed=1
  fi
done <<<"$targets"
exit $failed
