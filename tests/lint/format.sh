#!/usr/bin/env bash
# format.sh ROOT: prints the patch that clang-format-16 would make, and fails if there is one.
# Exit code 77 (skipped) where clang-format-16 is not installed.
set -euo pipefail
cd "$1"

if ! command -v clang-format-16 >/dev/null; then
  echo "skipped: clang-format-16 is not installed"
  exit 77
fi
folders=()
for folder in cli commands recovery preflight storage facts kubeclient lab man tests; do
  if [[ -d $folder ]]; then folders+=("$folder"); fi
done
code=0
while IFS= read -r -d '' file; do
  diff -u --label "$file" --label "$file (formatted)" "$file" <(clang-format-16 "$file") || code=1
done < <(find "${folders[@]}" -name '*.[ch]pp' -print0)
if ((code != 0)); then
  echo "run: clang-format-16 -i on the files above"
fi
exit "$code"
