#include "cli/complete.hpp"

#include <doctest/doctest.h>

#include <string>
#include <vector>

#include "cli/definitions.hpp"
#include "preflight/check.hpp"

namespace {

// The candidates without their descriptions, one per line, and the directive.
std::string complete(const std::vector<std::string>& words) {
    std::string result;
    std::string text = cli::complete(words, cli::describe_command_line());
    while (!text.empty()) {
        const std::string line = text.substr(0, text.find('\n'));
        text.erase(0, line.size() + 1);
        result += line.substr(0, line.find('\t')) + "\n";
    }
    return result;
}

std::string all_ids(const std::string& before = "") {
    std::string result;
    for (const auto& check : preflight::all_checks()) {
        result += before + std::string(check.id) + "\n";
    }
    return result;
}

}  // namespace

TEST_CASE("verbs, flags, formats, check ids and shells complete") {
    CHECK(complete({"pre"}) == "preflight\n:4\n");
    CHECK(complete({"-n", "x", "exp"}) == "explain\n:4\n");
    CHECK(complete({"preflight", "--fail"}) == "--fail-on\n:4\n");
    CHECK(complete({"preflight", "-o", ""}) == "table\nwide\njson\nyaml\nname\n:4\n");
    CHECK(complete({"version", "-o", ""}) == "table\njson\nyaml\n:4\n");
    CHECK(complete({"migrate", "-o", "json"}) == "json\njsonl\n:4\n");
    CHECK(complete({"cancel", "--dry-run="}) ==
          "--dry-run=none\n--dry-run=client\n--dry-run=server\n:4\n");
    // It takes no value behind a blank: what follows is a virtual machine.
    CHECK(complete({"cancel", "--dry-run", ""}) == ":4\n");
    CHECK(complete({"migrate", "--cancel"}) == "--cancel-on-interrupt\n--cancel-on-timeout\n:4\n");
    CHECK(complete({"preflight", "--output=j"}) == "--output=json\n:4\n");
    CHECK(complete({"explain", ""}) == all_ids() + "cold-migration\n:4\n");
    CHECK(complete({"explain", "cold"}) == "cold-migration\n:4\n");
    CHECK(complete({"migrate", "web", "--ignore", "cold"}) == ":4\n");
    CHECK(complete({"preflight", "web", "--ignore", ""}) == all_ids() + ":4\n");
    CHECK(complete({"preflight", "--ignore="}) == all_ids("--ignore=") + ":4\n");
    CHECK(complete({"completion", "z"}) == "zsh\n:4\n");
    CHECK(complete({"help", "ver"}) == "version\n:4\n");
}

TEST_CASE("file names are offered where a file is wanted, and nowhere else") {
    CHECK(complete({"preflight", "--from", ""}) == ":0\n");
    CHECK(complete({"preflight", "--kubeconfig", "/e"}) == ":0\n");
    CHECK(complete({"preflight", "w"}) == ":4\n");
    CHECK(complete({"preflight", "--", "--fr"}) == ":4\n");
    CHECK(complete({}).ends_with(":4\n"));
}

TEST_CASE("every flag of every verb is offered") {
    const auto line = cli::describe_command_line();
    for (const auto& verb : line.verbs) {
        const std::string offered = complete({std::string(verb.words->name), "--"});
        for (const auto& flag : verb.flags) {
            CAPTURE(flag.name);
            CHECK(offered.find("--" + flag.name + "\n") != std::string::npos);
        }
    }
}
