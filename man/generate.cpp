// Writes the manual pages from the parser's own definitions and the check table:
//   generate_manual FOLDER
// The pages are checked in; lint.manual compares them with what this prints.
#include <algorithm>
#include <fstream>
#include <iostream>
#include <string>
#include <vector>

#include "cli/command_line.hpp"
#include "cli/definitions.hpp"
#include "commands/lab.hpp"
#include "commands/topics.hpp"
#include "preflight/check.hpp"

namespace {

constexpr std::string_view program = "kubectl virt-handoff";

// Text as roff takes it: backslashes and dashes are themselves, and no line is a request.
std::string escaped(std::string_view text) {
    std::string result;
    bool line_start = true;
    for (const char c : text) {
        if (line_start && (c == '.' || c == '\'')) result += "\\&";
        if (c == '\\') {
            result += "\\e";
        } else if (c == '-') {
            result += "\\-";
        } else if (c == '@') {
            result += escaped(program);
        } else {
            result += c;
        }
        line_start = c == '\n';
    }
    return result;
}

std::string bold(std::string_view text) {
    return "\\fB" + escaped(text) + "\\fR";
}
std::string italic(std::string_view text) {
    return "\\fI" + escaped(text) + "\\fR";
}

std::string heading(std::string_view name, int section) {
    std::string upper(name);
    std::transform(upper.begin(), upper.end(), upper.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    return ".\\\" Generated from the program itself; do not edit.\n.TH " + escaped(upper) + " " +
           std::to_string(section) + " \"\" \"virt\\-handoff\" \"virt\\-handoff manual\"\n";
}

std::string paragraphs(std::string_view text) {
    std::string result;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        result += line.empty() ? ".PP\n" : escaped(line) + "\n";
    }
    return result;
}

std::string flag_list(const std::vector<cli::Flag>& flags) {
    std::string result;
    for (const auto& flag : flags) {
        result += ".TP\n";
        if (flag.letter != '\0') result += bold(std::string{'-', flag.letter}) + ", ";
        result += bold("--" + flag.name);
        if (!flag.alone.empty()) {
            result += "[=" + italic(flag.value) + "]";
        } else if (!flag.is_switch()) {
            result += " " + italic(flag.value);
        }
        result += "\n" + escaped(flag.text) + "\n";
    }
    return result;
}

std::string exit_codes(std::span<const int> codes) {
    std::string result = ".SH EXIT STATUS\n";
    for (const auto& row : cli::exit_code_texts()) {
        if (std::find(codes.begin(), codes.end(), row.code) == codes.end()) continue;
        result += ".TP\n" + bold(std::to_string(row.code)) + "\n" + escaped(row.text) + "\n";
    }
    return result;
}

std::string see_also(const cli::CommandLine& line, std::string_view self) {
    std::string result = ".SH SEE ALSO\n";
    const auto add = [&](const std::string& page, int section) {
        if (page == self) return;
        if (!result.ends_with("ALSO\n")) result += ",\n";
        result += ".BR " + escaped(page) + " (" + std::to_string(section) + ")";
    };
    add("virt-handoff", 1);
    for (const auto& verb : line.verbs) {
        if (!verb.flags.empty() || verb.words->name == "completion") {
            add("virt-handoff-" + std::string(verb.words->name), 1);
        }
    }
    add("virt-handoff-checks", 7);
    add("kubectl", 1);
    return result + "\n";
}

constexpr std::string_view environment_text =
    ".SH ENVIRONMENT\n"
    ".TP\n\\fBKUBECONFIG\\fR\nKubeconfig files, separated by colons; the first to say something "
    "wins.\n"
    ".TP\n\\fBHTTPS_PROXY\\fR, \\fBHTTP_PROXY\\fR, \\fBNO_PROXY\\fR\n"
    "The proxy to reach the server through, and the hosts for which there is none.\n"
    ".TP\n\\fBNO_COLOR\\fR\nNo colour, if set and not empty.\n"
    ".TP\n\\fBCOLUMNS\\fR\nWidth of the terminal, if it is not to be asked.\n"
    ".SH FILES\n"
    ".TP\n\\fI~/.kube/config\\fR\nThe kubeconfig file, unless the environment or a flag names "
    "others.\n";

std::string main_page(const cli::CommandLine& line) {
    std::string page = heading("virt-handoff", 1);
    page +=
        ".SH NAME\nvirt\\-handoff \\- will KubeVirt virtual machines migrate live, if not, why, "
        "and "
        "do it\n";
    page += ".SH SYNOPSIS\n" + bold(program) + " " + italic("COMMAND") + " [" + italic("flags") +
            "]\n.br\n" + bold("virt-handoff") + " " + italic("COMMAND") + " [" + italic("flags") +
            "]\n";
    page +=
        ".SH DESCRIPTION\n"
        "A live migration hands the disks of a running virtual machine from one node to another.\n"
        "This tool answers beforehand whether that will work, starts migrations and follows them "
        "to\n"
        "their end, and cancels them. It runs as a kubectl plugin or alone.\n"
        "As with every plugin, flags stand behind its name:\n"
        "kubectl refuses those in front of it.\n.PP\n"
        "Standard output carries data, standard error everything else. With\n"
        "\\fB\\-o json\\fR and \\fB\\-o yaml\\fR there is exactly one document on standard "
        "output,\n"
        "also when something failed.\n";
    page += ".SH COMMANDS\n";
    std::vector<int> codes;
    for (const auto& verb : line.verbs) {
        page += ".TP\n" + bold(verb.words->name) + "\n" + escaped(verb.words->summary) + "\n";
    }
    page += ".SH OPTIONS\nEvery command takes these; they mean what they mean to kubectl.\n" +
            flag_list(line.global);
    for (const auto& row : cli::exit_code_texts()) codes.push_back(row.code);
    return page + exit_codes(codes) + std::string(environment_text) +
           see_also(line, "virt-handoff");
}

// Paragraphs; what is indented is to be typed, and stands as it is.
std::string story(std::string_view text) {
    std::string result;
    bool typed = false;
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.starts_with("  ") != typed) {
            typed = !typed;
            result += typed ? ".RS 4\n.nf\n" : ".fi\n.RE\n";
        }
        if (line.empty()) {
            result += ".PP\n";
        } else {
            result += escaped(typed ? line.substr(2) : line) + "\n";
        }
    }
    return typed ? result + ".fi\n.RE\n" : result;
}

