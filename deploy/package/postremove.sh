#!/bin/sh
# After removal. The user stays, since files may be left that are its own.
set -e
if [ -d /run/systemd/system ]; then
  systemctl daemon-reload
fi
