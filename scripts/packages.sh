# Sourced by ./run, ./test and ./bench: installs what is missing from Debian's packages.
# shellcheck shell=bash

# Statuses as the vmm's own: 3, this host cannot run it.
readonly kHostCannot=3

packages_for() { # KIND...: the names marked so in packages.txt
  local kind
  for kind in "$@"; do
    sed -n "s/^$kind //p" "$root/scripts/packages.txt"
  done
}

missing_packages() { # NAME...
  local installed
  # dpkg-query fails when it has never heard of a name: that is an answer, not an error.
  # shellcheck disable=SC2016 # dpkg-query expands these, not the shell
  installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
    sed -n 's/^installed //p') || true
  comm -23 <(printf '%s\n' "$@" | sort -u) <(printf '%s\n' "$installed" | sort -u)
}

# Returns at once, without asking apt, when all is there.
ensure_packages() { # KIND...
  local wanted missing log
  mapfile -t wanted < <(packages_for "$@")
  if ! command -v dpkg-query >/dev/null; then
    say "not a Debian system: taking it that these packages, or their like, are there: ${wanted[*]}"
    return
  fi
  mapfile -t missing < <(missing_packages "${wanted[@]}")
  ((${#missing[@]})) || return 0
  if (($(id -u) != 0)); then
    die "$kHostCannot" "missing packages: ${missing[*]}
install them as root, then try again:
  apt-get update && apt-get install --no-install-recommends ${missing[*]}"
  fi
  say "installing: ${missing[*]}"
  log=$(mktemp)
  if ! { DEBIAN_FRONTEND=noninteractive apt-get update &&
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "${missing[@]}"; } \
    </dev/null >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    die "$kHostCannot" "could not install: ${missing[*]}"
  fi
  rm -f "$log"
}
