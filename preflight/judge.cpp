#include "preflight/judge.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "preflight/question.hpp"

namespace preflight {
namespace {

using facts::Snapshot;

constexpr int exit_error = 1;
constexpr int exit_blocked = 3;
constexpr int exit_warnings = 4;

// A VM with its VMI; one of the two may be missing, never both.
struct Pair {
    const facts::Vm* vm = nullptr;
    const facts::Vmi* vmi = nullptr;
};

using Key = std::pair<std::string, std::string>;

bool belongs(const facts::Vmi& vmi, const facts::Vm& vm) {
    const auto& owner = vmi.meta.controller_uid;
    return owner.empty() || vm.meta.uid.empty() || owner == vm.meta.uid;
}

// In the order of namespace and name; a VMI that no VM owns stands alone.
std::vector<Pair> join_machines(const Snapshot& snapshot) {
    std::map<Key, Pair> joined;
    std::vector<Pair> pairs;
    for (const auto& vm : snapshot.vms.items) joined[{vm.meta.ns, vm.meta.name}].vm = &vm;
    for (const auto& vmi : snapshot.vmis.items) {
        auto& pair = joined[{vmi.meta.ns, vmi.meta.name}];
        if (pair.vm == nullptr || belongs(vmi, *pair.vm)) {
            pair.vmi = &vmi;
        } else {
            pairs.push_back({nullptr, &vmi});
        }
    }
    for (const auto& [key, pair] : joined) pairs.push_back(pair);
    std::stable_sort(pairs.begin(), pairs.end(), [](const Pair& left, const Pair& right) {
        const auto& a = left.vm != nullptr ? left.vm->meta : left.vmi->meta;
        const auto& b = right.vm != nullptr ? right.vm->meta : right.vmi->meta;
        return std::tie(a.ns, a.name) < std::tie(b.ns, b.name);
    });
    return pairs;
}

const facts::Meta& meta_of(const Pair& pair) {
    return pair.vm != nullptr ? pair.vm->meta : pair.vmi->meta;
}

bool is_target(const Pair& pair, const Target& target) {
    if (meta_of(pair).name != target.name) return false;
    return target.kind == TargetKind::any ||
           (target.kind == TargetKind::vm ? pair.vm != nullptr : pair.vmi != nullptr);
}

bool is_selected(const Pair& pair, const Selection& selection) {
    const auto& meta = meta_of(pair);
    if (!selection.ns.empty() && meta.ns != selection.ns) return false;
    const bool runs_there =
        selection.node.empty() || (pair.vmi != nullptr && pair.vmi->node == selection.node);
    const bool labelled =
        selection.selector.matches(meta.labels) ||
        (pair.vmi != nullptr && selection.selector.matches(pair.vmi->meta.labels));
    const bool named = selection.targets.empty() ||
                       std::any_of(selection.targets.begin(), selection.targets.end(),
                                   [&](const auto& target) { return is_target(pair, target); });
    return runs_there && labelled && named;
}

std::optional<ReportedCondition> condition_of(const std::vector<facts::Condition>& conditions,
                                              std::string_view type) {
    for (const auto& condition : conditions) {
        if (condition.type != type) continue;
        return ReportedCondition{condition.status, condition.reason, condition.message,
                                 condition.last_transition_time};
    }
    return std::nullopt;
}

// The VM mirrors its VMI's conditions; they count where the VMI itself was not read.
Reported reported_by(const Pair& pair) {
    const bool mirrored = pair.vmi == nullptr;
    if (mirrored && !pair.vm->created) return {};
    const auto& conditions = mirrored ? pair.vm->conditions : pair.vmi->conditions;
    return {condition_of(conditions, "LiveMigratable"),
            condition_of(conditions, "StorageLiveMigratable"),
            mirrored ? "" : pair.vmi->migration_method};
}

std::string likely_reason(const Question& question) {
    if (question.rules.assumed) return "the rules of another release may hold there";
    const auto* node = question.snapshot.nodes.find("", question.judged.node);
    if (question.now() && node != nullptr && node->heartbeat) {
        const auto age = *question.now() - *node->heartbeat;
        if (age > heartbeat_limit) {
            return "the condition is likely stale: virt-handler on " + node->meta.name +
                   " has been silent for more than 5 minutes";
        }
    }
    return "the condition is likely stale: it changes only when virt-handler looks at the VM again";
}

void compare_condition(const std::string& name, const std::optional<ReportedCondition>& reported,
                       const RecomputedCondition& recomputed, bool reason_settled,
                       const std::string& likely, Item& item) {
    if (!reported || recomputed.status == "Unknown" || reported->status.empty()) return;
    // Messages are not compared: releases word the same reason differently.
    const bool same =
        reported->status == recomputed.status &&
        (reported->reason == recomputed.reason || recomputed.status == "True" || !reason_settled);
    item.agrees = item.agrees.value_or(true) && same;
    if (same) return;
    const auto describe = [](const std::string& status, const std::string& reason) {
        return reason.empty() ? status : status + " (" + reason + ")";
    };
    item.differs.push_back(name + " is reported " + describe(reported->status, reported->reason) +
                           ", the objects say " + describe(recomputed.status, recomputed.reason) +
                           "; " + likely);
}

void compare(const Question& question, Item& item) {
    // What KubeVirt says of a running VMI cannot be held against a template.
    if (!question.judged.running() && question.judged.life == Life::unread) return;
    const auto likely = likely_reason(question);
    compare_condition("LiveMigratable", item.reported.live_migratable,
                      item.recomputed.live_migratable, question.migratability.reason_settled,
                      likely, item);
    compare_condition("StorageLiveMigratable", item.reported.storage_live_migratable,
                      item.recomputed.storage_live_migratable, true, likely, item);
    const auto& reported = item.reported.migration_method;
    const auto& recomputed = item.recomputed.migration_method;
    if (reported.empty() || recomputed.empty()) return;
    item.agrees = item.agrees.value_or(true) && reported == recomputed;
    if (reported == recomputed) return;
    item.differs.push_back("migrationMethod is reported " + reported + ", the objects say " +
                           recomputed + "; " + likely);
}

bool is_waived(const Check& check, const Item& item, const std::vector<Waiver>& waivers) {
    return std::any_of(waivers.begin(), waivers.end(), [&](const Waiver& waiver) {
        const bool this_vm = waiver.target.empty() || waiver.target == item.name ||
                             waiver.target == item.ns + "/" + item.name;
        return this_vm && find_check(waiver.check) == &check;
    });
}

void run_checks(const Question& question, const std::vector<Waiver>& waivers, Item& item) {
    for (const auto& check : all_checks()) {
        const bool waived = is_waived(check, item, waivers);
        for (auto& finding : check.run(question)) {
            const bool counts = finding.verdict == Verdict::fail ||
                                finding.verdict == Verdict::warn ||
                                finding.verdict == Verdict::unknown;
            if (waived && counts) finding.verdict = Verdict::waived;
            item.checks.push_back({&check, std::move(finding)});
        }
    }
}

// What could not be read blocks only where KubeVirt itself has not said that the VM may migrate.
Verdict verdict_of(const Item& item) {
    const bool vouched =
        item.reported.live_migratable && item.reported.live_migratable->status == "True";
    Verdict verdict = Verdict::pass;
    for (const auto& [check, finding] : item.checks) {
        const bool undecided =
            finding.verdict == Verdict::unknown && check->severity == Severity::blocking;
        if (finding.verdict == Verdict::fail) return Verdict::fail;
        if (undecided && !vouched) {
            verdict = Verdict::unknown;
        } else if (finding.verdict == Verdict::warn || finding.verdict == Verdict::unknown) {
            if (verdict == Verdict::pass) verdict = Verdict::warn;
        }
    }
    return verdict;
}

// The gaps of a report, each told once, by the first who knows of it.
class GapList {
public:
    explicit GapList(std::vector<ReportGap>& list) : list_(list) {}

