#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

// Creates a, changes it, creates b, deletes a.
void write_history(Bench& bench) {
    bench.create(bench.maps(), config_map("a"));
    must(bench.admin.api.patch(bench.maps("a"), PatchKind::merge, {{"data", {{"key", "new"}}}},
                               DryRun::none));
    bench.create(bench.maps(), config_map("b"));
    must(bench.admin.api.remove(bench.maps("a")));
}

WatchOptions since(const std::string& version) {
    WatchOptions options;
    options.resource_version = version;
    return options;
}

}  // namespace

TEST_CASE("a watch from a list's version brings every change since, in order") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.maps()));
    write_history(bench);
    const auto watched = watch(bench.admin.api, bench.maps(), since(list.resource_version), 4);
    CHECK(watched.end.ok());
    CHECK(watched.events == Texts{"+a", "*a", "+b", "-a"});
    CHECK(text_at(watched.objects[0], {"data", "key"}) == "value");
    CHECK(text_at(watched.objects[1], {"data", "key"}) == "new");
    CHECK(text_at(watched.objects[3], {"data", "key"}) == "new");  // its last state
    // A deletion has a version of its own.
    CHECK(std::stoull(version_of(watched.objects[3])) >
          std::stoull(version_of(watched.objects[2])));
    CHECK(text_at(watched.objects[0], {"kind"}) == "ConfigMap");
    CHECK(text_at(watched.objects[0], {"apiVersion"}) == "v1");
}

TEST_CASE("a watch goes on from the version of any event") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.maps()));
    write_history(bench);
    const auto all = watch(bench.admin.api, bench.maps(), since(list.resource_version), 4);
    REQUIRE(all.objects.size() == 4);
    const auto later = watch(bench.admin.api, bench.maps(), since(version_of(all.objects[1])), 2);
    CHECK(later.events == Texts{"+b", "-a"});
}

TEST_CASE("a watch without a version, or from 0, begins with what is there") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    bench.create(bench.maps(), config_map("b"));
    static_cast<void>(must(bench.admin.api.list(bench.maps())));  // the cache is up to date now
    for (const std::string version : {"", "0"}) {
        CAPTURE(version);
        const auto watched = watch(bench.admin.api, bench.maps(), since(version), 2);
        CHECK(watched.events == Texts{"+a", "+b"});
    }
}

TEST_CASE("a watch of a custom kind brings its changes") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.migrations()));
    bench.create(bench.migrations(), migration("m"));
    must(bench.admin.api.patch(bench.migrations("m", "status"), PatchKind::merge,
                               {{"status", {{"phase", "Running"}}}}, DryRun::none));
    must(bench.admin.api.remove(bench.migrations("m")));
    const auto watched =
        watch(bench.admin.api, bench.migrations(), since(list.resource_version), 3);
    CHECK(watched.events == Texts{"+m", "*m", "-m"});
    CHECK(text_at(watched.objects[2], {"status", "phase"}) == "Running");
}

TEST_CASE("a watch with a field selector sees one object") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.maps()));
    write_history(bench);
    auto options = since(list.resource_version);
    options.field_selector = "metadata.name=a";
    CHECK(watch(bench.admin.api, bench.maps(), options, 3).events == Texts{"+a", "*a", "-a"});
}

TEST_CASE("an object that leaves the label selector is deleted for the watch, and comes back") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.maps()));
    const auto label = [&](const Json& value) {
        must(bench.admin.api.patch(bench.maps("a"), PatchKind::merge,
                                   {{"metadata", {{"labels", {{"app", value}}}}}}, DryRun::none));
    };
    bench.create(bench.maps(), config_map("a", {{"app", "web"}}));
    label("db");
    label("cache");
    label("web");
    label(nullptr);
    auto options = since(list.resource_version);
    options.label_selector = "app=web";
    const auto watched = watch(bench.admin.api, bench.maps(), options, 4);
    CHECK(watched.events == Texts{"+a", "-a", "+a", "-a"});
    // What is sent is the object as it was while selected, at the version of the change.
    CHECK(text_at(watched.objects[1], {"metadata", "labels", "app"}) == "web");
    CHECK(std::stoull(version_of(watched.objects[1])) >
          std::stoull(version_of(watched.objects[0])));
}

TEST_CASE("a pod that leaves the field selector is deleted for the watch") {
    Bench bench;
    const auto list = must(bench.admin.api.list(bench.pods()));
    bench.create(bench.pods(), pod("p"));
    must(bench.admin.api.patch(bench.pods("p", "status"), PatchKind::strategic,
                               {{"status", {{"phase", "Running"}}}}, DryRun::none));
    auto options = since(list.resource_version);
    options.field_selector = "status.phase=Pending";
    CHECK(watch(bench.admin.api, bench.pods(), options, 2).events == Texts{"+p", "-p"});
    options.field_selector = "status.phase=Running";
    CHECK(watch(bench.admin.api, bench.pods(), options, 1).events == Texts{"+p"});
}

TEST_CASE("a watch over all namespaces sees this one") {
    Bench bench;
    const auto everywhere = path(core("", "configmaps"));
    const auto list = must(bench.admin.api.list(everywhere));
    bench.create(bench.maps(), config_map("a"));
    auto options = since(list.resource_version);
    options.field_selector = "metadata.namespace=" + bench.ns;
    CHECK(watch(bench.admin.api, everywhere, options, 1).events == Texts{"+a"});
}

TEST_CASE("timeoutSeconds ends a watch in order") {
    Bench bench;
    WatchOptions options = since(must(bench.admin.api.list(bench.maps())).resource_version);
    options.timeout = 1s;
    const auto watched = watch(bench.admin.api, bench.maps(), options, 1);
    CHECK(watched.end.ok());
    CHECK(watched.events.empty());
}

TEST_CASE("a bookmark after the first objects says that they were all") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    Request request;
    request.path = bench.maps();
    request.query = {{"watch", "true"},
                     {"allowWatchBookmarks", "true"},
                     {"sendInitialEvents", "true"},
                     {"resourceVersionMatch", "NotOlderThan"},
                     {"timeoutSeconds", "60"}};
    std::string body;
    const auto until_bookmark = [&](const Response& head, std::string_view piece) {
        CHECK(head.status == 200);
        body += piece;
        return body.find("BOOKMARK") != std::string::npos && body.ends_with('\n') ? Flow::stop
                                                                                  : Flow::go_on;
    };
    CHECK(bench.admin.transport().stream(request, until_bookmark, {}).ok());
    std::istringstream lines(body);
    std::string line;
    std::getline(lines, line);
    CHECK(name_of(must(parse_json(line, "event"))["object"]) == "a");
    std::getline(lines, line);
    const auto bookmark = must(parse_json(line, "event"));
    CHECK(text_at(bookmark, {"type"}) == "BOOKMARK");
    CHECK(text_at(bookmark, {"object", "kind"}) == "ConfigMap");
    CHECK(!version_of(bookmark["object"]).empty());
    CHECK(text_at(bookmark, {"object", "metadata", "annotations", "k8s.io/initial-events-end"}) ==
          "true");
}

TEST_CASE("a watch from a version of the future waits and brings nothing") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    WatchOptions options = since("4611686018427387904");
    options.timeout = 1s;
    const auto watched = watch(bench.admin.api, bench.maps(), options, 1);
    CHECK(watched.end.ok());
    CHECK(watched.events.empty());
}
