// What the API server and the namespace allow.
#include <array>

#include "preflight/checks.hpp"
#include "preflight/question.hpp"

namespace preflight {
namespace {

// "requests.memory", "limits.cpu", "pods", or a resource that is requested by its own name.
std::int64_t asked_of(const std::string& name, const facts::Pod& launcher) {
    constexpr std::string_view requests = "requests.";
    constexpr std::string_view limits = "limits.";
    if (name == "pods" || name == "count/pods") return 1000;
    const bool limit = name.starts_with(limits);
    const auto& amounts = limit ? launcher.limits : launcher.requests;
    const auto resource = limit                        ? name.substr(limits.size())
                          : name.starts_with(requests) ? name.substr(requests.size())
                                                       : name;
    const auto amount = amounts.find(resource);
    return amount == amounts.end() ? 0 : amount->second;
}

// Quotas count thousandths; the target pod asks for what the source pod asks for.
std::vector<std::string> exceeded(const facts::ResourceQuota& quota, const facts::Pod& launcher) {
    std::vector<std::string> resources;
    for (const auto& [name, hard] : quota.hard) {
        const auto asked = asked_of(name, launcher);
        const auto used = quota.used.find(name);
        if (asked <= 0 || used == quota.used.end()) continue;
        std::int64_t total = 0;
        const bool beyond = __builtin_add_overflow(used->second, asked, &total);
        if (beyond || total > hard) resources.push_back(name);
    }
    return resources;
}

std::vector<Finding> check_quota(const Question& question) {
    const auto& quotas = question.snapshot.quotas;
    const std::string needed = "room for a second launcher pod";
    if (question.judged.life == Life::stopped) {
        return {skipped(question.machine(), "does not run")};
    }
    if (!quotas.covers(question.ns())) {
        return {unknown(question.machine(), needed, {quotas.gap_or("resourcequotas")})};
    }
    const auto* launcher = source_launcher(question.judged);
    std::vector<Finding> findings;
    for (const auto& quota : quotas.items) {
        if (quota.meta.ns != question.ns()) continue;
        const Subject subject{"ResourceQuota", quota.meta.ns, quota.meta.name};
        if (launcher == nullptr) {
            findings.push_back(
                unknown(subject, needed, {question.snapshot.launchers.gap_or("pods")}));
            continue;
        }
        const auto resources = exceeded(quota, *launcher);
        if (resources.empty()) {
            findings.push_back(passed(subject, "leaves room for the target pod"));
            continue;
        }
        findings.push_back(
            warned(subject, "no room for " + join(resources), needed,
                   "the target pod is refused and the migration stays Pending "
                   "(migrationRejectedByResourceQuota)",
                   {"raise the quota for the time of the migration",
                    {command("kubectl describe quota ", quota.meta.name, " -n ", quota.meta.ns)}}));
    }
    if (findings.empty())
        findings.push_back(skipped(question.machine(), "no quota in the namespace"));
    return findings;
}

std::vector<Finding> check_pod_security(const Question& question) {
    const Subject subject{"Namespace", "", question.ns()};
    const auto* ns = question.snapshot.namespaces.find("", question.ns());
    const std::string needed = "a level that admits the launcher pod";
    if (ns == nullptr) {
        return {unknown(subject, needed, {question.snapshot.namespaces.gap_or("namespaces")})};
    }
    const auto label = ns->meta.labels.find("pod-security.kubernetes.io/enforce");
    const auto level = label == ns->meta.labels.end() ? "" : label->second;
    if (level.empty() || level == "privileged") {
        return {passed(subject, level.empty() ? "no level enforced" : "privileged")};
    }
    if (level == "baseline") return {passed(subject, "baseline")};
    return {
        warned(subject, "enforces " + level, needed,
               "a target pod that violates the level is refused (it needs a privileged "
               "namespace to run), and the migration stays Pending",
               {"the source pod was admitted once; if the label is newer than the pod, relax it",
                {command("kubectl get namespace ", question.ns(), " --show-labels")}})};
}

std::vector<Finding> check_server(const Question& question) {
    if (const auto finding = unless_running(question, "the VMI's status")) return {*finding};
    const auto& opinions = question.snapshot.opinions;
    const auto* opinion = opinions.find(question.ns(), question.judged.vmi->meta.name);
    const std::string needed = "a dry run that is accepted";
    if (opinion == nullptr) {
        if (opinions.gap.empty()) {
            return {skipped(question.machine(), "asked only on a cluster, for VMs that are named")};
        }
        return {unknown(question.machine(), needed, {opinions.gap})};
    }
    if (opinion->accepted) return {passed(question.machine(), "a dry run was accepted")};
    return {failed(question.machine(), opinion->message, needed,
                   "the API server refuses this migration now",
                   {"see the failing checks; if none fails, the refusal tells the cause", {}})};
}

constexpr std::array<Check, 3> rows{{
    {"ADM-001", "quota-leaves-room", "Quotas leave room for the target pod", Severity::warning,
     "Compares the namespace's ResourceQuotas with what the source launcher pod requests.",
     "While it migrates a VM has two launcher pods. Without room the migration stays Pending.",
     "Raise the quota for the time of the migration.",
     "kubevirt pkg/virt-controller/watch/migration/migration.go", check_quota},
    {"ADM-002", "pod-security-admits", "Pod security admits the target pod", Severity::warning,
     "Looks at the namespace's label pod-security.kubernetes.io/enforce.",
     "A launcher that is not allowed by the level is refused when the target pod is created.",
     "Relax the level, or run KubeVirt's launchers as non-root.",
     "kubevirt pkg/virt-controller/watch/util; kubernetes pod-security-admission",
     check_pod_security},
    {"ADM-003", "server-accepts", "The API server would accept the migration", Severity::blocking,
     "Creates the migration with dryRun=All, where you may: nothing is stored. Asked only for VMs "
     "that are named on the command line.",
     "virt-api's webhook has the last word.", "See the failing checks.",
     "kubevirt pkg/virt-api/webhooks migration-create-admitter.go", check_server},
}};

}  // namespace

std::span<const Check> admission_checks() {
    return rows;
}

}  // namespace preflight
