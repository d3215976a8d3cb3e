#!/usr/bin/env bash
# Builds with sanitizers and runs every test; ends with ctest's own summary.
#   ./test.sh          installs what is missing (Debian, Ubuntu), builds, tests
#   ./test.sh --fuzz   runs every fuzz target for 60 seconds instead
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

seconds_per_target=60
report=$PWD/build/tests.xml  # what ctest found, as JUnit

say() { printf '\n== %s\n' "$*"; }

run_tests() {
  say "packages"
  scripts/install-packages.sh build test
  say "programs of a Kubernetes control plane, built once"
  tests/support/assets.py etcd kube-apiserver kube-scheduler kube-controller-manager kubectl ||
    (($? == 77))  # the tests that need them are skipped and say so
  say "build: preset dev (Debug, warnings as errors, address and undefined-behaviour sanitizers)"
  cmake --preset dev
  cmake --build --preset dev
  say "tests"
  local code=0
  rm -f "$report"
  ctest --preset dev --parallel "$(getconf _NPROCESSORS_ONLN)" --output-junit "$report" "$@" |
    tee build/ctest.log || code=$?
  tests/summary.py "$report"
  sed -n '/tests passed, /,$p' build/ctest.log  # ctest has the last word
  exit "$code"
}

run_fuzz() {
  say "packages"
  scripts/install-packages.sh build test fuzz
  say "build: preset fuzz (clang, libFuzzer, sanitizers)"
  cmake --preset fuzz
  cmake --build --preset fuzz --target fuzzers
  local target name corpus found=0
  for target in build/fuzz/tests/fuzz/fuzz_*; do
    [[ -f $target && -x $target ]] || continue
    found=1
    name=${target##*/}
    corpus=build/fuzz/corpus/$name
    mkdir -p "$corpus" build/fuzz/crashes
    say "$name, $seconds_per_target seconds"
    # What is found goes to the build folder; tests/fuzz/corpus only gives the seeds.
    "$target" -max_total_time="$seconds_per_target" -timeout=10 -rss_limit_mb=2048 \
      -print_final_stats=1 -artifact_prefix=build/fuzz/crashes/ \
      "$corpus" "tests/fuzz/corpus/${name#fuzz_}"
  done
  if ((found == 0)); then
    echo "error: no fuzz target was built" >&2
    exit 1
  fi
  say "every fuzz target ran $seconds_per_target seconds without a finding"
}

case ${1-} in
  --fuzz) run_fuzz ;;
  -h | --help) sed -n '2,4s/^# *//p' "${BASH_SOURCE[0]}" ;;
  *) run_tests "$@" ;;
esac
