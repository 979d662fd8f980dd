# Sourced by ./run, ./test and ./bench: where the repository is, and how they talk.
# shellcheck shell=bash

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# What people read goes to standard error, so that a result on standard output stays clean.
say() { printf '%s\n' "$*" >&2; }

die() { # STATUS MESSAGE...
  local status=$1
  shift
  say "$@"
  exit "$status"
}
