// Bytes as a file for --from, read strictly and as one of a folder, and judged. Whatever they hold,
// the report is complete: every check is said for every VM, and the verdict follows from them.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <set>
#include <string>

#include "preflight/judge.hpp"
#include "preflight/load.hpp"

namespace {

using namespace preflight;

void require(bool holds, const char* what) {
    if (holds) return;
    std::fprintf(stderr, "%s\n", what);
    std::abort();
}

void check_item(const Item& item, const std::set<std::string>& gaps) {
    require(!item.name.empty(), "an item without a name");
    require(item.verdict != Verdict::skipped && item.verdict != Verdict::waived,
            "a verdict that no VM can have");
    std::set<const Check*> said;
    bool failed = false;
    for (const auto& [check, finding] : item.checks) {
        said.insert(check);
        failed = failed || finding.verdict == Verdict::fail;
        require((finding.verdict == Verdict::unknown) == !finding.gaps.empty(),
                "unknown without a gap, or a gap without unknown");
        for (const auto& gap : finding.gaps) require(gaps.contains(gap), "a gap nobody tells of");
    }
    require(said.size() == all_checks().size(), "a check that says nothing");
    require(failed == (item.verdict == Verdict::fail), "the verdict does not follow");
    const auto& answer = item.recomputed;
    require((answer.live_migratable.status == "False") == !answer.reasons.empty(),
            "False without a reason, or a reason without False");
}

void check_report(const facts::Snapshot& snapshot) {
    const auto report = judge(snapshot, {}, {});
    std::set<std::string> gaps;
    for (const auto& gap : report.gaps) require(gaps.insert(gap.id).second, "a gap twice");
    for (const auto& item : report.items) check_item(item, gaps);
    const auto& sum = report.summary;
    require(sum.total == sum.pass + sum.warn + sum.fail + sum.unknown, "the summary is not a sum");
    require(static_cast<std::size_t>(sum.total) == report.items.size(), "a VM was not counted");
    const bool partial = snapshot.live && !(snapshot.vms.complete && snapshot.vmis.complete);
    const bool blocked = !report.error && (sum.fail + sum.unknown > 0 || partial);
    require((report.exit_code == 3) == blocked, "the exit code does not fit");
}

void load(const std::string& text, const char* name, Loader::Strict strict) {
    Loader loader;
    const auto added = loader.add(name, text, strict);
    if (!added.ok()) {
        require(added.error().message.starts_with(name), "an error that does not name the file");
        return;
    }
    auto snapshot = loader.finish("input");
    check_report(snapshot);
    // The same facts, as if they had just been read from a cluster that holds nothing else.
    snapshot.live = true;
    check_report(snapshot);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(data, data + size);
    load(text, "input.yaml", Loader::Strict::yes);
    load(text, "input.json", Loader::Strict::no);
    return 0;
}
