#!/usr/bin/env bash
# Builds the tool and shows it at work: will these virtual machines migrate? First on example files,
# then on simulated clusters that run on this machine while the demo does, where some do.
# Installs what is missing on Debian and Ubuntu; needs no cluster, and touches none.
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

# start_lab ARGUMENT...: a simulated cluster in the background, as the cluster to ask.
start_lab() {
  local line
  printf '\n$ %s\n' "$tool lab $* &"
  exec {words}< <(exec "$tool" lab "$@" --kubeconfig-out="$folder/kubeconfig")
  lab=$!
  while read -r -u "$words" line; do
    if [[ $line == 'export KUBECONFIG='* ]]; then
      export KUBECONFIG=$folder/kubeconfig
      return
    fi
    [[ -z $line ]] || echo "$line"
  done
  echo "error: the lab did not start" >&2
  exit 1
}

stop_lab() {
  [[ -n $lab ]] || return 0
  kill "$lab"
  wait "$lab" || true  # 143: terminated
  lab=
  exec {words}<&-
}

say "packages"
scripts/install-packages.sh build
say "build: preset release"
cmake --preset release
cmake --build --preset release

folder=$(mktemp -d)
lab=
trap 'stop_lab; rm -rf "$folder"' EXIT

say "virtual machines in examples/, judged without a cluster"
show 0 "$tool" version --client
# 3: some of them cannot migrate, which is what the example is there to show.
show 3 "$tool" preflight -A --from examples

say "a simulated cluster where everything works"
start_lab healthy --speed=5x
show 0 "$tool" preflight -A
show 0 "$tool" migrate vm-1
show 0 "$tool" migrate vm-2 --to=node-3
stop_lab

say "a simulated cluster where a migration never ends: it is joined, and cancelled"
start_lab slow-network --speed=5x
show 5 "$tool" migrate vm-1 --join --timeout=5s
show 0 "$tool" cancel vm-1
stop_lab

say "a simulated cluster with a disk that only one node may have"
start_lab rwo-disk
show 3 "$tool" migrate vm-1
stop_lab
