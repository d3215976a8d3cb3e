#include "recovery/start.hpp"

#include <algorithm>

#include "kubeclient/shell_word.hpp"
#include "preflight/judged.hpp"
#include "preflight/migration_config.hpp"
#include "preflight/placement.hpp"

namespace recovery {
namespace {

using facts::Snapshot;
using preflight::Severity;
using preflight::Verdict;

constexpr const char* kHostname = "kubernetes.io/hostname";

std::string in_command(const Outcome& item, const std::string& verb_and_more) {
    return verb_and_more + " " + kubeclient::shell_word(item.vmi) + " -n " +
           kubeclient::shell_word(item.ns);
}

class Planner {
public:
    Planner(const Snapshot& snapshot, const StartTerms& terms)
        : snapshot_(snapshot), terms_(terms), belongings_(preflight::belongings_of(snapshot)) {}

    Member plan(const preflight::Item& item) {
        Member member;
        const auto* vmi = snapshot_.vmis.find(item.ns, item.name);
        member.of.ns = item.ns;
        member.of.vmi = item.name;
        if (vmi != nullptr) member.of = course_of(snapshot_, *vmi, terms_.program);
        member.settled = refuse(item, vmi, member);
        if (!member.settled && !member.joined) {
            member.of.vmim = migration_name(item.name, terms_.unique());
            member.order = Order{item.ns, item.name, member.of.vmim, selector_};
        }
        return member;
    }

private:
    // nullopt: nothing is in the way.
    std::optional<Outcome> refuse(const preflight::Item& item, const facts::Vmi* vmi,
                                  Member& member) {
        Outcome outcome = begin(item, vmi);
        if (vmi == nullptr && !snapshot_.vmis.gap.empty()) {
            return blocked(outcome, "its VMI could not be read, so whether it runs is not known",
                           "kubectl auth can-i get virtualmachineinstances.kubevirt.io -n " +
                               kubeclient::shell_word(item.ns));
        }
        if (vmi == nullptr || vmi->phase != "Running") {
            return blocked(outcome,
                           vmi == nullptr ? "the VM does not run: only a running guest can "
                                            "be migrated live"
                                          : "the VMI is " + vmi->phase + ", not Running",
                           in_command(outcome, "virtctl start"));
        }
        const auto* migration = latest_migration(snapshot_, *vmi);
        const bool in_flight = migration != nullptr && !migration->finished();
        if (terms_.join) return join(outcome, migration, member);
        if (in_flight) return refuse_second(outcome, *migration);
        if (auto there = already_there(outcome, *vmi)) return there;
        if (auto refusal = refuse_checks(item, outcome)) return refusal;
        return refuse_nodes(outcome, *vmi);
    }

    static Outcome begin(const preflight::Item& item, const facts::Vmi* vmi) {
        Outcome outcome;
        outcome.ns = item.ns;
        outcome.vmi = item.name;
        if (vmi == nullptr) return outcome;
        outcome.vm_running = vmi->phase == "Running";
        outcome.runs_on = vmi->node;
        outcome.source_node = vmi->node;
        return outcome;
    }

    static std::optional<Outcome> blocked(Outcome outcome, std::string cause, std::string next) {
        outcome.ending = Ending::blocked;
        outcome.cause = std::move(cause);
        outcome.next = std::move(next);
        return outcome;
    }

    std::optional<Outcome> join(const Outcome& outcome, const facts::Migration* migration,
                                Member& member) const {
        if (migration == nullptr) {
            return blocked(outcome, "there is no migration to join",
                           in_command(outcome, terms_.program + " migrate"));
        }
        member.joined = true;
        member.of.vmim = migration->meta.name;
        member.of.vmim_uid = migration->meta.uid;
        return std::nullopt;
    }

    std::optional<Outcome> refuse_second(Outcome outcome, const facts::Migration& migration) const {
        outcome.vmim = migration.meta.name;
        outcome.phase = migration.phase;
        std::string text = "migration " + migration.meta.name + " is already under way, " +
                           (migration.phase.empty() ? "not taken up yet" : migration.phase);
        if (migration.meta.deleting) text += ", being cancelled";
        outcome.notes.push_back("cancel it with: " +
                                in_command(outcome, terms_.program + " cancel"));
        return blocked(outcome, text, in_command(outcome, terms_.program + " migrate --join"));
    }

