#!/usr/bin/env bash
# shell.sh ROOT: shellcheck over every shell script, found by name or by first line.
set -euo pipefail
cd "$1"

scripts=()
while IFS= read -r -d '' file; do
  case $file in
    *.zsh | *.fish) continue ;;
    *.sh | *.bash) scripts+=("$file") ;;
    *)
      first=$(head -c 64 "$file" | head -n 1 | tr -d '\0')
      if [[ $first =~ ^\#\!.*[/\ ](ba)?sh$ ]]; then scripts+=("$file"); fi
      ;;
  esac
done < <(find . \( -name .git -o -name .cache -o -type d -name 'build*' \) -prune -o \
  -type f -size -64k -print0)
echo "checking ${#scripts[@]} scripts: ${scripts[*]}"
shellcheck "${scripts[@]}"
