#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

DeleteOptions grace(int seconds) {
    DeleteOptions options;
    options.grace_seconds = seconds;
    return options;
}

Json held(Json object) {
    object["metadata"]["finalizers"] = {"example.com/hold"};
    return object;
}

const Json kRelease{{"metadata", {{"finalizers", nullptr}}}};

bool has(const Json& object, const char* field) {
    return find(object, {"metadata", field}) != nullptr;
}

}  // namespace

TEST_CASE("a deleted object is gone, and says who it was") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto map = bench.create(bench.maps(), config_map("a"));
    const auto done = must(api.remove(bench.maps("a")));
    CHECK(text_at(done, {"kind"}) == "Status");
    CHECK(text_at(done, {"status"}) == "Success");
    CHECK(text_at(done, {"details", "uid"}) == uid_of(map));
    CHECK(text_at(done, {"details", "name"}) == "a");
    CHECK(api.get(bench.maps("a")).error().kind == ErrorKind::not_found);
    const auto moved = bench.create(bench.migrations(), migration("m"));
    CHECK(text_at(must(api.remove(bench.migrations("m"))), {"details", "uid"}) == uid_of(moved));
}

TEST_CASE("what is not there cannot be deleted") {
    Bench bench;
    const std::string start = "404 NotFound: Error from server (NotFound): ";
    CHECK(told(bench.admin.api.remove(bench.maps("none"))) ==
          start + "configmaps \"none\" not found");
    CHECK(told(bench.admin.api.remove(bench.migrations("none"))) ==
          start + "virtualmachineinstancemigrations.kubevirt.io \"none\" not found");
}

TEST_CASE("a delete meant for another object or version is refused") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto map = bench.create(bench.maps(), config_map("a"));
    DeleteOptions other_uid;
    other_uid.uid = "another";
    DeleteOptions other_version;
    other_version.resource_version = "1";
    const auto text_of = [&](const DeleteOptions& options) {
        const auto refused = api.remove(bench.maps("a"), options);
        CHECK(refused.error().kind == ErrorKind::conflict);
        return replaced(replaced(told(refused), uid_of(map), "<uid>"), version_of(map), "<rv>");
    };
    const std::string start =
        "409 Conflict: Error from server (Conflict): Operation cannot be fulfilled on ConfigMap "
        "\"a\": the ";
    CHECK(text_of(other_uid) ==
          start +
              "UID in the precondition (another) does not match the UID in record (<uid>). The "
              "object might have been deleted and then recreated");
    CHECK(
        text_of(other_version) ==
        start +
            "ResourceVersion in the precondition (1) does not match the ResourceVersion in record "
            "(<rv>). The object might have been modified");
    DeleteOptions right;
    right.uid = uid_of(map);
    right.resource_version = version_of(map);
    CHECK(api.remove(bench.maps("a"), right).ok());
}

