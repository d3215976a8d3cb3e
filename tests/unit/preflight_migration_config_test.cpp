#include "preflight/migration_config.hpp"

#include <limits>

#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Labels;

namespace {

facts::MigrationPolicy policy(const std::string& name, std::optional<Labels> vmi,
                              std::optional<Labels> ns = {}) {
    facts::MigrationPolicy result;
    result.meta = meta("", name);
    result.vmi_selector = std::move(vmi);
    result.namespace_selector = std::move(ns);
    result.has_selectors = true;
    return result;
}

std::string matching(const std::vector<facts::MigrationPolicy>& policies, const Labels& vmi,
                     const Labels& ns = {}) {
    const auto* found = match_policy(policies, vmi, ns);
    return found == nullptr ? "" : found->meta.name;
}

Judged judged_of(const facts::Snapshot& all) {
    return judge_vmi(all, belongings_of(all), nullptr, all.vmis.items.front());
}

MigrationConfig config_of(const facts::Snapshot& all) {
    return effective_config(all, judged_of(all));
}

}  // namespace

TEST_CASE("the policy with the most matching labels wins") {
    const Labels vmi{{"app", "web"}, {"tier", "front"}};
    const auto one = policy("a", Labels{{"app", "web"}});
    const auto two = policy("z", Labels{{"app", "web"}, {"tier", "front"}});
    CHECK(matching({one, two}, vmi) == "z");
    CHECK(matching({two, one}, vmi) == "z");
    CHECK(matching({one, two}, {{"app", "web"}}) == "a");
    CHECK(matching({one, two}, {{"app", "db"}}).empty());
    CHECK(matching({}, vmi).empty());
}

TEST_CASE("of equally many labels those of the VMI weigh more, then the smallest name") {
    const Labels vmi{{"app", "web"}};
    const Labels ns{{"zone", "a"}};
    const auto by_vmi = policy("z", Labels{{"app", "web"}});
    const auto by_ns = policy("a", {}, Labels{{"zone", "a"}});
    CHECK(matching({by_ns, by_vmi}, vmi, ns) == "z");
    CHECK(matching({by_vmi, by_ns}, vmi, ns) == "z");
    const auto same = policy("b", Labels{{"app", "web"}});
    CHECK(matching({by_vmi, same}, vmi, ns) == "b");
    CHECK(matching({same, by_vmi}, vmi, ns) == "b");
}

TEST_CASE("both selectors of a policy must hold, and their labels add up") {
    const auto both = policy("both", Labels{{"app", "web"}}, Labels{{"zone", "a"}});
    const auto one = policy("a", Labels{{"app", "web"}});
    CHECK(matching({both, one}, {{"app", "web"}}, {{"zone", "a"}}) == "both");
    CHECK(matching({both, one}, {{"app", "web"}}, {{"zone", "b"}}) == "a");
    CHECK(matching({both}, {{"app", "db"}}, {{"zone", "a"}}).empty());
}

TEST_CASE("no selectors match nothing, empty selectors everything") {
    auto none = policy("none", {});
    none.has_selectors = false;
    CHECK(matching({none}, {{"app", "web"}}).empty());
    CHECK(matching({none}, {}).empty());
    CHECK(matching({policy("empty", Labels{})}, {{"app", "web"}}) == "empty");
    CHECK(matching({policy("nil", {})}, {{"app", "web"}}) == "nil");
    const auto one = policy("one", Labels{{"app", "web"}});
    CHECK(matching({policy("empty", Labels{}), one}, {{"app", "web"}}) == "one");
}

TEST_CASE("a VMI without any label is matched by every policy that has selectors") {
    const auto picky = policy("picky", Labels{{"app", "web"}}, Labels{{"zone", "a"}});
    CHECK(matching({picky}, {}, {{"zone", "b"}}) == "picky");
    CHECK(matching({picky, policy("a", Labels{{"x", "y"}})}, {}) == "a");
}

TEST_CASE("a label matches by its whole value, also an empty one") {
    const auto empty = policy("p", Labels{{"app", ""}});
    CHECK(matching({empty}, {{"app", ""}}) == "p");
    CHECK(matching({empty}, {{"app", "web"}}).empty());
    CHECK(matching({empty}, {{"other", ""}}).empty());
    CHECK(matching({policy("p", Labels{{"app", "web"}})}, {{"app", "web2"}}).empty());
}

TEST_CASE("KubeVirt's defaults hold where nothing is set") {
    const auto config = config_of(healthy());
    CHECK(config == MigrationConfig{});
    CHECK(config.bandwidth == 0);
    CHECK(config.completion_timeout_per_gib == 150);
    CHECK(config.match_selinux_level);
}

