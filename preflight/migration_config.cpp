#include "preflight/migration_config.hpp"

#include <algorithm>
#include <limits>
#include <tuple>

namespace preflight {
namespace {

// Sums beyond every number stay there: they are shown and compared, never allocated.
constexpr auto most = std::numeric_limits<std::int64_t>::max();

struct Score {
    int vmi = 0;
    int ns = 0;
};

std::optional<int> count_matches(const facts::Labels& wanted, const facts::Labels& labels) {
    for (const auto& [key, value] : wanted) {
        const auto label = labels.find(key);
        if (label == labels.end() || label->second != value) return std::nullopt;
    }
    return static_cast<int>(wanted.size());
}

// nullopt: it does not match. KubeVirt skips both selectors of a VMI that has no labels at all.
std::optional<Score> score(const facts::MigrationPolicy& policy, const facts::Labels& vmi_labels,
                           const facts::Labels& namespace_labels) {
    if (!policy.has_selectors) return std::nullopt;
    Score result;
    if (vmi_labels.empty()) return result;
    if (policy.vmi_selector) {
        const auto count = count_matches(*policy.vmi_selector, vmi_labels);
        if (!count) return std::nullopt;
        result.vmi = *count;
    }
    if (policy.namespace_selector) {
        const auto count = count_matches(*policy.namespace_selector, namespace_labels);
        if (!count) return std::nullopt;
        result.ns = *count;
    }
    return result;
}

template <class T>
void take(T& setting, const std::optional<T>& value) {
    if (value) setting = *value;
}

void apply(MigrationConfig& config, const facts::MigrationSettings& settings) {
    take(config.bandwidth, settings.bandwidth);
    take(config.completion_timeout_per_gib, settings.completion_timeout_per_gib);
    take(config.progress_timeout, settings.progress_timeout);
    take(config.allow_auto_converge, settings.allow_auto_converge);
    take(config.allow_post_copy, settings.allow_post_copy);
    // Who allows post-copy allows the disruption, unless told otherwise in the same place.
    if (settings.allow_workload_disruption) {
        config.allow_workload_disruption = *settings.allow_workload_disruption;
    } else if (settings.allow_post_copy) {
        config.allow_workload_disruption = *settings.allow_post_copy;
    }
    take(config.unsafe_override, settings.unsafe_override);
    take(config.disable_tls, settings.disable_tls);
    take(config.match_selinux_level, settings.match_selinux_level);
    take(config.network, settings.network);
}

}  // namespace

const facts::MigrationPolicy* match_policy(const std::vector<facts::MigrationPolicy>& policies,
                                           const facts::Labels& vmi_labels,
                                           const facts::Labels& namespace_labels) {
    const facts::MigrationPolicy* best = nullptr;
    std::tuple<int, int> best_score{};
    for (const auto& policy : policies) {
        const auto found = score(policy, vmi_labels, namespace_labels);
        if (!found) continue;
        const std::tuple<int, int> rank{found->vmi + found->ns, found->vmi};
        const bool better = best == nullptr || rank > best_score ||
                            (rank == best_score && policy.meta.name < best->meta.name);
        if (!better) continue;
        best = &policy;
        best_score = rank;
    }
    return best;
}

MigrationConfig effective_config(const facts::Snapshot& snapshot, const Judged& judged) {
    MigrationConfig config;
    if (const auto* kubevirt = kubevirt_of(snapshot)) {
        apply(config, kubevirt->migrations);
    } else {
        config.gaps.push_back(snapshot.kubevirts.gap);
    }
    const auto& policies = snapshot.policies;
    if (!policies.covers("")) {
        config.gaps.push_back(policies.gap_or("migrationpolicies"));
        return config;
    }
    const auto* ns = snapshot.namespaces.find("", judged.meta.ns);
    const bool needs_namespace =
        std::any_of(snapshot.policies.items.begin(), snapshot.policies.items.end(),
                    [](const auto& policy) { return policy.namespace_selector.has_value(); });
    if (ns == nullptr && needs_namespace) {
        config.gaps.push_back(snapshot.namespaces.gap_or("namespaces"));
        return config;
    }
    const facts::Labels no_labels;
    const auto* policy = match_policy(snapshot.policies.items, judged.labels,
                                      ns == nullptr ? no_labels : ns->meta.labels);
    if (policy != nullptr) {
        config.policy = policy->meta.name;
        apply(config, policy->settings);
    }
    return config;
}

std::optional<std::int64_t> migration_size(const Judged& judged) {
    const auto& guest = judged.guest;
    auto size = guest.memory_guest ? guest.memory_guest : guest.memory_request;
    if (!size || judged.vmi == nullptr) return size;
    for (const auto& volume : judged.vmi->migrated_volumes) {
        const auto more = volume.source_capacity.value_or(0);
        if (__builtin_add_overflow(*size, more, &*size)) return most;
    }
    return size;
}

std::int64_t completion_timeout(const MigrationConfig& config, std::int64_t size) {
    constexpr std::int64_t gigabyte = 1'000'000'000;
    const auto gigabytes = size / gigabyte + (size % gigabyte > 0 ? 1 : 0);
    std::int64_t seconds = 0;
    const bool beyond =
        __builtin_mul_overflow(config.completion_timeout_per_gib, gigabytes, &seconds);
    return beyond ? most : seconds;
}

}  // namespace preflight