// Sections of a page, from VerbText::manual.
std::string sections(std::string_view text) {
    std::string result;
    std::string section;
    const auto end_section = [&] {
        result += story(section);
        section.clear();
    };
    while (!text.empty()) {
        const auto line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(text.size(), line.size() + 1));
        if (line.starts_with("= ")) {
            end_section();
            result += ".SH " + escaped(line.substr(2)) + "\n";
            continue;
        }
        // Every line that is not shown as it is is a paragraph.
        const bool begins = !line.empty() && !line.starts_with("  ") && !section.empty();
        if (begins && !section.ends_with("\n\n")) section += '\n';
        section.append(line) += '\n';
    }
    end_section();
    return result;
}

std::string verb_page(const cli::CommandLine& line, const cli::Verb& verb) {
    const auto& words = *verb.words;
    const std::string name = "virt-handoff-" + std::string(words.name);
    std::string page = heading(name, 1);
    page += ".SH NAME\n" + escaped(name) + " \\- " + escaped(words.summary) + "\n";
    page += ".SH SYNOPSIS\n" + bold(std::string(program) + " " + std::string(words.name));
    if (!words.arguments.empty()) page += " " + escaped(words.arguments);
    page += " [" + italic("flags") + "]\n.SH DESCRIPTION\n" + paragraphs(words.text);
    if (!verb.flags.empty()) page += ".SH OPTIONS\n" + flag_list(verb.flags);
    page += ".PP\nThe flags that every command takes are in\n.BR virt\\-handoff (1).\n";
    page += sections(words.manual) + exit_codes(words.exit_codes);
    if (!words.examples.empty()) {
        page += ".SH EXAMPLES\n.nf\n" + escaped(words.examples) + ".fi\n";
    }
    return page + see_also(line, name);
}

