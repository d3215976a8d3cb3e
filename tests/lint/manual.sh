#!/usr/bin/env bash
# manual.sh ROOT GENERATOR: the manual pages in man/ are those that the program gives today, and groff
# has nothing against them. UPDATE=1 writes them.
set -euo pipefail
root=$1 generator=$2

fresh=$(mktemp -d)
trap 'rm -rf "$fresh"' EXIT
"$generator" "$fresh"
if [[ ${UPDATE-} == 1 ]]; then
  rm -f "$root"/man/*.[17]
  cp "$fresh"/*.[17] "$root/man"
fi
mkdir "$fresh/checked-in"
cp "$root"/man/*.[17] "$fresh/checked-in" 2>/dev/null || true
mkdir "$fresh/now"
mv "$fresh"/*.[17] "$fresh/now"
if ! (cd "$fresh" && diff -ru checked-in now); then
  echo "error: man/ is out of date; run: UPDATE=1 ctest --preset dev -R lint.manual"
  exit 1
fi
for page in "$fresh"/now/*; do
  complaints=$(groff -K utf8 -man -Tutf8 -ww -z "$page" 2>&1)
  if [[ -n $complaints ]]; then
    echo "error: ${page##*/}: $complaints"
    exit 1
  fi
done
echo "the manual pages are up to date"
