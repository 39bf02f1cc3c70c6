#!/usr/bin/env bash
# Builds the image as its Dockerfile says, from the sources and from a binary built outside, and
# runs what is in it. No registry is asked: the base with the compiler is made by debootstrap.
#
#   image.sh FOLDER BINARY SIMULATOR
#
# BINARY is what deploy/build-static.sh has built. With FROM_SOURCE=0 the slow build is left out.
set -euo pipefail
folder=$(realpath -m "${1:?usage: image.sh FOLDER BINARY SIMULATOR}")
binary=$(realpath "${2:?BINARY}") simulator=$(realpath "${3:?SIMULATOR}")
root=$(cd "$(dirname "$0")/../.." && pwd)
revision=${CLOUDTRAIL_EXPORTER_REVISION:-$(git -C "$root" rev-parse --short=12 HEAD)}
suite=bookworm
mkdir -p "$folder"
# shellcheck source=tests/package/install.sh
. "$root/tests/package/install.sh"
need buildah buildah
need debootstrap debootstrap
need dnsmasq dnsmasq-base
need ip iproute2
need readelf binutils
install_needed "$folder/apt.log"

buildah() {
  command buildah --storage-driver vfs --root "$folder/store" --runroot "$folder/run" "$@"
}

base() { # NAME, the Debian base that stands for docker.io/library/rust
  local debian=$folder/debian container
  if [[ ! -e $debian/complete ]]; then
    rm -rf "$debian"
    debootstrap --variant=minbase --include=ca-certificates,gcc,libc6-dev "$suite" "$debian" \
      >"$folder/debootstrap.log"
    touch "$debian/complete"
  fi
  buildah inspect --type image "$1" >/dev/null 2>&1 && return
  container=$(buildah from scratch)
  buildah add --quiet "$container" "$debian" / >/dev/null
  buildah config --env "PATH=/cargo/bin:/usr/sbin:/usr/bin:/sbin:/bin" \
    --env CARGO_HOME=/cargo --env RUSTUP_HOME=/rustup --env CARGO_NET_OFFLINE=true "$container"
  buildah commit --quiet --rm "$container" "$1" >/dev/null
}

build() { # TAG FORMAT BINARY
  local began=$SECONDS
  buildah build --isolation chroot --format "$2" --timestamp 1700000000 --no-cache --quiet \
    --volume "${CARGO_HOME:-$HOME/.cargo}:/cargo" \
    --volume "${RUSTUP_HOME:-$HOME/.rustup}:/rustup:ro" \
    --build-arg BUILD_IMAGE=localhost/base --build-arg "REVISION=$revision" \
    --build-arg "BINARY=$3" --file "$context/deploy/docker/Dockerfile" --tag "$1" "$context" \
    >"$folder/$1.log" 2>&1 || { tail -20 "$folder/$1.log"; exit 1; }
  echo "    $1: $(digest "$1") in $((SECONDS - began)) s"
}

digest() { buildah inspect --type image --format '{{.FromImageDigest}}' "$1"; }

# The sources as they are committed or written, without what git ignores.
context=$folder/context
rm -rf "$context"
mkdir -p "$context/dist"
(cd "$root" && git ls-files -z --cached --others --exclude-standard |
  while IFS= read -r -d '' file; do [[ -e $file || -L $file ]] && printf '%s\0' "$file"; done |
  tar -c --null --files-from=- ) | tar -x -C "$context"
cp "$binary" "$context/dist/cloudtrail-exporter"

base localhost/base
build image oci dist/cloudtrail-exporter
build again oci dist/cloudtrail-exporter
[[ $(digest image) == "$(digest again)" ]] || { echo "two builds, two digests"; exit 1; }

build image-docker docker dist/cloudtrail-exporter
rm -rf "$folder"/*.tar "$folder/root"
buildah push --quiet image "oci-archive:$folder/image.oci.tar"
buildah push --quiet image-docker "docker-archive:$folder/image.docker.tar"
"$root/tests/package/image_config.py" "$folder" "$revision"

unshare --net sh -c 'ip link set lo up && exec "$@"' run \
  python3 "$root/tests/package/image_run.py" "$folder/root" "$simulator"

if [[ ${FROM_SOURCE:-1} == 1 ]]; then
  build from-source oci ""
  [[ $(digest image) == "$(digest from-source)" ]] ||
    { echo "built in another place, the image has another digest"; exit 1; }
fi
