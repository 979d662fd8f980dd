# Sourced by ./test: runs stages, keeps their times and counts, and sums them up.
# What each stage does is in stage_NAME below. It runs in a shell of its own with its output
# in a log, which is shown when it fails. It may `tally`; if not, it counts as one test.
# shellcheck shell=bash

readonly kStages=(format build tidy unit model asan clang mutations qemu kvm suite)
readonly kSlowStages=" clang " # only with --full, or when asked for
# These use what the build stage makes.
readonly kOnBuild=" tidy unit model mutations qemu kvm suite "

full=${full:-0}
logs=$root/build/test-logs
# Debian's own, because its python3-* packages are invisible to any other.
python=/usr/bin/python3

bold='' red='' green='' plain=''
if [[ -t 1 && -z ${NO_COLOR-} ]]; then
  bold=$'\e[1m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
fi

tally() { # PASSED FAILED SKIPPED: the stage's counts
  printf '%s %s %s\n' "$@" >"$logs/$stage.count"
}

nothing_yet() { # WHAT: the stage has nothing to work on
  printf 'skipped: %s\n' "$1" >"$logs/$stage.notes"
  tally 0 0 1
}

# ctest over one build tree, without tests marked slow unless all are asked for; what it
# skipped is named in the notes.
ctest_in() { # BUILD-DIR NAME LABELS-LEFT-OUT CTEST-ARGUMENT...
  local dir=$1 xml=$logs/$2.xml status=0 out=$3
  shift 3
  ((full)) || out=${out:+$out|}slow
  rm -f "$xml"
  "${ctest_prefix[@]}" ctest --test-dir "$dir" --output-on-failure --no-tests=error --timeout 300 --output-junit "$xml" \
    ${out:+-LE "^($out)\$"} "$@" || status=$?
  [[ -f $xml ]] || return 1
  "$python" scripts/junit.py "$xml" "$logs/$stage.count" "$logs/$stage.notes"
  return "$status"
}

labelled() { # LABEL JOBS PATH: the stage of the tests with that label, which are at PATH
  if [[ ! -e $3 ]]; then
    nothing_yet "there is no $3"
    return
  fi
  ctest_in build "$1" '' -L "^$1\$" -j "$2"
}

stage_build() {
  locked build build_with_tests
}

build_with_tests() {
  if [[ ! -f build/build.ninja ]] || ! configured_with build REVEILLE_TESTS ON; then
    configure build -DREVEILLE_TESTS=ON
  fi
  ninja -C build --quiet
}

tracked() { # PATTERN...: files of the repository; also where git does not trust the folder's owner
  git -c safe.directory='*' ls-files -- "$@"
}

stage_format() {
  tracked '*.cpp' '*.hpp' | xargs -r clang-format --dry-run -Werror
}

stage_tidy() {
  local half=(--half "$(git -c safe.directory='*' rev-parse HEAD)")
  ((full)) && half=()
  "$python" scripts/tidy.py --jobs 2 "${half[@]}" build
}

stage_unit() { labelled unit 2 tests/structure; }
stage_qemu() { labelled qemu 1 tests/qemu/CMakeLists.txt; }
stage_kvm() { labelled kvm 1 tests/kvm/CMakeLists.txt; }
stage_suite() { labelled suite 1 configs; }

thread_tests() { # targets: the tests of the core with real threads
  local file
  for file in tests/model/threads_*.cpp; do
    [[ -e $file ]] && basename "$file" .cpp
  done
}

# What ctest is run by; env alone changes nothing.
ctest_prefix=(env)

