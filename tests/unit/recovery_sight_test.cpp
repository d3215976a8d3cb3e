#include "recovery/sight.hpp"

#include "tests/unit/recovery_sight_builders.hpp"

using namespace recovery;
using namespace recovery::builders;

namespace {

std::vector<std::string> names(const std::vector<const facts::Pod*>& pods) {
    std::vector<std::string> result;
    for (const auto* pod : pods) result.push_back(pod->meta.name);
    return result;
}

std::vector<std::string> messages(const std::vector<const facts::Warning*>& warnings) {
    std::vector<std::string> result;
    for (const auto* warning : warnings) result.push_back(warning->message);
    return result;
}

}  // namespace

TEST_CASE("a migration is found by its name, and only with its uid") {
    const auto all = sight_with(migration());
    REQUIRE(migration_of(all, {"prod", "web-m"}, "m-uid") != nullptr);
    CHECK(migration_of(all, {"prod", "web-m"}, "m-uid")->vmi == "web");
    CHECK(migration_of(all, {"prod", "web-m"}, "") != nullptr);
    CHECK(migration_of(all, {"prod", "web-m"}, "of-an-earlier-one") == nullptr);
    CHECK(migration_of(all, {"test", "web-m"}, "m-uid") == nullptr);
    CHECK(migration_of(all, {"prod", "web"}, "") == nullptr);
}

TEST_CASE("launchers live until they are Succeeded or Failed, whatever else is said of them") {
    auto pending = launcher("pending", "");
    pending.phase = "Pending";
    auto deleting = launcher("deleting", "n3");
    deleting.meta.deleting = true;
    auto unknown = launcher("unknown", "n4");
    unknown.phase = "Unknown";
    auto succeeded = launcher("succeeded");
    succeeded.phase = "Succeeded";
    auto failed = launcher("failed");
    failed.phase = "Failed";
    const auto all = sight_with(pending, deleting, unknown, succeeded, failed);
    CHECK(names(live_launchers(all, vmi())) ==
          std::vector<std::string>{"virt-launcher-web-deleting", "virt-launcher-web-pending",
                                   "virt-launcher-web-src", "virt-launcher-web-unknown"});
}

TEST_CASE("launchers of other VMIs, and of a VMI of the same name before, are not counted") {
    auto other = launcher("other");
    other.meta.controller_uid = "other-uid";
    auto orphan = launcher("orphan");
    orphan.meta.controller_uid = "";
    auto elsewhere = launcher("elsewhere");
    elsewhere.meta.ns = "test";
    const auto all = sight_with(other, orphan, elsewhere);
    CHECK(names(live_launchers(all, vmi())) == std::vector<std::string>{"virt-launcher-web-src"});
}

TEST_CASE("the target pod is the one with this migration's uid, not one with any") {
    auto earlier = launcher("earlier");
    earlier.meta.labels["kubevirt.io/migrationJobUID"] = "earlier-uid";
    auto all = sight_with(earlier);
    CHECK(target_pod(all, "m-uid") == nullptr);
    CHECK(target_pod(all, "") == nullptr);
    add(all, target());
    REQUIRE(target_pod(all, "m-uid") != nullptr);
    CHECK(target_pod(all, "m-uid")->meta.name == "virt-launcher-web-tgt");
}

TEST_CASE("a target pod that has ended is still the target pod") {
    const auto all = sight_with(target("Failed"));
    REQUIRE(target_pod(all, "m-uid") != nullptr);
    CHECK(target_pod(all, "m-uid")->finished());
}

TEST_CASE("warnings are those about the object, oldest first, and first of all without a time") {
    auto timeless = warning("vmi-uid", "FailedCreate", "timeless");
    timeless.last.reset();
    const auto all = sight_with(warning("vmi-uid", "FailedCreate", "newest", 1),
                                warning("vmi-uid", "MigrationBackoff", "oldest", 90), timeless,
                                warning("vmi-uid", "FailedCreate", "between", 30),
                                warning("m-uid", "FailedMigration", "of another object", 40));
    CHECK(messages(warnings_about(all, "vmi-uid")) ==
          std::vector<std::string>{"timeless", "oldest", "between", "newest"});
    CHECK(warnings_about(all, "pod-uid").empty());
}

TEST_CASE("the VMI's migration state counts for the migration that it names") {
    const auto mine = handed_over();
    REQUIRE(state_of(&mine, "m-uid") != nullptr);
    CHECK(state_of(&mine, "m-uid")->target_node == "n2");
    CHECK(state_of(&mine, "another-uid") == nullptr);
    const auto none = vmi();
    CHECK(state_of(&none, "m-uid") == nullptr);
    CHECK(state_of(nullptr, "m-uid") == nullptr);
}

TEST_CASE("a state that names no migration belongs to none, not even to one without a uid") {
    auto nameless = handed_over();
    nameless.migration->migration_uid = "";
    CHECK(state_of(&nameless, "") == nullptr);
}
