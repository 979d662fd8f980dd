# Sourced by ./run, ./test and ./bench: configures and builds. The first two share build/, and neither
# makes the other configure again: only a build without tests that ./test needs is reconfigured.
# shellcheck shell=bash

# A Makefile's or an IDE's settings are not ours.
unset MAKEFLAGS MAKELEVEL CMAKE_GENERATOR CFLAGS CXXFLAGS LDFLAGS

configured_with() { # DIR NAME VALUE
  grep -qs "^$2:[A-Z]*=$3\$" "$1/CMakeCache.txt"
}

configure() { # DIR CMAKE-ARGUMENT...
  local dir=$1
  shift
  cmake --log-level=WARNING -S "$root" -B "$dir" -G Ninja -DCMAKE_BUILD_TYPE=RelWithDebInfo "$@"
}

# Two at once in one tree would trip over each other; the lock goes with the subshell.
locked() { # DIR COMMAND...
  local dir=$1
  shift
  mkdir -p "$dir"
  (
    exec 9>"$dir/.lock"
    flock 9
    "$@" 9>&-
  )
}

# Says nothing unless it fails.
quietly() { # COMMAND...
  local log
  log=$(mktemp)
  if ! "$@" >"$log" 2>&1; then
    cat "$log" >&2
    rm -f "$log"
    return 1
  fi
  rm -f "$log"
}

build_for_run() { quietly locked "$root/build" build_for_run_locked; }

build_for_run_locked() {
  [[ -f $root/build/build.ninja ]] || configure "$root/build" -DREVEILLE_TESTS=OFF
  ninja -C "$root/build" --quiet vmm guest
}

# What is measured is compiled as what ./run builds, in a tree of its own that no test reconfigures.
build_for_bench() { quietly locked "$root/build-bench" build_for_bench_locked; }

build_for_bench_locked() {
  [[ -f $root/build-bench/build.ninja ]] ||
    configure "$root/build-bench" -DREVEILLE_TESTS=OFF -DREVEILLE_BENCH=ON
  ninja -C "$root/build-bench" --quiet
}
