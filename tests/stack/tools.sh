#!/usr/bin/env bash
# Installs what the stack tests judge the exporter with, if it is missing: Debian packages, a Python venv and two npm packages in FOLDER.
set -euo pipefail
folder=${1:?usage: tools.sh FOLDER}
here=$(cd "$(dirname "$0")" && pwd)
mkdir -p "$folder"

missing=()
need() { command -v "$1" >/dev/null || missing+=("$2"); }
need promtool prometheus
need amtool prometheus-alertmanager
need jsonnet jsonnet
need chromium chromium
need curl curl
need systemd-analyze systemd
need openssl openssl
need ip iproute2
need node nodejs
need npm npm
python3 -c 'import ensurepip' 2>/dev/null || missing+=(python3-venv)
[[ -e /usr/share/doc/libfaketime ]] || missing+=(faketime)
if ((${#missing[@]})); then
  sudo=$( ((EUID)) && echo sudo || true)
  # Debian starts servers on installation; the tests start their own.
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  $sudo apt-get update -qq
  $sudo apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$folder/apt.log" 2>&1 || { cat "$folder/apt.log"; exit 1; }
fi

# A venv or node_modules is made anew when what it was made from changes.
fresh() { [[ -e $2 ]] && cmp -s "$1" "$2"; }
if ! fresh "$here/requirements.txt" "$folder/venv/made-from"; then
  python3 -m venv --clear "$folder/venv"
  "$folder/venv/bin/pip" install -q --disable-pip-version-check -r "$here/requirements.txt"
  cp "$here/requirements.txt" "$folder/venv/made-from"
fi
if ! fresh "$here/linters.txt" "$folder/linters/made-from"; then
  python3 -m venv --clear "$folder/linters"
  "$folder/linters/bin/pip" install -q --disable-pip-version-check -r "$here/linters.txt"
  cp "$here/linters.txt" "$folder/linters/made-from"
fi
if [[ -e $here/package.json ]] && ! fresh "$here/package-lock.json" "$folder/node/made-from"; then
  mkdir -p "$folder/node"
  cp "$here/package.json" "$here/package-lock.json" "$folder/node/"
  (cd "$folder/node" && npm ci --silent --no-audit --no-fund)
  cp "$here/package-lock.json" "$folder/node/made-from"
fi
