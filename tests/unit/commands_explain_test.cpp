#include "commands/explain.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

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