    // Sets the selector that the migration is given.
    std::optional<Outcome> already_there(Outcome outcome, const facts::Vmi& vmi) {
        selector_ = terms_.node_selector;
        const auto* to = terms_.to.empty() ? nullptr : snapshot_.nodes.find("", terms_.to);
        if (to != nullptr) {
            const auto label = to->meta.labels.find(kHostname);
            if (label != to->meta.labels.end()) selector_[kHostname] = label->second;
        }
        if (selector_.empty() && terms_.to.empty()) return std::nullopt;
        const auto* source = snapshot_.nodes.find("", vmi.node);
        const bool there = terms_.to.empty() ? source != nullptr && carries(*source, selector_)
                                             : vmi.node == terms_.to;
        if (!there) return std::nullopt;
        outcome.ending = Ending::nothing_to_do;
        outcome.target_node = vmi.node;
        outcome.cause = "it runs on " + vmi.node + " already";
        return outcome;
    }

    static bool carries(const facts::Node& node, const facts::Labels& labels) {
        return std::all_of(labels.begin(), labels.end(), [&](const auto& label) {
            const auto found = node.meta.labels.find(label.first);
            return found != node.meta.labels.end() && found->second == label.second;
        });
    }

    std::optional<Outcome> refuse_checks(const preflight::Item& item, Outcome outcome) const {
        if (item.verdict != Verdict::fail && item.verdict != Verdict::unknown) return std::nullopt;
        std::string text;
        bool for_good = false;
        for (const auto& [check, finding] : item.checks) {
            const bool counts =
                finding.verdict == Verdict::fail ||
                (item.verdict == Verdict::unknown && finding.verdict == Verdict::unknown &&
                 check->severity == Severity::blocking);
            if (!counts) continue;
            if (!text.empty()) text += "; ";
            text += std::string(check->id) + " " +
                    (finding.verdict == Verdict::fail
                         ? (finding.why.empty() ? finding.seen : finding.why)
                         : "could not be decided: " + std::string(check->title));
            for_good = for_good || finding.verdict == Verdict::fail;
        }
        if (for_good) {
            outcome.notes.push_back(
                "if it has to move now: a cold migration, " + in_command(outcome, "virtctl stop") +
                " and then " + in_command(outcome, "virtctl start") +
                ", shuts the guest down and boots it again, maybe on another node; what is in its "
                "memory is lost (" +
                terms_.program + " explain cold-migration)");
        }
        return blocked(outcome, text, in_command(outcome, terms_.program + " preflight"));
    }

    // Whether the selector leads where it is meant to.
    std::optional<Outcome> refuse_nodes(const Outcome& outcome, const facts::Vmi& vmi) const {
        if (selector_.empty() && terms_.to.empty()) return std::nullopt;
        const std::string see_nodes = "kubectl get nodes --show-labels";
        if (!snapshot_.nodes.complete) {
            return blocked(outcome,
                           "the nodes could not be read, so where it would go is not known",
                           "kubectl auth can-i list nodes");
        }
        if (!terms_.to.empty()) {
            if (snapshot_.nodes.find("", terms_.to) == nullptr) {
                return blocked(outcome, "there is no node " + terms_.to, "kubectl get nodes");
            }
            if (selector_.count(kHostname) == 0) {
                return blocked(outcome, "node " + terms_.to + " has no label " + kHostname,
                               see_nodes);
            }
        }
        if (auto text = overridden(vmi); !text.empty()) {
            return blocked(outcome, text, describe_vmi(outcome));
        }
        return refuse_unfit(outcome, vmi, see_nodes);
    }

    static std::string describe_vmi(const Outcome& outcome) {
        return in_command(outcome, "kubectl get vmi -o yaml");
    }

    // A key that the target pod's template sets keeps the template's value.
    std::string overridden(const facts::Vmi& vmi) const {
        facts::Labels fixed = vmi.guest.placement.node_selector;
        if (const auto* kubevirt = preflight::kubevirt_of(snapshot_)) {
            fixed.insert(kubevirt->node_selectors.begin(), kubevirt->node_selectors.end());
        }
        fixed.emplace("kubevirt.io/schedulable", "true");
        if (!vmi.guest.architecture.empty()) {
            fixed.emplace("kubernetes.io/arch", vmi.guest.architecture);
        }
        for (const auto& [key, value] : selector_) {
            const auto found = fixed.find(key);
            if (found == fixed.end() || found->second == value) continue;
            return "the VM itself asks for " + key + "=" + found->second +
                   ", which wins over the " + key + "=" + value + " that was asked for";
        }
        return "";
    }

