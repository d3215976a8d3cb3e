#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

std::int64_t generation(const Json& object) {
    return integer_at(object, {"metadata", "generation"}).value_or(0);
}

Json phase(const char* name) {
    return {{"status", {{"phase", name}}}};
}

}  // namespace

TEST_CASE("a migration's status has a door of its own") {
    Bench bench;
    auto& api = bench.admin.api;
    Json object = migration("m");
    object["status"]["phase"] = "Running";
    const auto created = bench.create(bench.migrations(), object);
    CHECK(find(created, "status") == nullptr);
    CHECK(generation(created) == 1);

    const auto through_main = must(
        api.patch(bench.migrations("m"), PatchKind::merge,
                  {{"metadata", {{"labels", {{"a", "b"}}}}}, {"status", {{"phase", "Failed"}}}},
                  DryRun::none));
    CHECK(find(through_main, "status") == nullptr);
    CHECK(text_at(through_main, {"metadata", "labels", "a"}) == "b");

    Json both = phase("Running");
    both["spec"]["vmiName"] = "another";
    const auto through_status =
        must(api.patch(bench.migrations("m", "status"), PatchKind::merge, both, DryRun::none));
    CHECK(text_at(through_status, {"status", "phase"}) == "Running");
    CHECK(text_at(through_status, {"spec", "vmiName"}) == "web");
    CHECK(generation(through_status) == 1);

    Json replacement = through_status;
    replacement["status"]["phase"] = "Succeeded";
    replacement["spec"]["vmiName"] = "another";
    const auto put = must(api.replace(bench.migrations("m", "status"), replacement, DryRun::none));
    CHECK(text_at(put, {"status", "phase"}) == "Succeeded");
    CHECK(text_at(put, {"spec", "vmiName"}) == "web");
}

TEST_CASE("the generation counts changes of the spec, not of labels or status") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.migrations(), migration("m"));
    const auto merge = [&](const std::string& where, const Json& patch) {
        return generation(must(api.patch(where, PatchKind::merge, patch, DryRun::none)));
    };
    CHECK(merge(bench.migrations("m"), {{"metadata", {{"labels", {{"a", "b"}}}}}}) == 1);
    CHECK(merge(bench.migrations("m", "status"), phase("Running")) == 1);
    CHECK(merge(bench.migrations("m"), {{"spec", {{"vmiName", "db"}}}}) == 2);
}

TEST_CASE("a machine instance keeps its status in the main object") {
    Bench bench;
    auto& api = bench.admin.api;
    Json object = machine_instance("v");
    object["status"]["phase"] = "Running";
    const auto created = bench.create(bench.machines(), object);
    CHECK(text_at(created, {"status", "phase"}) == "Running");
    CHECK(generation(created) == 1);
    const auto patched =
        must(api.patch(bench.machines("v"), PatchKind::merge, phase("Failed"), DryRun::none));
    CHECK(text_at(patched, {"status", "phase"}) == "Failed");
    CHECK(generation(patched) == 2);  // without a status subresource all of it counts
    CHECK(
        told(api.patch(bench.machines("v", "status"), PatchKind::merge, phase("Failed"),
                       DryRun::none)) ==
        "404 NotFound: Error from server (NotFound): virtualmachineinstances.kubevirt.io \"v\" not "
        "found");
}

TEST_CASE("a pod's status has a door of its own too") {
    Bench bench;
    auto& api = bench.admin.api;
    Json object = pod("p");
    object["status"]["phase"] = "Running";
    CHECK(text_at(bench.create(bench.pods(), object), {"status", "phase"}) == "Pending");
    const auto ignored =
        must(api.patch(bench.pods("p"), PatchKind::merge, phase("Running"), DryRun::none));
    CHECK(text_at(ignored, {"status", "phase"}) == "Pending");
    const auto taken = must(
        api.patch(bench.pods("p", "status"), PatchKind::merge, phase("Running"), DryRun::none));
    CHECK(text_at(taken, {"status", "phase"}) == "Running");
    const auto read = must(api.get(bench.pods("p", "status"), "Pod"));
    CHECK(text_at(read, {"status", "phase"}) == "Running");
}
