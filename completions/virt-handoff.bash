# bash completion for virt-handoff. The tool itself knows what may come next.
# shellcheck shell=bash

_virt_handoff() {
  # bash splits at "=" and ":"; put the words together again as they were typed.
  local words=() i=0 part line=${COMP_LINE:0:COMP_POINT} rest
  rest=$line
  for ((i = 0; i <= COMP_CWORD; i++)); do
    part=${COMP_WORDS[i]}
    if ((i > 0)) && [[ -n $rest && $rest != [[:space:]]* ]]; then
      words[${#words[@]} - 1]+=$part
    else
      rest=${rest#"${rest%%[![:space:]]*}"}
      words+=("$part")
    fi
    rest=${rest#"$part"}
  done

  local current=${words[${#words[@]} - 1]} replies directive=4
  mapfile -t replies < <("${words[0]}" __complete "${words[@]:1}" 2>/dev/null)
  if ((${#replies[@]} > 0)); then
    directive=${replies[${#replies[@]} - 1]#:}
    unset "replies[${#replies[@]} - 1]"
  fi

  COMPREPLY=()
  local reply
  for reply in "${replies[@]}"; do
    reply=${reply%%$'\t'*}
    # Only what follows the last "=" is the word that bash replaces.
    if [[ $current == *=* && ${COMP_WORDBREAKS-} == *=* ]]; then reply=${reply#"${current%%=*}="}; fi
    COMPREPLY+=("$reply")
  done
  if [[ $directive == 0 ]]; then
    mapfile -t COMPREPLY < <(compgen -f -- "${current#*=}")
    compopt -o filenames 2>/dev/null
  fi
}

complete -F _virt_handoff virt-handoff kubectl-virt_handoff kubectl-virt-handoff