std::string checks_page(const cli::CommandLine& line) {
    std::string page = heading("virt-handoff-checks", 7);
    page +=
        ".SH NAME\nvirt\\-handoff\\-checks \\- what "
        "\\fBvirt\\-handoff preflight\\fR checks\n.SH DESCRIPTION\n"
        "Each check has an id that is never reused, and a short name; both are taken by\n"
        "\\fBexplain\\fR and \\fB\\-\\-ignore\\fR. A blocking check that fails, or cannot be "
        "decided,\n"
        "means that the migration will be refused or cannot end.\n.SH CHECKS\n";
    for (const auto& check : preflight::all_checks()) {
        page += ".SS " + escaped(check.id) + " " + escaped(check.slug) + " (" +
                escaped(preflight::to_string(check.severity)) + ")\n";
        page += bold(check.title) + ".\n.PP\n" + paragraphs(check.meaning);
        page += ".PP\n" + italic("Why:") + " " + paragraphs(check.why);
        page += ".PP\n" + italic("What to do:") + " " + paragraphs(check.fix);
        page += ".PP\n" + italic("Source:") + " " + paragraphs(check.source);
    }
    for (const auto& topic : commands::all_topics()) {
        page += ".SH " + escaped(topic.title) +
                "\nAlso: " + bold(std::string(program) + " explain " + std::string(topic.name)) +
                ".\n";
        for (const auto& section : topic.sections) {
            page += ".SS " + escaped(section.heading) + "\n" + paragraphs(section.text);
            if (section.commands.empty()) continue;
            page += ".PP\n.RS 4\n.nf\n" + escaped(section.commands) + ".fi\n.RE\n";
        }
    }
    return page + see_also(line, "virt-handoff-checks");
}

std::string scenarios_page(const cli::CommandLine& line) {
    std::string page = heading("virt-handoff-lab", 7);
    page +=
        ".SH NAME\nvirt\\-handoff\\-lab \\- the situations that \\fBvirt\\-handoff lab\\fR plays\n"
        ".SH DESCRIPTION\nEach scenario is a cluster of its own; its first node is called "
        "node\\-1, "
        "its first virtual\nmachine vm\\-1, in the namespace prod.\n.SH SCENARIOS\n";
    for (const auto& scenario : commands::lab_scenarios()) {
        page += ".SS " + escaped(scenario.name) + "\n" + bold(scenario.summary) + ".\n.PP\n" +
                story(scenario.page);
    }
    return page + see_also(line, "virt-handoff-lab(7)");
}

bool write(const std::string& path, const std::string& text) {
    std::ofstream file(path);
    file << text;
    file.close();
    if (!file.good()) std::cerr << "error: cannot write " << path << '\n';
    return file.good();
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::cerr << "usage: generate_manual FOLDER\n";
        return 2;
    }
    const std::string folder = argv[1];
    const auto line = cli::describe_command_line();
    bool written = write(folder + "/virt-handoff.1", main_page(line)) &&
                   write(folder + "/virt-handoff-checks.7", checks_page(line)) &&
                   write(folder + "/virt-handoff-lab.7", scenarios_page(line));
    for (const auto& verb : line.verbs) {
        // `options` and `help` say nothing that virt-handoff(1) does not.
        if (verb.flags.empty() && verb.words->name != "completion") continue;
        const std::string name = "virt-handoff-" + std::string(verb.words->name) + ".1";
        written = written && write(folder + "/" + name, verb_page(line, verb));
    }
    return written ? 0 : 1;
}
