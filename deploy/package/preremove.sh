#!/bin/sh
# Before removal, and before an upgrade, in which nothing is to be stopped.
set -e
case $1 in
  remove | 0) ;;
  *) exit 0 ;;
esac
if [ -d /run/systemd/system ]; then
  systemctl disable --now cloudtrail-exporter.socket cloudtrail-exporter.service
fi
