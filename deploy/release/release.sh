#!/usr/bin/env bash
# Makes everything of a release in OUTPUT, and publishes nothing:
#
#   deploy/release/release.sh OUTPUT
#
# - cloudtrail-exporter: one static binary, with the list of its dependencies inside (cargo-auditable)
# - an archive of it with man page, completions, licence; a .deb and a .rpm
# - the image as an OCI archive; the Helm chart as a package
# - the bill of materials (CycloneDX); SHA256SUMS; SHA256SUMS.sig if SIGNING_KEY names an Ed25519 key
#
# BINARY=FILE takes a binary, GENERATED=FOLDER manual pages, that were built before. SKIP="image packages chart sbom" leaves parts out.
# NFPM, HELM and BUILDAH name those programs, PYTHON one that has helm-python-sdk, instead of HELM.
set -euo pipefail
output=$(realpath -m "${1:?usage: release.sh OUTPUT}")
cd "$(dirname "$0")/../.."
name=cloudtrail-exporter
version=$(deploy/release/version.sh)
arch=${ARCH:-$(dpkg --print-architecture)}
export SOURCE_DATE_EPOCH=${SOURCE_DATE_EPOCH:-$(git log -1 --format=%ct)}
revision=$(git rev-parse --short=12 HEAD)
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
mkdir -p "$output"

skipped() { [[ " ${SKIP:-} " == *" $1 "* ]]; }

binary() {
  if [[ -n ${BINARY:-} ]]; then
    cp "$BINARY" "$work/$name"
  else
    CARGO="cargo auditable" CLOUDTRAIL_EXPORTER_REVISION=$revision deploy/build-static.sh "$work/$name"
  fi
  [[ $("$work/$name" --version) == "$name $version"* ]] || { echo "the binary is not $version"; exit 1; }
}

generated() {
  if [[ -n ${GENERATED:-} ]]; then
    cp -r "$GENERATED" "$work/generated"
  else
    cargo run --quiet --locked --example generate_docs -- "$work/generated"
  fi
}

archive() {
  local folder=$name-$version-linux-$arch
  mkdir -p "$work/$folder"
  cp -r "$work/$name" "$work/generated/man1" "$work/generated/completions" LICENSE README.md CHANGELOG.md \
    deploy/cloudtrail-exporter.example.yaml "$work/$folder/"
  tar --create --gzip --file "$output/$folder.tar.gz" --directory "$work" --sort=name --owner=0 --group=0 \
    --numeric-owner --mode=go=rX,u=rwX --mtime="@$SOURCE_DATE_EPOCH" "$folder"
}

packages() {
  VERSION=$version ARCH=$arch deploy/package/build.sh "$work/$name" "$work/generated" "$output"
}

# The context is small: the binary, and what lays out the image's root.
image() {
  local base=${BASE_IMAGE:-docker.io/library/buildpack-deps:bookworm-curl} context=$work/context
  mkdir -p "$context/deploy"
  cp -r deploy/docker "$context/deploy/"
  cp LICENSE "$work/$name" "$context/"
  # BUILDAH may have options of its own.
  ${BUILDAH:-buildah} build --isolation "${ISOLATION:-oci}" --format oci --timestamp "$SOURCE_DATE_EPOCH" \
    --file deploy/docker/Dockerfile --build-arg "BUILD_IMAGE=$base" --build-arg "BINARY=/src/$name" \
    --build-arg "VERSION=$version" --build-arg "REVISION=$revision" \
    --tag "oci-archive:$output/$name-$version-image-$arch.tar:$version" "$context"
}

chart() {
  local chart=deploy/helm/$name
  if [[ -n ${PYTHON:-} ]]; then
    "$PYTHON" -c 'import sys, helm_python as helm; print(helm.package(sys.argv[1], destination=sys.argv[2]))' "$chart" "$output"
  else
    "${HELM:-helm}" package "$chart" --destination "$output"
  fi
}

# cargo-cyclonedx writes beside Cargo.toml.
sbom() {
  cargo cyclonedx --format json --spec-version 1.5 --override-filename "$name.cdx"
  mv "$name.cdx.json" "$output/$name-$version.cdx.json"
  find . -path ./target -prune -o -name "$name.cdx.json" -exec rm {} +
}

sums() {
  (cd "$output" && rm -f SHA256SUMS SHA256SUMS.sig && sha256sum -- * >"$work/SHA256SUMS" && mv "$work/SHA256SUMS" .)
  if [[ -n ${SIGNING_KEY:-} ]]; then
    openssl pkeyutl -sign -rawin -inkey "$SIGNING_KEY" -in "$output/SHA256SUMS" -out "$output/SHA256SUMS.sig"
  fi
}

binary
generated
archive
for part in packages image chart sbom; do
  skipped "$part" || { echo "== $part"; "$part"; }
done
sums
ls -l "$output"