stage_model() {
  local targets
  labelled model 2 tests/model/CMakeLists.txt
  mapfile -t targets < <(thread_tests)
  ((${#targets[@]})) || return 0
  configure build-tsan -DREVEILLE_TESTS=ON -DREVEILLE_SANITIZE=thread "$kThreadFlags"
  ninja -C build-tsan --quiet "${targets[@]}"
  # gcc 12's ThreadSanitizer cannot start where the kernel randomises more than it knows.
  if setarch -R true 2>/dev/null; then
    ctest_prefix=(setarch -R)
  fi
  ctest_in build-tsan tsan '' -L '^model$' -R '^threads_' -j 2
}

# Enough to be quick and to name lines. What ThreadSanitizer runs is short to compile and long to run, what the
# others run the other way round: unoptimised, clang takes half of the time.
readonly kThreadFlags='-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O1 -g1'
readonly kAddressFlags='-DCMAKE_CXX_FLAGS_RELWITHDEBINFO=-O0 -g1'

# With clang, so that one build says both: clean, and that the other compiler takes it. Relacy
# brings its own stacks, which the sanitizers do not follow.
stage_asan() {
  if [[ ! -e tests/unit/CMakeLists.txt ]]; then
    nothing_yet "there is no tests/unit/CMakeLists.txt"
    return
  fi
  configure build-asan -DREVEILLE_TESTS=ON -DREVEILLE_SANITIZE=address,undefined "$kAddressFlags" \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_ASM_COMPILER=clang
  ninja -C build-asan --quiet
  ctest_in build-asan asan structure -L '^(unit|fuzz|model)$' -E '^relacy_' -j 2
}

# As it is shipped, with clang. Only with --full: the asan stage has compiled all with clang.
stage_clang() {
  configure build-clang -DREVEILLE_TESTS=ON \
    -DCMAKE_C_COMPILER=clang -DCMAKE_CXX_COMPILER=clang++ -DCMAKE_ASM_COMPILER=clang
  ninja -C build-clang --quiet
}

stage_mutations() {
  local which=(--sample 6 --seed "$(git -c safe.directory='*' rev-parse HEAD)")
  ((full)) && which=(--no-cache)
  "$python" tests/mutations/mutate.py --build build --jobs 2 "${which[@]}" \
    --tally "$logs/$stage.count"
}

# --- running them

now() { date +%s.%N; }
since() { awk -v a="$1" -v b="$(now)" 'BEGIN { printf "%.1f", b - a }'; }

# Runs one stage; sets $passed, $failed and $skipped to its counts and $took to its time.
run_stage() { # NAME
  local stage=$1 log=$logs/$1.log status=0 began
  rm -f "$logs/$stage".{count,notes}
  printf '%s== %s%s\n' "$bold" "$stage" "$plain"
  began=$(now)
  # Not in a condition: there, set -e would not hold inside the stage.
  set +e
  (
    set -e
    "stage_$stage"
  ) >"$log" 2>&1 </dev/null
  status=$?
  set -e
  took=$(since "$began")
  read -r passed failed skipped < <(cat "$logs/$stage.count" 2>/dev/null || echo "$((status == 0)) 0 0")
  ((status == 0 || failed)) || failed=1
  if ((failed)); then
    sed 's/^/   /' "$log"
    printf '%s   %s failed%s (%s s)\n' "$red" "$stage" "$plain" "$took"
  else
    printf '   ok (%s s)\n' "$took"
  fi
  [[ ! -f $logs/$stage.notes ]] || sed 's/^/   /' "$logs/$stage.notes"
}

run_stages() { # NAME...
  local name passed failed skipped took rows=() sums=(0 0 0) broken=0 built=0
  for name in "$@"; do
    if [[ $kOnBuild == *" $name "* && " $* " != *" build "* && $built == 0 ]]; then
      set -- build "$@" # a stage by itself still needs something to test
      break
    fi
  done
  for name in "$@"; do
    if ((broken)) && [[ $kOnBuild == *" $name "* ]]; then
      rows+=("$(printf '%-10s %9s' "$name" 'not run')")
      continue
    fi
    run_stage "$name"
    [[ $name == build && $failed != 0 ]] && broken=1
    sums=($((sums[0] + passed)) $((sums[1] + failed)) $((sums[2] + skipped)))
    rows+=("$(printf '%-10s %7s s %5s passed %3s failed %3s skipped' "$name" "$took" "$passed" "$failed" "$skipped")")
  done
  printf '\n%sstages%s\n' "$bold" "$plain"
  printf '%s\n' "${rows[@]}"
  local colour=$green
  ((sums[1])) && colour=$red
  printf '\n%s%s passed, %s failed, %s skipped%s\n' "$colour" "${sums[@]}" "$plain"
  ((sums[1] == 0))
}
