#!/usr/bin/env bash
# Builds the packages twice, and installs, starts, upgrades and removes them in roots made by
# debootstrap.
#
#   packages.sh FOLDER BINARY GENERATED SIMULATOR
#
# NFPM names the program nfpm.
set -euo pipefail
folder=$(realpath -m "${1:?usage: packages.sh FOLDER BINARY GENERATED SIMULATOR}")
binary=$(realpath "${2:?BINARY}") generated=$(realpath "${3:?GENERATED}")
simulator=$(realpath "${4:?SIMULATOR}")
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
mkdir -p "$folder"
# shellcheck source=tests/package/install.sh
. "$here/install.sh"
need debootstrap debootstrap
need rpm rpm
need ip iproute2
need systemd-analyze systemd
install_needed "$folder/apt.log"

package() { # VERSION OUTPUT
  rm -rf "$2"
  VERSION=$1 "$root/deploy/package/build.sh" "$binary" "$generated" "$2" >/dev/null
}

version=$(sed -n 's/^version = "\(.*\)"$/\1/p' "$root/Cargo.toml" | head -1)
package "$version" "$folder/new"
package "$version" "$folder/again"
for file in "$folder"/new/*; do
  cmp "$file" "$folder/again/$(basename "$file")" || { echo "two builds differ"; exit 1; }
  echo "    $(basename "$file"): $(stat -c %s "$file") bytes, the same twice"
done
package 0.0.9 "$folder/old"

debian=$folder/debian
if [[ ! -e $debian/complete ]]; then
  rm -rf "$debian"
  debootstrap --variant=minbase --include=systemd,ca-certificates bookworm "$debian" \
    >"$folder/debootstrap.log"
  touch "$debian/complete"
fi
for format in deb rpm; do
  rm -rf "$folder/root"
  cp -a "$debian" "$folder/root"
  unshare --net --mount sh -c 'ip link set lo up && exec "$@"' run \
    python3 "$here/packages_test.py" "$format" "$folder/root" "$folder/old" "$folder/new" \
    "$version" "$simulator"
done