TEST_CASE("a finalizer keeps a deleted object until it is taken off") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto before = bench.create(bench.migrations(), held(migration("m")));
    const auto going = must(api.remove(bench.migrations("m")));
    CHECK(text_at(going, {"kind"}) == "VirtualMachineInstanceMigration");
    CHECK(has(going, "deletionTimestamp"));
    CHECK(integer_at(going, {"metadata", "deletionGracePeriodSeconds"}) == 0);
    CHECK(integer_at(going, {"metadata", "generation"}) == 2);
    CHECK(version_of(going) != version_of(before));
    // Once more changes nothing.
    CHECK(must(api.remove(bench.migrations("m"))) == going);
    CHECK(must(api.get(bench.migrations("m"))) == going);

    const auto more = api.patch(
        bench.migrations("m"), PatchKind::merge,
        {{"metadata", {{"finalizers", {"example.com/hold", "example.com/more"}}}}}, DryRun::none);
    CHECK(told(more) ==
          "422 Invalid: The VirtualMachineInstanceMigration \"m\" is invalid: metadata.finalizers: "
          "Forbidden: no new finalizers can be added if the object is being deleted, found new "
          "finalizers []string{\"example.com/more\"}");
    CHECK(api.patch(bench.migrations("m"), PatchKind::merge, kRelease, DryRun::none).ok());
    CHECK(api.get(bench.migrations("m")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a foreground deletion waits for its own finalizer") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.migrations(), migration("m"));
    DeleteOptions options;
    options.propagation = Propagation::foreground;
    const auto going = must(api.remove(bench.migrations("m"), options));
    CHECK(going["metadata"]["finalizers"] == Json::array({"foregroundDeletion"}));
    CHECK(has(going, "deletionTimestamp"));
    CHECK(api.patch(bench.migrations("m"), PatchKind::merge, kRelease, DryRun::none).ok());
    CHECK(api.get(bench.migrations("m")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a pod on a node stays until its node lets go") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto before = bench.create(bench.pods(), pod("p", "node-of-" + bench.ns));
    const auto going = must(api.remove(bench.pods("p")));
    CHECK(integer_at(going, {"metadata", "deletionGracePeriodSeconds"}) == 30);
    CHECK(has(going, "deletionTimestamp"));
    const auto later = must(api.get(bench.pods("p")));
    CHECK(uid_of(later) == uid_of(before));
    CHECK(text_at(later, {"status", "phase"}) == "Pending");

    // The grace may be shortened, not lengthened.
    CHECK(integer_at(must(api.remove(bench.pods("p"), grace(60))),
                     {"metadata", "deletionGracePeriodSeconds"}) == 30);
    CHECK(integer_at(must(api.remove(bench.pods("p"), grace(5))),
                     {"metadata", "deletionGracePeriodSeconds"}) == 5);
    CHECK(integer_at(must(api.get(bench.pods("p"))), {"metadata", "deletionGracePeriodSeconds"}) ==
          5);
    const auto last = must(api.remove(bench.pods("p"), grace(0)));
    CHECK(text_at(last, {"kind"}) == "Pod");
    CHECK(integer_at(last, {"metadata", "deletionGracePeriodSeconds"}) == 0);
    CHECK(api.get(bench.pods("p")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a pod on no node, and one that has ended, go at once") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.pods(), pod("nowhere"));
    must(api.remove(bench.pods("nowhere")));
    CHECK(api.get(bench.pods("nowhere")).error().kind == ErrorKind::not_found);
    bench.create(bench.pods(), pod("ended", "node-of-" + bench.ns));
    must(api.patch(bench.pods("ended", "status"), PatchKind::merge,
                   {{"status", {{"phase", "Succeeded"}}}}, DryRun::none));
    must(api.remove(bench.pods("ended")));
    CHECK(api.get(bench.pods("ended")).error().kind == ErrorKind::not_found);
}

TEST_CASE("a pod with a finalizer outlives a grace of zero") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.pods(), held(pod("p", "node-of-" + bench.ns)));
    must(api.remove(bench.pods("p"), grace(0)));
    CHECK(has(must(api.get(bench.pods("p"))), "deletionTimestamp"));
    must(api.patch(bench.pods("p"), PatchKind::merge, kRelease, DryRun::none));
    CHECK(api.get(bench.pods("p")).error().kind == ErrorKind::not_found);
}

TEST_CASE("an eviction deletes a pod with its grace") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto eviction = [&](const std::string& name) {
        return Json{{"apiVersion", "policy/v1"},
                    {"kind", "Eviction"},
                    {"metadata", {{"name", name}, {"namespace", bench.ns}}}};
    };
    bench.create(bench.pods(), pod("p", "node-of-" + bench.ns));
    const auto dry = must(api.create(bench.pods("p", "eviction"), eviction("p"), DryRun::server));
    CHECK(text_at(dry, {"status"}) == "Success");
    CHECK(!has(must(api.get(bench.pods("p"))), "deletionTimestamp"));

    const auto done = must(api.create(bench.pods("p", "eviction"), eviction("p"), DryRun::none));
    CHECK(text_at(done, {"kind"}) == "Status");
    CHECK(text_at(done, {"status"}) == "Success");
    CHECK(integer_at(done, {"code"}) == 201);
    CHECK(integer_at(must(api.get(bench.pods("p"))), {"metadata", "deletionGracePeriodSeconds"}) ==
          30);
    CHECK(told(api.create(bench.pods("none", "eviction"), eviction("none"), DryRun::none)) ==
          "404 NotFound: Error from server (NotFound): pods \"none\" not found");
    CHECK(told(api.create(bench.pods("p", "eviction"), eviction("other"), DryRun::none)) ==
          "400 BadRequest: Error from server (BadRequest): name in URL does not match name in "
          "Eviction object");
    must(api.remove(bench.pods("p"), grace(0)));
}

TEST_CASE("an eviction that a disruption budget forbids is answered with 429") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create("/apis/policy/v1/namespaces/" + bench.ns + "/poddisruptionbudgets",
                 {{"metadata", {{"name", "budget"}}},
                  {"spec", {{"minAvailable", 1}, {"selector", {{"matchLabels", {{"a", "b"}}}}}}}});
    Json guarded = pod("p", "node-of-" + bench.ns);
    guarded["metadata"]["labels"]["a"] = "b";
    bench.create(bench.pods(), guarded);
    must(api.patch(bench.pods("p", "status"), PatchKind::merge,
                   {{"status",
                     {{"phase", "Running"},
                      {"conditions", Json::array({{{"type", "Ready"}, {"status", "True"}}})}}}},
                   DryRun::none));
    const auto refused = api.create(bench.pods("p", "eviction"),
                                    {{"apiVersion", "policy/v1"},
                                     {"kind", "Eviction"},
                                     {"metadata", {{"name", "p"}, {"namespace", bench.ns}}}},
                                    DryRun::none);
    CHECK(told(refused) ==
          "429 TooManyRequests: Error from server (TooManyRequests): Cannot evict pod as it would "
          "violate the pod's disruption budget.");
    CHECK(refused.error().kind == ErrorKind::throttled);
    must(api.remove(bench.pods("p"), grace(0)));
}

TEST_CASE("a pod is bound once, and not while it goes") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto bind = [&](const std::string& name) {
        return api.create(bench.pods(name, "binding"),
                          {{"apiVersion", "v1"},
                           {"kind", "Binding"},
                           {"metadata", {{"name", name}}},
                           {"target", {{"kind", "Node"}, {"name", "node-of-" + bench.ns}}}},
                          DryRun::none);
    };
    bench.create(bench.pods(), pod("p"));
    CHECK(text_at(must(bind("p")), {"status"}) == "Success");
    CHECK(text_at(must(api.get(bench.pods("p"))), {"spec", "nodeName"}) == "node-of-" + bench.ns);
    CHECK(bench.anonymous(told(bind("p"))) ==
          "409 Conflict: Error from server (Conflict): Operation cannot be fulfilled on "
          "pods/binding \"p\": pod p is already assigned to node \"node-of-<ns>\"");
    must(api.remove(bench.pods("p")));
    CHECK(told(bind("p")) ==
          "409 Conflict: Error from server (Conflict): Operation cannot be fulfilled on "
          "pods/binding \"p\": pod p is being deleted, cannot be assigned to a host");
    must(api.remove(bench.pods("p"), grace(0)));
}
