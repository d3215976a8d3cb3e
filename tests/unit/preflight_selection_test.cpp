#include "preflight/selection.hpp"

#include <doctest/doctest.h>

using namespace preflight;
using facts::Labels;

namespace {

bool matches(std::string_view selector, const Labels& labels) {
    const auto parsed = parse_selector(selector);
    CAPTURE(selector);
    REQUIRE(parsed.ok());
    return parsed->matches(labels);
}

}  // namespace

TEST_CASE("a target is a name, or a kind and a name as kubectl spells kinds") {
    CHECK(*parse_target("web") == Target{TargetKind::any, "web"});
    for (const auto* kind : {"vm", "vms", "virtualmachine", "virtualmachines"}) {
        CHECK(*parse_target(std::string(kind) + "/web") == Target{TargetKind::vm, "web"});
    }
    for (const auto* kind : {"vmi", "vmis", "virtualmachineinstance", "virtualmachineinstances"}) {
        CHECK(*parse_target(std::string(kind) + "/web") == Target{TargetKind::vmi, "web"});
    }
}

TEST_CASE("what names no VM is a usage error with a next step") {
    for (const auto* text : {"", "/", "vm/", "vmi/", "/web", "pod/web", "vm/a/b", "prod/vm/web"}) {
        CAPTURE(text);
        const auto target = parse_target(text);
        REQUIRE_FALSE(target.ok());
        CHECK(target.error().kind == kubeclient::ErrorKind::usage);
        CHECK_FALSE(target.error().hint.empty());
    }
}

TEST_CASE("an empty selector selects all") {
    CHECK(matches("", {}));
    CHECK(matches("  ", {{"a", "b"}}));
}

TEST_CASE("equality selects by the whole value") {
    const Labels web{{"app", "web"}, {"tier", ""}};
    for (const auto* selector : {"app=web", "app==web", " app = web ", "tier=", "tier=,app=web"}) {
        CHECK(matches(selector, web));
    }
    for (const auto* selector : {"app=we", "app=webs", "app=", "other=", "app=web,tier=x"}) {
        CHECK_FALSE(matches(selector, web));
    }
}

TEST_CASE("inequality and notin hold for a label that is not there") {
    CHECK(matches("app!=web", {}));
    CHECK(matches("app!=web", {{"app", "db"}}));
    CHECK_FALSE(matches("app!=web", {{"app", "web"}}));
    CHECK(matches("app notin (web,db)", {}));
    CHECK_FALSE(matches("app notin (web,db)", {{"app", "db"}}));
    CHECK_FALSE(matches("app in (web)", {}));
}

TEST_CASE("sets keep their commas") {
    CHECK(matches("app in (web,db),tier=x", {{"app", "db"}, {"tier", "x"}}));
    CHECK(matches("app in(web, db)", {{"app", "db"}}));
    CHECK(matches("app in ()", {{"app", ""}}));
    CHECK(matches("app in (,web)", {{"app", ""}}));
    CHECK_FALSE(matches("app in (web,db),tier=x", {{"app", "db"}}));
}

TEST_CASE("a bare key asks whether it is there") {
    CHECK(matches("app", {{"app", ""}}));
    CHECK_FALSE(matches("app", {{"App", ""}}));
    CHECK(matches("!app", {{"apple", ""}}));
    CHECK_FALSE(matches("!app", {{"app", ""}}));
    CHECK(matches("example.com/app,!in", {{"example.com/app", "1"}}));
    CHECK(matches("in", {{"in", ""}}));
    CHECK(matches("notin=in", {{"notin", "in"}}));
}

TEST_CASE("numbers are compared as kubectl compares them") {
    CHECK(matches("cores>3", {{"cores", "4"}}));
    CHECK(matches("cores > 3", {{"cores", "4"}}));
    CHECK_FALSE(matches("cores>4", {{"cores", "4"}}));
    CHECK(matches("cores<10", {{"cores", "9"}}));
    CHECK_FALSE(matches("cores<10", {}));
    CHECK_FALSE(matches("cores<10", {{"cores", "few"}}));
}

TEST_CASE("a broken selector is a usage error that quotes the term") {
    for (const auto* text :
         {",",         "a=b,",  ",a=b",  "a=b,,c=d", "=b",       "!",      "!a=b",       "a!b",
          "a=b=c",     "a b",   "a in",  "a in (",   "a in (b",  "a in b", "a in (b c)", "a notin",
          "a in (b))", "(a)",   "a=(b)", "a=b c",    "a===b",    "a>",     "a>x",        "a<>3",
          "a/b/c=d",   "a=b/c", "-a=b",  "a=-b",     "!a in (b)"}) {
        CAPTURE(text);
        const auto selector = parse_selector(text);
        REQUIRE_FALSE(selector.ok());
        CHECK(selector.error().kind == kubeclient::ErrorKind::usage);
        CHECK(selector.error().message.find('"') != std::string::npos);
        CHECK_FALSE(selector.error().hint.empty());
    }
}

TEST_CASE("keys and values are as long as Kubernetes allows, and no longer") {
    const std::string most(63, 'a');
    CHECK(parse_selector(most + "=" + most).ok());
    CHECK_FALSE(parse_selector(most + "a=b").ok());
    CHECK_FALSE(parse_selector("a=" + most + "a").ok());
}
