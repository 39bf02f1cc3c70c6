#!/bin/sh
# After installation and upgrade, of Debian's packages and of Red Hat's.
set -e
user=cloudtrail-exporter

if command -v systemd-sysusers >/dev/null; then
  systemd-sysusers cloudtrail-exporter.conf
elif ! getent passwd "$user" >/dev/null; then
  useradd --system --user-group --no-create-home --home-dir / --shell /usr/sbin/nologin "$user"
fi
chgrp "$user" /etc/cloudtrail-exporter /etc/cloudtrail-exporter/config.yaml

# The service is not started by itself: it is enabled when it is configured.
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
  systemctl try-restart cloudtrail-exporter.service
fi