    std::optional<Outcome> refuse_unfit(const Outcome& outcome, const facts::Vmi& vmi,
                                        const std::string& see_nodes) const {
        const auto* vm = snapshot_.vms.find(vmi.meta.ns, vmi.meta.name);
        const auto judged = preflight::judge_vmi(snapshot_, belongings_, vm, vmi);
        const auto needs = preflight::target_needs(snapshot_, judged);
        const auto now = snapshot_.live ? std::optional(snapshot_.taken_at) : std::nullopt;
        std::string reasons;
        for (const auto& node : snapshot_.nodes.items) {
            if (node.meta.name == vmi.node || !carries(node, selector_)) continue;
            const auto why = preflight::why_not(node, needs, now);
            if (why.empty()) return std::nullopt;
            reasons += (reasons.empty() ? "" : "; ") + node.meta.name + ": " + why.front();
        }
        if (reasons.empty()) {
            return blocked(outcome, "no other node carries the labels that are asked for",
                           see_nodes);
        }
        return blocked(outcome, "no node that is asked for can take it: " + reasons,
                       in_command(outcome, terms_.program + " preflight -o wide"));
    }

    const Snapshot& snapshot_;
    const StartTerms& terms_;
    const preflight::Belongings belongings_;
    facts::Labels selector_{};  // of the member that is planned
};

}  // namespace

const facts::Migration* latest_migration(const Snapshot& snapshot, const facts::Vmi& vmi) {
    const facts::Migration* latest = nullptr;
    for (const auto& each : snapshot.migrations.items) {
        if (each.meta.ns != vmi.meta.ns || each.vmi != vmi.meta.name) continue;
        if (!each.finished()) return &each;
        if (latest == nullptr || latest->meta.created < each.meta.created) latest = &each;
    }
    return latest;
}

Outcome not_started(const CourseOf& of, std::string cause, std::string next) {
    Outcome outcome;
    outcome.ns = of.ns;
    outcome.vmi = of.vmi;
    outcome.ending = Ending::not_started;
    outcome.vm_running = true;
    outcome.source_node = outcome.runs_on = of.source_node;
    outcome.cause = std::move(cause);
    outcome.next = std::move(next);
    return outcome;
}

CourseOf course_of(const Snapshot& snapshot, const facts::Vmi& vmi, const std::string& program) {
    CourseOf of;
    of.ns = vmi.meta.ns;
    of.vmi = vmi.meta.name;
    of.vmi_uid = vmi.meta.uid;
    of.source_node = vmi.node;
    of.program = program;
    for (const auto& volume : vmi.guest.volumes) {
        const auto* claim = snapshot.claims.find(vmi.meta.ns, volume.claim);
        if (claim != nullptr && !claim->volume.empty()) of.volumes.insert(claim->volume);
    }
    preflight::Judged judged;
    judged.guest = vmi.guest;
    judged.vmi = &vmi;
    of.size = preflight::migration_size(judged);
    if (const auto* node = snapshot.nodes.find("", vmi.node)) of.node = *node;
    const auto* kubevirt = preflight::kubevirt_of(snapshot);
    if (kubevirt == nullptr) {
        of.limits.gap = "the KubeVirt object could not be read";
        return of;
    }
    const auto& settings = kubevirt->migrations;
    of.limits.per_cluster = settings.parallel_per_cluster.value_or(of.limits.per_cluster);
    of.limits.outbound_per_node =
        settings.parallel_outbound_per_node.value_or(of.limits.outbound_per_node);
    return of;
}

std::vector<Member> plan_start(const Snapshot& snapshot, const preflight::PreflightReport& report,
                               const StartTerms& terms) {
    Planner planner(snapshot, terms);
    std::vector<Member> members;
    for (const auto& item : report.items) members.push_back(planner.plan(item));
    return members;
}

}  // namespace recovery
