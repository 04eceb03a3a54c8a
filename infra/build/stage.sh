#!/usr/bin/env bash
# Stages the source of one function: what it links and nothing else, with a root package that the function deployment can see.
#
#   infra/build/stage.sh FUNCTION FOLDER
#
# The same commit gives the same bytes. The folder must be empty or missing.
set -euo pipefail

[ $# -eq 2 ] || { echo "usage: stage.sh FUNCTION FOLDER" >&2; exit 2; }
function=$1
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ -d "functions/$function" ] && [ -f "functions/$function/cmd/main.go" ] || { echo "there is no function $function; it is one of: $(ls functions | tr '\n' ' ')" >&2; exit 2; }
[ ! -e "$2" ] || [ -z "$(ls -A "$2")" ] || { echo "$2 is not empty" >&2; exit 2; }
mkdir -p "$2"
folder=$(cd "$2" && pwd)
module=$(go list -m)

# What the function links, and what its own main needs so that go.sum has it: files of ours, without tests. Embedded files come along.
go list -deps -f '{{if and .Module .Module.Main}}{{$d := .Dir}}{{range .GoFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{range .EmbedFiles}}{{$d}}/{{.}}{{"\n"}}{{end}}{{end}}' \
  "./functions/$function/cmd" | while IFS= read -r file; do
  [ -n "$file" ] || continue
  relative=${file#"$PWD/"}
  mkdir -p "$folder/$(dirname "$relative")"
  cp "$file" "$folder/$relative"
done
cp go.mod go.sum "$folder/"

# The deployment of a function looks at the root package only, and chooses by its imports how the function is served.
cat >"$folder/function.go" <<GO
// Package function is made by infra/build/stage.sh: the deployment of a function sees the root package only.
package function

import (
	_ "github.com/GoogleCloudPlatform/functions-framework-go/functions" // serves what is registered

	_ "$module/functions/$function"
)
GO
echo "staged $function: $(find "$folder" -type f | wc -l) files, digest $("$PWD/infra/build/digest.sh" "$folder")"
