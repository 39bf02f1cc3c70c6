# Sourced: installs what is missing from Debian's packages.
missing=()

need() { # COMMAND PACKAGE
  command -v "$1" >/dev/null || missing+=("$2")
}

install_needed() { # LOG
  ((${#missing[@]})) || return 0
  export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
  apt-get update -qq
  apt-get install -y -qq --no-install-recommends "${missing[@]}" >"$1" 2>&1 || { cat "$1"; exit 1; }
}
