# fish completion for virt-handoff. The tool itself knows what may come next.

function __virt_handoff_complete
    set -l words (commandline --tokenize --cut-at-cursor --current-process)
    set -l current (commandline --current-token)
    set -l replies ($words[1] __complete $words[2..] "$current" 2>/dev/null)
    for reply in $replies
        if test "$reply" = ":0"
            __fish_complete_path "$current"
        else if not string match --quiet -- ':*' "$reply"
            echo $reply
        end
    end
end

for name in virt-handoff kubectl-virt_handoff kubectl-virt-handoff
    complete --command $name --no-files --arguments '(__virt_handoff_complete)'
end
