#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

std::string selected(Api& api, const std::string& where, const std::string& labels,
                     const std::string& fields) {
    ListOptions options;
    options.label_selector = labels;
    options.field_selector = fields;
    const auto list = api.list(where, options);
    if (!list.ok()) return told(list);
    std::string text;
    for (const auto& name : names_of(*list)) text += (text.empty() ? "" : " ") + name;
    return text;
}

}  // namespace

TEST_CASE("label selectors choose by value, by set and by presence") {
    Bench bench;
    bench.create(bench.maps(), config_map("a", {{"app", "web"}, {"n", "1"}}));
    bench.create(bench.maps(), config_map("b", {{"app", "db"}, {"n", "2"}}));
    bench.create(bench.maps(), config_map("c", {{"app", ""}}));
    bench.create(bench.maps(), config_map("d"));
    struct Row {
        const char* selector;
        const char* names;
    };
    for (const Row& row : std::initializer_list<Row>{{"app=web", "a"},
                                                     {"app==web", "a"},
                                                     {"app!=web", "b c d"},
                                                     {"app in (web,db)", "a b"},
                                                     {"app in ( web, db )", "a b"},
                                                     {"app notin (web,db)", "c d"},
                                                     {"app", "a b c"},
                                                     {"!app", "d"},
                                                     {"app=", "c"},
                                                     {"app,n", "a b"},
                                                     {"app=web,n!=1", ""},
                                                     {"n>1", "b"},
                                                     {"n<2", "a"},
                                                     {"other=x", ""},
                                                     {"", "a b c d"}}) {
        CAPTURE(row.selector);
        CHECK(selected(bench.admin.api, bench.maps(), row.selector, "") == row.names);
    }
}

TEST_CASE("label selectors choose among custom objects in the same way") {
    Bench bench;
    Json labelled = migration("a");
    labelled["metadata"]["labels"]["kubevirt.io/vmi-name"] = "web";
    bench.create(bench.migrations(), labelled);
    bench.create(bench.migrations(), migration("b"));
    CHECK(selected(bench.admin.api, bench.migrations(), "kubevirt.io/vmi-name=web", "") == "a");
    CHECK(selected(bench.admin.api, bench.migrations(), "kubevirt.io/vmi-name!=web", "") == "b");
    CHECK(selected(bench.admin.api, bench.migrations(), "!kubevirt.io/vmi-name", "") == "b");
}

TEST_CASE("a label selector that cannot be read is refused") {
    Bench bench;
    const auto refused = [&](const std::string& selector) {
        return selected(bench.admin.api, bench.maps(), selector, "");
    };
    const std::string start = "400 BadRequest: Error from server (BadRequest): ";
    CHECK(refused("a b") ==
          start + "unable to parse requirement: found 'b', expected: in, notin, =, ==, !=, gt, lt");
    CHECK(refused("app in (") ==
          start + "unable to parse requirement: found '', expected: ',', ')' or identifier");
    CHECK(refused("!=") == start + "found '!=', expected: !, identifier, or 'end of string'");
}

TEST_CASE("every kind can be chosen by name and namespace") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    bench.create(bench.maps(), config_map("b"));
    bench.create(bench.migrations(), migration("m"));
    auto& api = bench.admin.api;
    CHECK(selected(api, bench.maps(), "", "metadata.name=a") == "a");
    CHECK(selected(api, bench.maps(), "", "metadata.name==a") == "a");
    CHECK(selected(api, bench.maps(), "", "metadata.name!=a") == "b");
    CHECK(selected(api, bench.maps(), "", "metadata.name=none") == "");
    CHECK(selected(api, path(core("", "configmaps")), "",
                   "metadata.name=a,metadata.namespace=" + bench.ns) == "a");
    CHECK(selected(api, path(kubevirt("", "virtualmachineinstancemigrations")), "",
                   "metadata.namespace=" + bench.ns) == "m");
    CHECK(selected(api, bench.migrations(), "", "metadata.name=m") == "m");
}

TEST_CASE("pods can be chosen by node and phase") {
    Bench bench;
    const auto node = "node-of-" + bench.ns;
    bench.create(bench.pods(), pod("here", node));
    bench.create(bench.pods(), pod("there", "other-" + bench.ns));
    bench.create(bench.pods(), pod("nowhere"));
    must(bench.admin.api.patch(bench.pods("here", "status"), PatchKind::strategic,
                               {{"status", {{"phase", "Running"}}}}, DryRun::none));
    auto& api = bench.admin.api;
    CHECK(selected(api, path(core("", "pods")), "", "spec.nodeName=" + node) == "here");
    CHECK(selected(api, bench.pods(), "", "spec.nodeName=") == "nowhere");
    CHECK(selected(api, bench.pods(), "", "spec.nodeName!=" + node) == "nowhere there");
    CHECK(selected(api, bench.pods(), "", "status.phase=Running") == "here");
    CHECK(selected(api, bench.pods(), "", "status.phase!=Running,spec.nodeName!=") == "there");
    CHECK(selected(api, bench.pods(), "", "spec.nodeName=" + node + ",status.phase=Pending") == "");
    for (const auto* name : {"here", "there", "nowhere"}) {
        DeleteOptions now;
        now.grace_seconds = 0;
        must(api.remove(bench.pods(name), now));
    }
}

TEST_CASE("events can be chosen by the object they are about") {
    Bench bench;
    const auto events = path(core(bench.ns, "events"));
    for (const auto* name : {"web", "db"}) {
        bench.create(events,
                     {{"metadata", {{"name", std::string(name) + ".1"}}},
                      {"involvedObject",
                       {{"kind", "Pod"}, {"name", name}, {"namespace", bench.ns}, {"uid", name}}},
                      {"reason", "Tested"},
                      {"type", "Normal"},
                      {"source", {{"component", "contract"}}}});
    }
    auto& api = bench.admin.api;
    CHECK(selected(api, events, "", "involvedObject.name=web") == "web.1");
    CHECK(selected(api, events, "", "involvedObject.kind=Pod,involvedObject.name=db") == "db.1");
    CHECK(selected(api, events, "", "involvedObject.uid=web") == "web.1");
    CHECK(selected(api, events, "", "involvedObject.namespace=" + bench.ns) == "db.1 web.1");
    CHECK(selected(api, events, "", "involvedObject.name!=web,reason=Tested") == "db.1");
    CHECK(selected(api, events, "", "type=Warning") == "");
    CHECK(selected(api, events, "", "source=contract") == "db.1 web.1");
}

TEST_CASE("a field that cannot be chosen by is refused") {
    Bench bench;
    auto& api = bench.admin.api;
    const std::string start = "400 BadRequest: Error from server (BadRequest): ";
    CHECK(selected(api, bench.pods(), "", "spec.foo=x") ==
          start + "field label not supported: spec.foo");
    CHECK(selected(api, bench.maps(), "", "data.key=x") ==
          start +
              "\"data.key\" is not a known field selector: only \"metadata.name\", "
              "\"metadata.namespace\"");
    CHECK(selected(api, bench.migrations(), "", "spec.vmiName=web") ==
          start + "field label not supported: spec.vmiName");
    CHECK(selected(api, bench.pods(), "", "metadata.name in (a)") ==
          start +
              "invalid selector: 'metadata.name in (a)'; can't understand 'metadata.name in (a)'");
    CHECK(told(watch(api, bench.pods(), {"", "", "spec.foo=x"}, 1).end) ==
          start + "field label not supported: spec.foo");
}