    void add(const facts::Gap& gap) {
        if (!ids_.insert(gap.id).second) return;
        list_.push_back({gap.id, gap.verb, gap.resource, gap.reason});
    }

private:
    std::vector<ReportGap>& list_;
    std::set<std::string> ids_{};
};

Item judge_pair(const Snapshot& snapshot, const Belongings& belongings, const Rules& rules,
                const Pair& pair, const Terms& terms, GapList& gaps) {
    const auto judged = pair.vmi != nullptr ? judge_vmi(snapshot, belongings, pair.vm, *pair.vmi)
                                            : judge_template(snapshot, *pair.vm);
    const auto* kubevirt = kubevirt_of(snapshot);
    const auto migratability = recompute(judged, kubevirt, snapshot.kubevirts.gap, rules.set);
    const auto config = effective_config(snapshot, judged);
    Item item;
    item.ns = judged.meta.ns;
    item.name = judged.meta.name;
    item.kind = pair.vm != nullptr ? "VirtualMachine" : "VirtualMachineInstance";
    item.uid = judged.meta.uid;
    item.node = judged.node;
    item.reported = reported_by(pair);
    item.recomputed = migratability.answer;
    const auto needs = target_needs(snapshot, judged);
    const auto disks = claimed_disks(snapshot, judged);
    const Question question{snapshot, judged,        kubevirt, rules, migratability,
                            config,   item.reported, needs,    disks};
    compare(question, item);
    run_checks(question, terms.waivers, item);
    item.verdict = verdict_of(item);
    for (const auto& gap : judged.gaps) gaps.add(gap);
    return item;
}

// A finding may name what nobody set out to read: a pod that a complete dump would have held.
facts::Gap unread_object(const std::string& id) {
    const auto slash = id.find('/');
    const bool one = slash != std::string::npos;
    return {id, one ? "get" : "list", id.substr(0, slash),
            one ? "what was read of it does not tell" : "not all of them were read"};
}

void count(Summary& summary, Verdict verdict) {
    ++summary.total;
    if (verdict == Verdict::pass) ++summary.pass;
    if (verdict == Verdict::warn) ++summary.warn;
    if (verdict == Verdict::fail) ++summary.fail;
    if (verdict == Verdict::unknown) ++summary.unknown;
}

std::string shown(const Target& target) {
    if (target.kind == TargetKind::vm) return "vm/" + target.name;
    if (target.kind == TargetKind::vmi) return "vmi/" + target.name;
    return target.name;
}

void find_missing(const Snapshot& snapshot, const std::vector<Pair>& selected,
                  const Selection& selection, PreflightReport& report) {
    std::vector<std::string> missing;
    for (const auto& target : selection.targets) {
        const bool there = std::any_of(selected.begin(), selected.end(),
                                       [&](const auto& pair) { return is_target(pair, target); });
        if (!there) missing.push_back(shown(target));
    }
    if (missing.empty()) return;
    const auto where = selection.ns.empty() ? "" : " in namespace " + selection.ns;
    const bool all_read = !snapshot.live || (snapshot.vms.complete && snapshot.vmis.complete);
    report.error = ReportError{
        "not_found", join(missing) + (all_read ? " not found" : " could not be read") + where,
        "list what is there with: kubectl get vm,vmi -A"};
}

// An empty selection is an answer only where everything that could be selected was read.
std::optional<ReportError> unread_selection(const Snapshot& snapshot, const Selection& selection,
                                            const PreflightReport& report) {
    if (!snapshot.live) return std::nullopt;
    const bool by_node = !selection.node.empty() && !snapshot.vmis.complete;
    const bool empty = report.items.empty() && !(snapshot.vms.complete && snapshot.vmis.complete);
    if (!by_node && !empty) return std::nullopt;
    const auto& id = snapshot.vmis.complete ? snapshot.vms.gap : snapshot.vmis.gap;
    for (const auto& gap : snapshot.gaps) {
        if (gap.id == id) {
            const bool refused = gap.reason.find("forbidden") != std::string::npos;
            return ReportError{refused ? "forbidden" : "protocol",
                               "which VMs are meant could not be read: " + gap.reason,
                               "ask for the right to " + gap.verb + " " + gap.resource};
        }
    }
    return std::nullopt;
}

// Whether a whole list was asked for and only a part of it could be read.
bool is_partial(const Snapshot& snapshot, const Selection& selection) {
    const bool all_read = snapshot.vms.complete && snapshot.vmis.complete;
    return snapshot.live && selection.targets.empty() && !all_read;
}

int exit_code(const PreflightReport& report, const Terms& terms, bool partial) {
    if (report.error) return exit_error;
    if (report.summary.fail > 0 || report.summary.unknown > 0 || partial) return exit_blocked;
    if (terms.fail_on_warning && report.summary.warn > 0) return exit_warnings;
    return 0;
}

}  // namespace

PreflightReport judge(const Snapshot& snapshot, const Selection& selection, const Terms& terms) {
    PreflightReport report;
    report.taken_at = snapshot.taken_at;
    report.source = snapshot.source;
    const auto* kubevirt = kubevirt_of(snapshot);
    report.kubevirt_version = kubevirt == nullptr ? "" : kubevirt->observed_version;
    const auto rules = rules_for(report.kubevirt_version);
    report.rules = to_string(rules.set);
    report.rules_assumed = rules.assumed;
    report.rules_note = rules.note;
    std::vector<Pair> selected;
    for (const auto& pair : join_machines(snapshot)) {
        if (is_selected(pair, selection)) selected.push_back(pair);
    }
    GapList gaps(report.gaps);
    if (snapshot.live) {
        for (const auto& gap : snapshot.gaps) gaps.add(gap);
    }
    const auto belongings = belongings_of(snapshot);
    std::set<std::string> needed;
    for (const auto& pair : selected) {
        report.items.push_back(judge_pair(snapshot, belongings, rules, pair, terms, gaps));
        count(report.summary, report.items.back().verdict);
        for (const auto& result : report.items.back().checks) {
            needed.insert(result.finding.gaps.begin(), result.finding.gaps.end());
        }
    }
    // What a cluster refused to tell is always said; what files do not hold, only where it matters.
    for (const auto& gap : snapshot.gaps) {
        if (needed.contains(gap.id)) gaps.add(gap);
    }
    for (const auto& id : needed) gaps.add(unread_object(id));
    find_missing(snapshot, selected, selection, report);
    if (!report.error) report.error = unread_selection(snapshot, selection, report);
    if (is_partial(snapshot, selection) && !report.error) {
        report.notes.push_back("note: not all VMs and VMIs could be read, so some may be missing");
    }
    report.exit_code = exit_code(report, terms, is_partial(snapshot, selection));
    return report;
}

}  // namespace preflight
