#!/usr/bin/env bash
# Makes sure that the packages named by the sets given ("build", "test", "fuzz") are installed.
# Quiet, offline and quick when nothing is missing; asks nothing; sudo only when not root.
set -euo pipefail

build=(ca-certificates cmake g++ ninja-build pkg-config libcli11-dev libcpp-httplib-dev libssl-dev
  libyaml-dev nlohmann-json3-dev)
tests=(doctest-dev groff-base openssl python3 shellcheck)
fuzz=(clang-16 libclang-rt-16-dev)
# Not in every release of Ubuntu; the lint that needs it says so and is skipped without it.
optional=(clang-format-16)

wanted=()
for set in "$@"; do
  case $set in
    build) wanted+=("${build[@]}") ;;
    test) wanted+=("${tests[@]}") ;;
    fuzz) wanted+=("${fuzz[@]}") ;;
    *) echo "error: unknown package set \"$set\"" >&2; exit 2 ;;
  esac
done

if [[ $(uname -s) == Darwin ]]; then
  for tool in cmake ninja; do
    if ! command -v "$tool" >/dev/null; then
      echo "error: $tool is missing; install what the build needs with Homebrew:" >&2
      echo "  brew install cmake ninja cli11 cpp-httplib nlohmann-json openssl libyaml doctest" >&2
      exit 1
    fi
  done
  exit 0
fi

if ! command -v dpkg-query >/dev/null || ! command -v apt-get >/dev/null; then
  echo "note: not Debian or Ubuntu; going on with the packages that are here (needed: ${wanted[*]})" >&2
  exit 0
fi

is_installed() {
  [[ $(dpkg-query -W -f='${db:Status-Status}' "$1" 2>/dev/null) == installed ]]
}

installable() {
  apt-cache show "$1" >/dev/null 2>&1
}

missing=()
for package in "${wanted[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [[ " $* " == *" test "* ]]; then
  for package in "${optional[@]}"; do
    if ! is_installed "$package" && installable "$package"; then missing+=("$package"); fi
  done
fi
if ((${#missing[@]} == 0)); then
  exit 0
fi

as_root=()
if ((EUID != 0)); then
  if ! command -v sudo >/dev/null; then
    echo "error: packages are missing, and there is no sudo; as root: apt-get install ${missing[*]}" >&2
    exit 1
  fi
  as_root=(sudo)
fi
apt() {
  "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -qq -o Dpkg::Use-Pty=0 "$@" >&2
}
echo "installing: ${missing[*]}" >&2
# The lists may be old or absent; refresh them only where something has to be installed.
apt update
apt install -y --no-install-recommends "${missing[@]}"
