#!/usr/bin/env bash
# Makes the Google provider available to Terraform on a machine that cannot download it: built from its Go module, once, and kept.
#
#   infra/build/provider.sh [FOLDER]     then: export TF_CLI_CONFIG_FILE=FOLDER/terraform.rc
#
# The build takes some minutes and 2 GB; a second run finds it there. The sums below pin the source: this version is in no checksum database.
set -euo pipefail

folder=${1:-${XDG_CACHE_HOME:-$HOME/.cache}/providerdesk/terraform}
module=github.com/hashicorp/terraform-provider-google
version=v1.20.1-0.20260630172028-e40b75688dfe
release=7.39.0
sums="$module $version h1:DCiDpuKHR+z8Yemjs++AefSYs8f1GqG9WcKpVMuHvBY=
$module $version/go.mod h1:Go0i6nOUNmZJ55waLW59iZ8akvO+In5ztKOb3DwNiAM="

command -v terraform >/dev/null || { echo "terraform is not installed" >&2; exit 1; }
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

# address is the provider's full name, as Terraform itself completes it.
address() {
  local empty
  empty=$(mktemp -d)
  printf 'terraform {\n  required_providers {\n    google = { source = "hashicorp/google" }\n  }\n}\n' >"$empty/main.tf"
  TF_CLI_CONFIG_FILE=/dev/null terraform -chdir="$empty" providers | sed -n 's/.*provider\[\(.*\/google\)\].*/\1/p' | head -n 1
  rm -rf "$empty"
}

# source_folder downloads the module, checks it against the sums, and prints where it is.
source_folder() {
  local empty
  empty=$(mktemp -d)
  printf 'module provider\n\ngo 1.26\n\nrequire %s %s\n' "$module" "$version" >"$empty/go.mod"
  printf '%s\n' "$sums" >"$empty/go.sum"
  (cd "$empty" && GOFLAGS=-mod=mod go mod download "$module" >&2 && go list -mod=mod -m -f '{{.Dir}}' "$module")
  rm -rf "$empty"
}

name=$(address)
[ -n "$name" ] || { echo "terraform does not say what the provider's full name is" >&2; exit 1; }
place=$folder/mirror/$name/$release/$(go env GOOS)_$(go env GOARCH)
binary=$place/terraform-provider-google_v${release}_x5
if [ ! -x "$binary" ]; then
  mkdir -p "$place"
  cd "$(source_folder)"
  CGO_ENABLED=0 GOFLAGS='' nice go build -trimpath -ldflags "-s -w -X $module/version.ProviderVersion=$release" -o "$binary.part" .
  mv "$binary.part" "$binary"
fi
printf 'provider_installation {\n  filesystem_mirror {\n    path = "%s"\n  }\n}\n' "$folder/mirror" >"$folder/terraform.rc"
echo "$folder/terraform.rc"
