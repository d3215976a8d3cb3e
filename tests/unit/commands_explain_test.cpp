#include "commands/explain.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "kubeclient/json.hpp"
#include "preflight/check.hpp"

namespace {

struct Outcome {
    commands::ExitCode code;
    std::string out;
    std::string err;
};

Outcome run(const commands::ExplainOptions& options) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    commands::Environment environment{.io = {in, out, err}};
    const auto code = commands::run_explain(options, environment);
    return {code, out.str(), err.str()};
}

}  // namespace

TEST_CASE("explain without a check lists all of them, one line each") {
    const auto outcome = run({});
    CHECK(outcome.code == commands::ExitCode::done);
    std::istringstream lines(outcome.out);
    std::string line;
    std::getline(lines, line);
    CHECK(line.starts_with("ID"));
    for (const auto& check : preflight::all_checks()) {
        REQUIRE(std::getline(lines, line));
        CHECK(line.starts_with(check.id));
        CHECK(line.ends_with(check.title));
    }
    CHECK_FALSE(std::getline(lines, line));
}

TEST_CASE("every check is explained by id and by slug, within 80 columns") {
    for (const auto& check : preflight::all_checks()) {
        CAPTURE(std::string(check.id));
        const auto outcome = run({.check = std::string(check.id)});
        CHECK(outcome.code == commands::ExitCode::done);
        CHECK(outcome.out == run({.check = std::string(check.slug)}).out);
        CHECK(outcome.out.find(std::string(check.slug)) != std::string::npos);
        std::istringstream lines(outcome.out);
        for (std::string line; std::getline(lines, line);) {
            CAPTURE(line);
            // A word that is too long, an address, stands alone.
            CHECK((line.size() <= 80 || line.find(' ', line.find_first_not_of(' ')) == line.npos));
        }
    }
}

TEST_CASE("explain -o json holds every text of a check") {
    const auto& check = preflight::all_checks().front();
    const auto outcome =
        run({.check = std::string(check.id), .output = commands::OutputFormat::json});
    const auto document = kubeclient::parse_json(outcome.out, "out").value();
    CHECK(document["kind"] == "Check");
    CHECK(document["id"] == check.id);
    CHECK(document["why"] == check.why);
    CHECK(document["severity"] == preflight::to_string(check.severity));

    const auto list =
        kubeclient::parse_json(run({.output = commands::OutputFormat::json}).out, "out").value();
    CHECK(list["kind"] == "CheckList");
    CHECK(list["items"].size() == preflight::all_checks().size());
}

TEST_CASE("an unknown check is a usage error that names the nearest, and still one document") {
    std::string id(preflight::all_checks().front().id);
    const std::string right = id;
    id.pop_back();
    const auto outcome = run({.check = id, .output = commands::OutputFormat::json});
    CHECK(outcome.code == commands::ExitCode::usage);
    CHECK(outcome.err ==
          "error: unknown check \"" + id + "\"\nhint: did you mean \"" + right + "\"?\n");
    CHECK(kubeclient::parse_json(outcome.out, "out").value()["error"]["kind"] == "usage");
}

TEST_CASE("cold migration is explained, with commands that stay whole") {
    const auto outcome = run({.check = "Cold-Migration"});
    CHECK(outcome.code == commands::ExitCode::done);
    CHECK(outcome.err.empty());
    std::istringstream lines(outcome.out);
    std::vector<std::string> commands;
    for (std::string line; std::getline(lines, line);) {
        CAPTURE(line);
        CHECK(line.size() <= 80);
        if (line.starts_with("    ")) commands.push_back(line.substr(4));
    }
    const auto has = [&](const std::string& command) {
        return std::find(commands.begin(), commands.end(), command) != commands.end();
    };
    CHECK(has("virtctl stop web"));
    CHECK(has("virtctl start web"));
    CHECK(has("kubectl patch vm web --type=merge -p '{\"spec\":{\"runStrategy\":\"Halted\"}}'"));
    CHECK(has("kubectl patch vm web --type=merge -p '{\"spec\":{\"running\":false}}'"));
}

TEST_CASE("a topic is a document, too, and the list of checks names it") {
    const auto text = run({.check = "cold-migration", .output = commands::OutputFormat::json}).out;
    const auto document = kubeclient::parse_json(text, "out").value();
    CHECK(document["kind"] == "Topic");
    CHECK(document["name"] == "cold-migration");
    for (const auto& section : document["sections"]) {
        CHECK_FALSE(section["heading"].get<std::string>().empty());
        CHECK_FALSE(section["text"].get<std::string>().empty());
        for (const auto& command : section["commands"]) {
            CHECK(command.get<std::string>().find('\n') == std::string::npos);
        }
    }
    const auto list =
        kubeclient::parse_json(run({.output = commands::OutputFormat::json}).out, "out").value();
    CHECK(list["topics"][0]["name"] == "cold-migration");
}

TEST_CASE("a mistyped topic is recognised") {
    const auto outcome = run({.check = "cold-migratoin"});
    CHECK(outcome.code == commands::ExitCode::usage);
    CHECK(outcome.err ==
          "error: unknown check \"cold-migratoin\"\nhint: did you mean \"cold-migration\"?\n");
}

TEST_CASE("on a terminal the list of checks says that there is more to explain") {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    commands::Environment environment{.io = {in, out, err}};
    environment.io.out_is_terminal = true;
    CHECK(commands::run_explain({}, environment) == commands::ExitCode::done);
    CHECK(out.str().find("cold-migration") == std::string::npos);
    CHECK(err.str() == "\nSee also: virt-handoff explain cold-migration\n");
}
