#!/usr/bin/env bash
# build.sh [--where]: builds the programs that the tests hold us against: etcd, kube-apiserver,
# kube-scheduler, kube-controller-manager and kubectl, of the releases pinned by the go.mod files
# beside this script. They go to a cache folder outside the source tree, whose path is the only line
# on standard output; --where prints it and builds nothing. What is there already is kept, so a
# second call costs nothing and an interrupted one is continued.
# The only network used is the Go module proxy. Exit code 77: they cannot be built on this machine,
# and the line on standard output says why.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
kubernetes=$(sed -En 's,^(require)?[[:space:]]+k8s.io/kubernetes (v[0-9.]+).*,\2,p' \
  "$here/kubernetes/go.mod")
folder=${XDG_CACHE_HOME:-$HOME/.cache}/virt-handoff/assets/$kubernetes

say() { printf '%s\n' "$*" >&2; }

skip() {
  echo "skipped: $*"
  exit 77
}

# What `kubectl version` parses, and what the API server answers at /version.
version_flags() {
  local numbers=${kubernetes#v} package
  for package in k8s.io/component-base/version k8s.io/client-go/pkg/version; do
    printf -- '-X %s.%s ' "$package" "gitVersion=$kubernetes" \
      "$package" "gitMajor=$(cut -d. -f1 <<<"$numbers")" \
      "$package" "gitMinor=$(cut -d. -f2 <<<"$numbers")" "$package" gitTreeState=clean
  done
}

# build MODULE PACKAGE NAME: one program, renamed into place when it is whole.
build() {
  local module=$1 package=$2 name=$3 unfinished=$folder/.$3.unfinished from=$SECONDS
  if [[ -x $folder/$name ]]; then return; fi
  say "building $name of $kubernetes; the first build takes some minutes"
  (cd "$here/$module" && go build -ldflags "-s -w $(version_flags)" -o "$unfinished" "$package")
  mv "$unfinished" "$folder/$name"
  say "built $name in $((SECONDS - from)) seconds"
}

is_complete() {
  local name
  for name in etcd kube-apiserver kube-scheduler kube-controller-manager kubectl; do
    [[ -x $folder/$name ]] || return 1
  done
}

prepare_go() {
  local needed
  needed="Go $(sed -n 's/^go //p' "$here/kubernetes/go.mod") or newer builds the API server for the \
tests (KUBEBUILDER_ASSETS may name a folder with a built one)"
  command -v go >/dev/null || skip "$needed, and go is not installed"
  # Settings of the user that would change what is built, or where it comes from.
  export CGO_ENABLED=0 GOTOOLCHAIN=local GOWORK=off GOFLAGS='-mod=readonly -trimpath -buildvcs=false'
  # go.sum has every checksum: nobody else is asked.
  export GOSUMDB=off
  GOPROXY=$(go env GOPROXY)
  export GOPROXY=${GOPROXY%,direct}
  local module complaint
  for module in etcd kubernetes; do
    if ! complaint=$(cd "$here/$module" && go list -m 2>&1); then
      skip "$needed, and here is $(go version): ${complaint//$'\n'/ }"
    fi
    if ! complaint=$(cd "$here/$module" && go mod download 2>&1); then
      skip "the Go modules of the API server cannot be fetched: ${complaint%%$'\n'*}"
    fi
  done
}

if [[ ${1-} == --where ]]; then
  echo "$folder"
  exit
fi
if ! is_complete; then
  prepare_go
  mkdir -p "$folder"
  # Two test runs at once: the second waits, and finds everything built.
  exec 9>"$folder/.lock"
  if command -v flock >/dev/null; then flock 9; fi
  build etcd go.etcd.io/etcd/server/v3 etcd
  for name in kubectl kube-apiserver kube-scheduler kube-controller-manager; do
    build kubernetes "k8s.io/kubernetes/cmd/$name" "$name"
  done
fi
echo "$folder"
