#!/bin/sh
# Plays a session on the lab of a golden case, for a reader: every line of standard input is shown,
# then run; "# exit code N" follows where it is not 0. A line "later N" lets N seconds of the lab's
# time pass, in which nothing else happens; the lab's clock stands still between.
exec 2>&1
later() {
  kubectl --context lab create --raw "/lab/advance?seconds=$1" -f /dev/null >/dev/null || exit 1
}
while IFS= read -r line; do
  case $line in
    later\ *) printf '\n# %s s later\n' "${line#later }"; eval "$line" ;;
    '#'*) printf '\n%s\n' "$line" ;;
    *)
      printf '\n$ %s\n' "$line"
      eval "$line" </dev/null || printf '# exit code %s\n' "$?"
      ;;
  esac
done
