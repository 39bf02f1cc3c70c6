#!/usr/bin/env bash
# Prints the version of the release. There is one, in Cargo.toml; a test of cargo's holds the chart, the
# image and the documents equal to it. A tag, if TAG is set, must name it, and the changelog must have it.
set -euo pipefail
cd "$(dirname "$0")/../.."
version=$(sed -n 's/^version = "\(.*\)"$/\1/p' Cargo.toml | head -1)
if [[ -n ${TAG:-} && $TAG != "v$version" ]]; then
  echo "the tag $TAG is not v$version" >&2
  exit 1
fi
grep -q "^## $version" CHANGELOG.md || { echo "CHANGELOG.md has no section $version" >&2; exit 1; }
echo "$version"
