#!/bin/sh
# Lays out the root of the image: the program, certificate authorities, and a user.
#
#   root.sh ROOT [BINARY]
#
# BINARY is what deploy/build-static.sh has built; it is built here if it is not given.
set -eu
root=${1:?usage: root.sh ROOT [BINARY]}
binary=${2:-}
here=$(dirname "$0")

mkdir -p "$root/usr/bin" "$root/etc/ssl/certs" "$root/etc/cloudtrail-exporter"
mkdir -p "$root/usr/share/doc/cloudtrail-exporter" "$root/home/cloudtrail-exporter/.aws"
if [ -z "$binary" ]; then
  binary=/tmp/cloudtrail-exporter
  "$here/../build-static.sh" "$binary"
fi
cp "$binary" "$root/usr/bin/cloudtrail-exporter"
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/"
cp "$here/../../LICENSE" "$root/usr/share/doc/cloudtrail-exporter/"
echo 'hosts: files dns' >"$root/etc/nsswitch.conf"
cat >"$root/etc/passwd" <<EOF
root:x:0:0:root:/root:/sbin/nologin
cloudtrail-exporter:x:65532:65532::/home/cloudtrail-exporter:/sbin/nologin
EOF
cat >"$root/etc/group" <<EOF
root:x:0:
cloudtrail-exporter:x:65532:
EOF
find "$root" -type d -exec chmod 0755 {} +
find "$root" -type f -exec chmod 0644 {} +
chmod 0755 "$root/usr/bin/cloudtrail-exporter"
