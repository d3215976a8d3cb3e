// Every sentence of the help and the manual pages that is not about a single flag.
#include <algorithm>
#include <array>

#include "cli/command_line.hpp"

namespace cli {

namespace {

constexpr std::array preflight_codes{0, 1, 2, 3, 4, 130, 143};
constexpr std::array plain_codes{0, 1, 2};
constexpr std::array lab_codes{0, 1, 2, 130, 143};
constexpr std::array usage_codes{0, 2};

constexpr std::array verbs{
    VerbText{
        "preflight", "(TARGET... | -l SELECTOR | -A | --node NODE)",
        "Will these virtual machines migrate live, and what is in the way",
        "Reads the virtual machines, their volumes, claims and nodes and the KubeVirt "
        "configuration, "
        "and runs every check on each virtual machine. Nothing is written to the cluster.\n"
        "\n"
        "TARGET is NAME, vm/NAME or vmi/NAME. A stopped virtual machine is judged as if it were "
        "started now. What may not be read is reported and leaves the checks that need it "
        "unknown.\n"
        "\n"
        "With --from, files are judged instead of a cluster: what 'kubectl get -o yaml' prints, or "
        "a "
        "folder of such files. Without a selection every virtual machine in the files is judged.",
        "# One virtual machine in the current namespace\n"
        "@ preflight web\n"
        "\n"
        "# Everything that runs on a node, before it is emptied\n"
        "@ preflight --node worker-1\n"
        "\n"
        "# All virtual machines, for a script; warnings count as well\n"
        "@ preflight -A -o json --fail-on=warning\n"
        "\n"
        "# From files, no cluster needed\n"
        "kubectl get vm,vmi,pvc,kv -A -o yaml | @ preflight --from -\n"
        "\n"
        "# Accept one finding for one virtual machine; it stays visible as waived\n"
        "@ preflight web --ignore NET-001=prod/web\n",
        preflight_codes},
    VerbText{
        "explain", "[CHECK | TOPIC]", "What a check means, why it decides, and how to fix it",
        "Prints what a check looks at, why it decides a migration, what an operator can do, and "
        "where the rule stands in the sources. CHECK is an id or its short name. Without CHECK, "
        "all checks are listed. Needs no cluster.\n"
        "\n"
        "TOPIC is cold-migration: how a virtual machine that cannot migrate live moves by stop and "
        "start, and what that costs.",
        "# All checks\n"
        "@ explain\n"
        "\n"
        "# One of them\n"
        "@ explain DISK-001\n"
        "\n"
        "# To move by stop and start\n"
        "@ explain cold-migration\n",
        usage_codes},
    VerbText{
        "lab", "[SCENARIO]", "A simulated cluster on this machine, for drills and demos",
        "Plays a Kubernetes cluster with KubeVirt in this process: an API server on 127.0.0.1 with "
        "TLS, nodes, storage and virtual machines. kubectl, virtctl and this tool work on it as on "
        "any cluster. No cluster is needed, and none is touched.\n"
        "\n"
        "Without SCENARIO everything works; --list names the others, and virt-handoff-lab(7) "
        "describes them. The kubeconfig has four users: admin, who may do everything (context "
        "lab), and with context lab-NAME viewer, who may look, operator, who has the rights that "
        "this tool needs, and nobody.\n"
        "\n"
        "The lab runs until it is interrupted, and leaves nothing behind: its kubeconfig and all "
        "its objects go with it.",
        "# A cluster where everything works\n"
        "@ lab\n"
        "\n"
        "# A drill, ten times faster than life\n"
        "@ lab no-room --speed=10x\n"
        "\n"
        "# A large one, with the kubeconfig in a place of your choice\n"
        "@ lab --vms=1000 --kubeconfig-out=lab.kubeconfig\n",
        lab_codes},
    VerbText{"version", "", "The versions of this tool, Kubernetes and KubeVirt",
             "Prints the version of this tool and those of the Kubernetes and KubeVirt that the "
             "current context leads to.",
             "# This tool alone; nothing is contacted\n"
             "@ version --client\n"
             "\n"
             "# For a bug report\n"
             "@ version -o yaml\n",
             plain_codes},
    VerbText{"completion", "(bash | zsh | fish)", "A completion script for the shell",
             "Prints a script that completes 'virt-handoff' in the shell. Completion of "
             "'kubectl virt-handoff' is kubectl's own; it works once the file "
             "kubectl_complete-virt_handoff is on the PATH.",
             "# In this shell\n"
             "source <(virt-handoff completion bash)\n"
             "\n"
             "# For good\n"
             "virt-handoff completion zsh > \"${fpath[1]}/_virt-handoff\"\n"
             "virt-handoff completion fish > ~/.config/fish/completions/virt-handoff.fish\n",
             usage_codes},
    VerbText{"options", "", "The flags that every command takes",
             "Prints the flags that every command takes. They mean what they mean to kubectl.", "",
             usage_codes},
    VerbText{"help", "[COMMAND]", "Help for a command",
             "Prints help for a command; the same as COMMAND --help.", "", usage_codes},
};

constexpr std::array exit_codes{
    ExitCodeText{0, "done; nothing is in the way"},
    ExitCodeText{1, "an error: nothing could be decided"},
    ExitCodeText{2, "the command line cannot be understood"},
    ExitCodeText{3, "blocked: a blocking check failed or could not be decided"},
    ExitCodeText{4, "warnings, with --fail-on=warning"},
    ExitCodeText{130, "interrupted (SIGINT)"},
    ExitCodeText{143, "terminated (SIGTERM)"},
};

}  // namespace

std::span<const VerbText> verb_texts() {
    return verbs;
}

std::span<const ExitCodeText> exit_code_texts() {
    return exit_codes;
}

const Verb* CommandLine::find(std::string_view verb) const {
    const auto found = std::find_if(verbs.begin(), verbs.end(),
                                    [&](const Verb& each) { return each.words->name == verb; });
    return found == verbs.end() ? nullptr : &*found;
}

}  // namespace cli
