#include "lab/api/selectors.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using kubeclient::Json;
using lab::Selector;

namespace {

bool selects(const char* labels, const Json& object) {
    const auto parsed = lab::parse_label_selector(labels);
    REQUIRE_MESSAGE(parsed.ok(), labels);
    return lab::matches(parsed.value(), object);
}

std::string refusal(const char* labels) {
    const auto parsed = lab::parse_label_selector(labels);
    REQUIRE_FALSE_MESSAGE(parsed.ok(), labels);
    return parsed.error().message;
}

const Json kObject{{"metadata", {{"labels", {{"app", "web"}, {"n", "5"}}}}}};

}  // namespace

TEST_CASE("label selectors select as in Kubernetes") {
    for (const char* text :
         {"", "app", "app=web", "app==web", "app in (web,db)", "app!=db", "!tier", "tier!=x",
          "tier notin (x)", "n>4", "n<6", "app=web,n=5", " app in ( web ) , n "}) {
        CAPTURE(text);
        CHECK(selects(text, kObject));
    }
    for (const char* text : {"tier", "app=db", "app!=web", "app notin (web)", "!app", "n>5", "n<5",
                             "app=web,tier", "tier in (x)", "app="}) {
        CAPTURE(text);
        CHECK_FALSE(selects(text, kObject));
    }
}

TEST_CASE("label selectors that cannot be read are refused in the API server's words") {
    CHECK(refusal("odd=(") == "unable to parse requirement: found '(', expected: identifier");
    CHECK(refusal("a b") ==
          "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
    CHECK(refusal(",") == "found ',', expected: !, identifier, or 'end of string'");
    CHECK(refusal("odd in (") ==
          "unable to parse requirement: found '', expected: ',', ')' or identifier");
    CHECK(refusal("x>a") ==
          "unable to parse requirement: values[0]: Invalid value: \"a\": for "
          "'Gt', 'Lt' operators, the value must be an integer");
    CHECK(refusal("x=a b") == "found 'b', expected: ',' or 'end of string'");
}

TEST_CASE("field selectors know the fields of each kind") {
    const lab::Kinds kinds;
    const lab::Kind& pods = *kinds.find({"", "pods"});
    const lab::Kind& maps = *kinds.find({"", "configmaps"});
    const Json pod{{"metadata", {{"name", "p"}}}, {"spec", {{"nodeName", "n1"}}}};
    const auto selects_pod = [&](const char* text) {
        Selector selector;
        selector.fields = lab::parse_field_selector(text, pods).value();
        return lab::matches(selector, pod);
    };
    CHECK(selects_pod("spec.nodeName=n1"));
    CHECK(selects_pod("metadata.name==p,status.phase!=Running"));
    CHECK_FALSE(selects_pod("spec.nodeName!=n1"));
    CHECK(selects_pod("spec.hostNetwork=false"));
    CHECK(lab::parse_field_selector("spec.foo=x", pods).error().message ==
          "field label not supported: spec.foo");
    CHECK(lab::parse_field_selector("data.x=1", maps).error().message ==
          "\"data.x\" is not a known field selector: only \"metadata.name\", "
          "\"metadata.namespace\"");
    CHECK(lab::parse_field_selector("metadata.name", maps).error().message ==
          "invalid selector: 'metadata.name'; can't understand 'metadata.name'");
}

TEST_CASE("a LabelSelector object selects by labels and expressions") {
    const Json selector = Json::parse(R"({"matchLabels":{"app":"web"},"matchExpressions":[
        {"key":"n","operator":"In","values":["5","6"]},
        {"key":"tier","operator":"DoesNotExist"}]})");
    CHECK(lab::matches(lab::requirements_of(selector), kObject));
    CHECK_FALSE(lab::matches(lab::requirements_of(selector), Json::object()));
    CHECK(lab::matches(lab::requirements_of(Json::object()), Json::object()));
}
