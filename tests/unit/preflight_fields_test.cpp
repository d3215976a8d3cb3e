#include "preflight/fields.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using namespace preflight;
using kubeclient::Json;

namespace {

// Reads with `read` and gives the problem that was kept.
template <class Read>
std::string problem_of(const char* text, Read read) {
    const auto json = Json::parse(text);
    std::string problem;
    const Fields fields(json, "", problem);
    read(fields);
    return problem;
}

}  // namespace

TEST_CASE("an absent or null field is absent, whatever its type") {
    for (const auto* text : {"{}", R"({"a":null})"}) {
        const auto problem = problem_of(text, [](const Fields& fields) {
            CHECK_FALSE(fields.has("a"));
            CHECK(fields.text("a").empty());
            CHECK_FALSE(fields.maybe_text("a"));
            CHECK_FALSE(fields.flag("a"));
            CHECK_FALSE(fields.maybe_flag("a"));
            CHECK_FALSE(fields.maybe_integer("a"));
            CHECK_FALSE(fields.maybe_bytes("a"));
            CHECK_FALSE(fields.maybe_milli("a"));
            CHECK_FALSE(fields.at("a").has("b"));
            CHECK(fields.at("a").at("b").list("c").empty());
            CHECK(fields.list("a").empty());
            CHECK(fields.texts("a").empty());
            CHECK(fields.labels("a").empty());
            CHECK(fields.keys().empty());
        });
        CHECK(problem.empty());
    }
}

TEST_CASE("a present field is read as it is, an empty one as empty") {
    const auto problem = problem_of(
        R"({"t":"","f":false,"n":-3,"q":"1.5Gi","c":"100m","l":[{"x":"y"}],"s":["a",""],
            "o":{"k":"v","z":null}})",
        [](const Fields& fields) {
            CHECK(fields.maybe_text("t") == "");
            CHECK(fields.maybe_flag("f") == false);
            CHECK(fields.maybe_integer("n") == -3);
            CHECK(fields.maybe_bytes("q") == 1'610'612'736);
            CHECK(fields.maybe_milli("c") == 100);
            REQUIRE(fields.list("l").size() == 1);
            CHECK(fields.list("l").front().text("x") == "y");
            CHECK(fields.texts("s") == std::vector<std::string>{"a", ""});
            CHECK(fields.labels("o") == facts::Labels{{"k", "v"}, {"z", ""}});
            CHECK(fields.at("o").keys() == std::vector<std::string>{"k"});
        });
    CHECK(problem.empty());
}

TEST_CASE("a bare number is a quantity, too") {
    const auto problem = problem_of(R"({"a":2,"b":0.5})", [](const Fields& fields) {
        CHECK(fields.maybe_milli("a") == 2000);
        CHECK(fields.maybe_bytes("a") == 2);
        CHECK(fields.maybe_milli("b") == 500);
    });
    CHECK(problem.empty());
}

TEST_CASE("a field of another type is a problem with its path") {
    const auto at = [](const char* text, auto read) { return problem_of(text, read); };
    CHECK(at(R"({"a":1})", [](const Fields& f) { (void)f.text("a"); }) == "a: expected text");
    CHECK(at(R"({"a":"yes"})", [](const Fields& f) { (void)f.flag("a"); }) ==
          "a: expected true or false");
    CHECK(at(R"({"a":1.5})", [](const Fields& f) { (void)f.maybe_integer("a"); }) ==
          "a: expected a whole number");
    CHECK(at(R"({"a":"1"})", [](const Fields& f) { (void)f.maybe_integer("a"); }) ==
          "a: expected a whole number");
    CHECK(at(R"({"a":18446744073709551615})",
             [](const Fields& f) { (void)f.maybe_integer("a"); }) == "a: expected a whole number");
    CHECK(at(R"({"a":"1Zi"})", [](const Fields& f) { (void)f.maybe_bytes("a"); }) ==
          "a: expected a quantity");
    CHECK(at(R"({"a":[]})", [](const Fields& f) { (void)f.maybe_milli("a"); }) ==
          "a: expected a quantity");
    CHECK(at(R"({"a":{"b":[{"c":1}]}})", [](const Fields& f) {
              (void)f.at("a").list("b").front().text("c");
          }) == "a.b[0].c: expected text");
    CHECK(at(R"({"a":"x"})", [](const Fields& f) { (void)f.at("a").text("b"); }) ==
          "a: expected an object");
    CHECK(at(R"({"a":{}})", [](const Fields& f) { (void)f.list("a"); }) == "a: expected a list");
    CHECK(at(R"({"a":[null]})", [](const Fields& f) { (void)f.list("a"); }) ==
          "a[0]: expected an object");
    CHECK(at(R"({"a":["x",1]})", [](const Fields& f) { (void)f.texts("a"); }) ==
          "a: expected a list of text");
    CHECK(at(R"({"a":{"k":true}})", [](const Fields& f) { (void)f.labels("a"); }) ==
          "a: expected an object of text, also for \"k\"");
}

TEST_CASE("the first problem is kept") {
    const auto problem = problem_of(R"({"a":1,"b":2})", [](const Fields& fields) {
        (void)fields.text("b");
        (void)fields.text("a");
        CHECK(fields.text("missing").empty());
    });
    CHECK(problem == "b: expected text");
}

TEST_CASE("what is no object has no fields") {
    for (const auto* text : {"null", "1", "[]", R"("text")"}) {
        const auto problem = problem_of(text, [](const Fields& fields) {
            CHECK_FALSE(fields.has("a"));
            CHECK(fields.keys().empty());
        });
        CHECK(problem.empty());
    }
}
