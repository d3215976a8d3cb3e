#!/usr/bin/env bash
# Builds the tool and shows it at work on the example files: will these virtual machines migrate?
# Installs what is missing on Debian and Ubuntu; needs no cluster.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")"

tool=build/release/cli/virt-handoff

say() { printf '\n== %s\n' "$*"; }

# show EXPECTED COMMAND...: prints the command line, runs it, and stops unless it ends as expected.
show() {
  local expected=$1 code=0
  shift
  printf '\n$ %s\n' "$*"
  "$@" || code=$?
  if ((code != expected)); then
    echo "error: exit code $code where $expected was expected" >&2
    exit 1
  fi
}

say "packages"
scripts/install-packages.sh build
say "build: preset release"
cmake --preset release
cmake --build --preset release

say "virtual machines in examples/, judged without a cluster"
show 0 "$tool" version --client
# 3: some of them cannot migrate, which is what the example is there to show.
show 3 "$tool" preflight -A --from examples
