# shellcheck shell=bash
# What bash would offer for unfinished lines; it splits words at "=" and ":" by itself.
# shellcheck source=completions/virt-handoff.bash
source project/completions/virt-handoff.bash

# offer LINE WORD...: the line up to the cursor, and the words as bash splits them.
offer() {
  COMP_LINE=$1 COMP_POINT=${#1}
  shift
  COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
  _virt_handoff
  echo "$COMP_LINE -> ${COMPREPLY[*]}"
}

offer 'virt-handoff ' virt-handoff ''
offer 'virt-handoff pre' virt-handoff pre
offer 'virt-handoff -n prod pre' virt-handoff -n prod pre
offer 'virt-handoff preflight -o ' virt-handoff preflight -o ''
offer 'virt-handoff preflight --output=j' virt-handoff preflight --output = j
offer 'virt-handoff preflight --output=' virt-handoff preflight --output =
offer 'virt-handoff preflight --fail' virt-handoff preflight --fail
offer 'virt-handoff migrate --cancel-on' virt-handoff migrate --cancel-on
offer 'virt-handoff cancel --dry-run=s' virt-handoff cancel --dry-run = s
offer 'virt-handoff explain cold' virt-handoff explain cold
offer 'virt-handoff completion ' virt-handoff completion ''
mkdir files
touch files/one.yaml files/two.yaml
offer 'virt-handoff preflight --from files/' virt-handoff preflight --from files/
offer 'virt-handoff preflight --from=files/o' virt-handoff preflight --from = files/o
