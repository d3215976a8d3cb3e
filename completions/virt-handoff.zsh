#compdef virt-handoff kubectl-virt_handoff kubectl-virt-handoff
# zsh completion for virt-handoff. The tool itself knows what may come next.

_virt_handoff() {
  local -a replies candidates
  local reply directive=4
  replies=("${(@f)$("${words[1]}" __complete "${(@)words[2,CURRENT]}" 2>/dev/null)}")
  if (( ${#replies} )); then
    directive=${replies[-1]#:}
    replies=("${(@)replies[1,-2]}")
  fi
  for reply in $replies; do
    # _describe splits at ":"; a tab stands between word and description.
    candidates+=("${${reply%%$'\t'*}//:/\\:}:${reply#*$'\t'}")
  done
  if [[ $directive == 0 ]]; then
    _files
  else
    _describe virt-handoff candidates
  fi
}

if [[ $funcstack[1] == _virt-handoff ]]; then
  _virt_handoff "$@"
else
  compdef _virt_handoff virt-handoff kubectl-virt_handoff kubectl-virt-handoff
fi