TEST_CASE("a policy overrides the CR in what it sets, and in nothing else") {
    auto all = healthy();
    kubevirt_in(all).migrations.bandwidth = 1000;
    kubevirt_in(all).migrations.allow_auto_converge = true;
    kubevirt_in(all).migrations.network = "net";
    auto mine = policy("mine", Labels{{"app", "web"}});
    mine.settings.bandwidth = 0;
    mine.settings.completion_timeout_per_gib = 10;
    all.policies.items = {mine};
    const auto config = config_of(all);
    CHECK(config.policy == "mine");
    CHECK(config.bandwidth == 0);
    CHECK(config.completion_timeout_per_gib == 10);
    CHECK(config.allow_auto_converge);
    CHECK(config.network == "net");
}

TEST_CASE("who allows post-copy allows disruption, unless the same place says otherwise") {
    const auto config = [](std::optional<bool> post_copy, std::optional<bool> disruption) {
        auto all = healthy();
        kubevirt_in(all).migrations.allow_post_copy = post_copy;
        kubevirt_in(all).migrations.allow_workload_disruption = disruption;
        return config_of(all);
    };
    CHECK(config(true, {}).allow_workload_disruption);
    CHECK_FALSE(config(true, false).allow_workload_disruption);
    CHECK(config(false, true).allow_workload_disruption);
    CHECK_FALSE(config({}, {}).allow_workload_disruption);
    auto all = healthy();
    kubevirt_in(all).migrations.allow_post_copy = true;
    auto off = policy("off", Labels{{"app", "web"}});
    off.settings.allow_post_copy = false;
    all.policies.items = {off};
    CHECK_FALSE(config_of(all).allow_workload_disruption);
}

TEST_CASE("what was not read of the configuration is named") {
    auto all = healthy();
    unread(all, all.kubevirts, "kubevirts");
    CHECK(config_of(all).gaps == std::vector<std::string>{"kubevirts"});
    unread(all, all.policies, "policies");
    CHECK(config_of(all).gaps == std::vector<std::string>{"kubevirts", "policies"});
}

TEST_CASE("an unread namespace matters only where a policy selects namespaces") {
    auto all = healthy();
    unread(all, all.namespaces, "namespaces");
    all.policies.items = {policy("mine", Labels{{"app", "web"}})};
    CHECK(config_of(all).gaps.empty());
    CHECK(config_of(all).policy == "mine");
    all.policies.items.push_back(policy("theirs", {}, Labels{{"zone", "a"}}));
    CHECK(config_of(all).gaps == std::vector<std::string>{"namespaces"});
    CHECK(config_of(all).policy.empty());
}

TEST_CASE("the time limit counts decimal gigabytes, rounded up") {
    const MigrationConfig config;
    CHECK(completion_timeout(config, 8 * gibibyte) == 1350);
    CHECK(completion_timeout(config, 1'000'000'000) == 150);
    CHECK(completion_timeout(config, 1'000'000'001) == 300);
    CHECK(completion_timeout(config, 1) == 150);
    CHECK(completion_timeout(config, 0) == 0);
    MigrationConfig never;
    never.completion_timeout_per_gib = 0;
    CHECK(completion_timeout(never, 8 * gibibyte) == 0);
}

TEST_CASE("a limit beyond all numbers is the largest number") {
    constexpr auto most = std::numeric_limits<std::int64_t>::max();
    MigrationConfig config;
    config.completion_timeout_per_gib = most;
    CHECK(completion_timeout(config, 8 * gibibyte) == most);
    auto all = healthy();
    vmi_of(all).migrated_volumes = {{"root", "data", "new", most, most}};
    CHECK(migration_size(judged_of(all)) == most);
}

TEST_CASE("the size is the guest's memory and the disks that move with it") {
    auto all = healthy();
    CHECK(migration_size(judged_of(all)) == 8 * gibibyte);
    vmi_of(all).migrated_volumes = {{"root", "data", "new", 10 * gibibyte, 20 * gibibyte},
                                    {"x", "y", "z", {}, {}}};
    CHECK(migration_size(judged_of(all)) == 18 * gibibyte);
    vmi_of(all).migrated_volumes.clear();
    guest_of(all).memory_guest.reset();
    CHECK_FALSE(migration_size(judged_of(all)).has_value());
    guest_of(all).memory_request = gibibyte;
    CHECK(migration_size(judged_of(all)) == gibibyte);
}

TEST_CASE("a namespace without labels is matched by no policy that selects namespaces by label") {
    const Labels vmi{{"app", "web"}};
    CHECK(matching({policy("p", {}, Labels{{"zone", "a"}})}, vmi).empty());
    CHECK(matching({policy("p", Labels{{"app", "web"}}, Labels{{"zone", "a"}})}, vmi).empty());
    CHECK(matching({policy("p", Labels{{"app", "web"}}, Labels{})}, vmi) == "p");
    CHECK(matching({policy("p", Labels{{"app", "web"}})}, vmi) == "p");
}
