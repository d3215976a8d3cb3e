#include "commands/render_preflight_table.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "commands/text.hpp"

namespace commands {
namespace {

using preflight::CheckResult;
using preflight::Item;
using preflight::PreflightReport;
using preflight::ReportGap;
using preflight::Severity;
using preflight::Verdict;

constexpr int kLeastWidth = 40;

Tone tone_of(Verdict verdict) {
    switch (verdict) {
        case Verdict::pass:
            return Tone::good;
        case Verdict::warn:
        case Verdict::unknown:
            return Tone::caution;
        case Verdict::fail:
            return Tone::bad;
        case Verdict::skipped:
        case Verdict::waived:
            return Tone::faint;
    }
    return Tone::plain;
}

// ASCII marks have one width, so that what follows them lines up.
std::string_view mark_of(Verdict verdict, bool unicode) {
    switch (verdict) {
        case Verdict::pass:
            return unicode ? "✓" : "[ok]  ";
        case Verdict::warn:
            return unicode ? "!" : "[warn]";
        case Verdict::fail:
            return unicode ? "✗" : "[FAIL]";
        case Verdict::unknown:
            return unicode ? "?" : "[?]   ";
        case Verdict::waived:
            return unicode ? "~" : "[~]   ";
        case Verdict::skipped:
            return unicode ? "-" : "[-]   ";
    }
    return {};
}

// Worst first. What could not be decided counts as what it might be.
int rank_of(const CheckResult& result) {
    switch (result.finding.verdict) {
        case Verdict::fail:
            return 0;
        case Verdict::unknown:
            return result.check->severity == Severity::blocking ? 1 : 3;
        case Verdict::warn:
            return 2;
        case Verdict::waived:
            return 4;
        case Verdict::pass:
            return 5;
        case Verdict::skipped:
            return 6;
    }
    return 6;
}

bool is_problem(const CheckResult& result) {
    const auto verdict = result.finding.verdict;
    return verdict != Verdict::pass && verdict != Verdict::skipped;
}

std::vector<const CheckResult*> problems_of(const Item& item) {
    std::vector<const CheckResult*> problems;
    for (const auto& result : item.checks) {
        if (is_problem(result)) problems.push_back(&result);
    }
    std::ranges::stable_sort(problems, {}, [](const CheckResult* one) { return rank_of(*one); });
    return problems;
}

std::string upper(std::string_view word) {
    std::string out(word);
    for (char& c : out) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return out;
}

std::string joined(const std::vector<std::string>& parts, std::string_view separator) {
    std::string out;
    for (const auto& part : parts) {
        if (!out.empty()) out += separator;
        out += part;
    }
    return out;
}

// "3 blockers, 1 warning, 27 passed"
std::string counts_of(const Item& item) {
    struct Words {
        Verdict verdict;
        std::string_view one;
        std::string_view several;
    };
    constexpr auto words = std::to_array<Words>({{Verdict::fail, "blocker", "blockers"},
                                                 {Verdict::unknown, "unknown", "unknown"},
                                                 {Verdict::warn, "warning", "warnings"},
                                                 {Verdict::waived, "waived", "waived"},
                                                 {Verdict::pass, "passed", "passed"},
                                                 {Verdict::skipped, "skipped", "skipped"}});
    std::vector<std::string> parts;
    for (const auto& [verdict, one, several] : words) {
        const auto number = std::ranges::count(
            item.checks, verdict, [](const CheckResult& result) { return result.finding.verdict; });
        if (number == 0) continue;
        parts.push_back(std::to_string(number) + ' ' + std::string(number == 1 ? one : several));
    }
    return parts.empty() ? "no checks" : joined(parts, ", ");
}

std::string rules_of(const PreflightReport& report) {
    auto version = printable(report.kubevirt_version);
    if (version.starts_with('v')) version.erase(0, 1);
    const auto rules = "rules " + printable(report.rules);
    if (version.empty()) return "KubeVirt version unknown: " + rules + ", the newest, assumed";
    return "KubeVirt " + version + ", " + rules + (report.rules_assumed ? ", assumed" : "");
}

std::string method_of(const Item& item) {
    const auto& computed = item.recomputed.migration_method;
    const auto& method = computed.empty() ? item.reported.migration_method : computed;
    return method.empty() ? "" : "method " + printable(method);
}

std::string full_name(const Item& item) {
    return item.ns.empty() ? printable(item.name) : printable(item.ns) + '/' + printable(item.name);
}

bool is_lone_instance(const Item& item) {
    return item.kind == "VirtualMachineInstance";
}

bool is_about_the_item(const preflight::Subject& subject, const Item& item) {
    const bool is_vm = subject.kind == "VirtualMachine" || subject.kind == "VirtualMachineInstance";
    return subject.name.empty() || (is_vm && subject.name == item.name && subject.ns == item.ns);
}

std::string describe(const preflight::Subject& subject, const Item& item) {
    auto text = printable(subject.kind) + '/' + printable(subject.name);
    const bool is_elsewhere = !subject.ns.empty() && subject.ns != item.ns;
    return is_elsewhere ? text + " in namespace " + printable(subject.ns) : text;
}

// "list nodes"
std::string describe(const ReportGap& gap) {
    return printable(gap.verb) + ' ' + printable(gap.resource);
}

std::string describe(std::string_view status, std::string_view reason, std::string_view message) {
    auto text = printable(status.empty() ? "no status" : status);
    if (!reason.empty()) text += ", " + printable(reason);
    if (!message.empty()) text += ": " + printable(message);
    return text;
}

// Writes one report; every function appends whole lines.
class Page {
public:
    Page(const PreflightReport& report, const TableStyle& style)
        : report_(report),
          style_(style),
          width_(std::max(style.width, kLeastWidth)),
          brush_(style.colour) {
        for (const auto& gap : report.gaps) gaps_.emplace(gap.id, &gap);
    }

    std::string text() && { return std::move(out_); }

    void one_vm(const Item& item) {
        headline(item);
        std::vector<std::string> parts{rules_of(report_)};
        if (const auto method = method_of(item); !method.empty()) parts.push_back(method);
        if (is_lone_instance(item)) parts.emplace_back("an instance without a VirtualMachine");
        parts.push_back(printable(report_.source));
        paragraph("", joined(parts, "; "));
        findings(item);
    }

    void many_vms() {
        rows();
        for (const auto& item : report_.items) {
            if (item.verdict == Verdict::pass && item.agrees != false) continue;
            out_ += '\n';
            headline(item);
            if (const auto method = method_of(item); !method.empty()) paragraph("", method);
            findings(item);
        }
    }

    void totals() {
        const auto& sum = report_.summary;
        std::vector<std::string> parts;
        for (const auto& [number, verdict] :
             {std::pair{sum.pass, Verdict::pass}, std::pair{sum.warn, Verdict::warn},
              std::pair{sum.fail, Verdict::fail}, std::pair{sum.unknown, Verdict::unknown}}) {
            if (number == 0) continue;
            parts.push_back(std::to_string(number) + ' ' +
                            std::string(preflight::to_string(verdict)));
        }
        out_ += '\n';
        paragraph("", counted(sum.total, "VM") + ": " + joined(parts, ", ") + "; " +
                          rules_of(report_) + "; " + printable(report_.source));
    }

    void gaps();
    void next();

private:
    void paragraph(std::string_view prefix, std::string_view text) {
        out_ += hang(prefix, text, width_);
    }

    void field(std::string_view label, std::string_view text) {
        constexpr std::size_t label_width = 8;
        if (text.empty()) return;
        auto prefix = "    " + std::string(label);
        prefix.append(label_width - label.size(), ' ');
        paragraph(prefix, text);
    }

    std::string mark(Verdict verdict) const {
        return brush_(tone_of(verdict), mark_of(verdict, style_.unicode)) + ' ';
    }

    void headline(const Item& item);
    void findings(const Item& item);
    void undecided(const std::vector<const CheckResult*>& open, const Item& item);
    void finding(const CheckResult& result, const Item& item);
    void fix(const preflight::Fix& fix);
    void disagreement(const Item& item);
    void rows();
    std::string worst_of(const Item& item) const;
    void rights();
    std::string unread(const CheckResult& result) const;

    const PreflightReport& report_;
    const TableStyle& style_;
    int width_;
    Brush brush_;
    std::unordered_map<std::string_view, const ReportGap*> gaps_{};
    std::string out_{};
};

void Page::headline(const Item& item) {
    const auto verdict = upper(preflight::to_string(item.verdict));
    const auto node = item.node.empty() ? "not running" : printable(item.node);
    const auto prefix =
        full_name(item) + "  " + brush_(tone_of(item.verdict), verdict) + "  " + node + "  ";
    const auto counts = counts_of(item);
    if (display_width(prefix) + display_width(counts) <= width_) {
        paragraph(prefix, counts);
    } else {
        paragraph(prefix, "");
        paragraph("  ", counts);
    }
}

void Page::findings(const Item& item) {
    std::vector<const CheckResult*> open;  // those next to each other are told together
    for (const auto* problem : problems_of(item)) {
        if (problem->finding.verdict == Verdict::unknown && !style_.wide) {
            open.push_back(problem);
            continue;
        }
        undecided(std::exchange(open, {}), item);
        finding(*problem, item);
    }
    undecided(open, item);
    if (item.agrees == false) disagreement(item);
    if (!style_.wide) return;
    bool is_first = true;
    for (const auto& result : item.checks) {
        if (result.finding.verdict != Verdict::pass) continue;
        if (std::exchange(is_first, false)) out_ += '\n';
        const auto seen = printable(result.finding.seen);
        paragraph(mark(Verdict::pass) + std::string(result.check->id) + "  ",
                  std::string(result.check->title) + (seen.empty() ? "" : ": " + seen));
    }
}

// What could not be read explains them all, so each is one line; -o wide tells them in full.
void Page::undecided(const std::vector<const CheckResult*>& open, const Item& item) {
    if (open.empty()) return;
    out_ += '\n';
    paragraph(mark(Verdict::unknown), "Not decided, because facts are missing:");
    for (const auto* result : open) {
        auto text = std::string(result->check->title);
        const auto& subject = result->finding.subject;
        if (!is_about_the_item(subject, item)) text += ", " + describe(subject, item);
        const auto missing = unread(*result);
        if (!missing.empty()) text += " (" + missing + ')';
        paragraph("    " + brush_(Tone::strong, result->check->id) + "  ", text);
    }
}

void Page::finding(const CheckResult& result, const Item& item) {
    const auto& found = result.finding;
    const bool is_waived = found.verdict == Verdict::waived;
    out_ += '\n';
    paragraph(mark(found.verdict) + brush_(Tone::strong, result.check->id) + "  ",
              std::string(result.check->title) + (is_waived ? ", waived" : ""));
    if (!is_about_the_item(found.subject, item)) field("object", describe(found.subject, item));
    field("seen", printable(found.seen));
    field("needed", printable(found.needed));
    field("unread", unread(result));
    if (is_waived) return;
    field("why", printable(found.why));
    fix(found.fix);
}

// Commands are never wrapped: they are there to be copied.
void Page::fix(const preflight::Fix& fix) {
    field("fix", printable(fix.text));
    std::string_view label = "    run     ";
    for (const auto& command : fix.commands) {
        out_ += label;
        out_ += printable(command, Breaks::shown) + '\n';
        label = "            ";
    }
}

std::string Page::unread(const CheckResult& result) const {
    std::vector<std::string> parts;
    for (const auto& id : result.finding.gaps) {
        const auto gap = gaps_.find(id);
        parts.push_back(gap == gaps_.end() ? printable(id) : describe(*gap->second));
    }
    return joined(parts, ", ");
}

void Page::disagreement(const Item& item) {
    out_ += '\n';
    paragraph(mark(Verdict::warn), "KubeVirt's own answer differs from these rules");
    const auto condition = [&](std::string_view name, const auto& reported, const auto& computed) {
        const bool is_same = reported && reported->status == computed.status &&
                             reported->reason == computed.reason &&
                             reported->message == computed.message;
        if (!reported || is_same) return;
        const auto& since = reported->last_transition_time;
        auto says = describe(reported->status, reported->reason, reported->message);
        if (!since.empty()) says += " (since " + printable(since) + ')';
        paragraph("    ", name);
        field("says", says);
        field("rules", describe(computed.status, computed.reason, computed.message));
    };
    const auto& [live, storage, method] = item.reported;
    condition("LiveMigratable", live, item.recomputed.live_migratable);
    condition("StorageLiveMigratable", storage, item.recomputed.storage_live_migratable);
    const auto& computed_method = item.recomputed.migration_method;
    if (!method.empty() && !computed_method.empty() && method != computed_method) {
        paragraph("    ", "migrationMethod");
        field("says", printable(method));
        field("rules", printable(computed_method));
    }
    for (const auto& sentence : item.differs) field("note", printable(sentence));
}

std::string Page::worst_of(const Item& item) const {
    const auto problems = problems_of(item);
    std::vector<std::string> parts;
    for (const auto* problem : problems) {
        auto text = std::string(problem->check->id) + ' ' + std::string(problem->check->slug);
        if (problem->finding.verdict == Verdict::waived) text += " (waived)";
        parts.push_back(std::move(text));
        if (!style_.wide) break;
    }
    if (parts.size() < problems.size()) {
        parts.push_back(std::to_string(problems.size() - parts.size()) + " more");
    }
    return joined(parts, ", ");
}

void Page::rows() {
    std::vector<std::vector<std::string>> rows;
    if (!style_.no_headers) rows.push_back({"NAMESPACE", "NAME", "VERDICT", "NODE", "FINDING"});
    for (const auto& item : report_.items) {
        rows.push_back({printable(item.ns),
                        (is_lone_instance(item) ? "vmi/" : "") + printable(item.name),
                        brush_(tone_of(item.verdict), preflight::to_string(item.verdict)),
                        item.node.empty() ? "<none>" : printable(item.node), worst_of(item)});
    }
    out_ += columns(rows, style_.wide ? 0 : width_);
}

// Thousands of objects may be missing for one reason, so each verb and resource is one line.
void Page::gaps() {
    if (report_.gaps.empty()) return;
    std::vector<std::pair<std::string, const ReportGap*>> firsts;
    std::unordered_map<std::string, int> number;
    for (const auto& gap : report_.gaps) {
        auto name = describe(gap);
        if (++number[name] == 1) firsts.emplace_back(std::move(name), &gap);
    }
    out_ += '\n';
    paragraph("", "Could not be read:");
    for (const auto& [name, gap] : firsts) {
        const int others = number[name] - 1;
        auto text = name + ": " + printable(gap->reason);
        if (others > 0) text += " (and " + std::to_string(others) + " more like it)";
        paragraph("  ", text);
    }
    rights();
}

// The rules that a ClusterRole would need, ready to paste.
void Page::rights() {
    std::map<std::pair<std::string, std::string>, std::vector<std::string>> verbs;
    for (const auto& gap : report_.gaps) {
        // The API server's own word in a reply with status 403.
        if (gap.reason.find("forbidden") == std::string::npos) continue;
        const auto resource = printable(gap.resource);
        const auto dot = std::min(resource.find('.'), resource.size());
        const auto group = dot == resource.size() ? "" : resource.substr(dot + 1);
        auto& asked = verbs[{group, resource.substr(0, dot)}];
        const auto verb = '"' + printable(gap.verb) + '"';
        if (std::ranges::find(asked, verb) == asked.end()) asked.push_back(verb);
    }
    if (verbs.empty()) return;
    paragraph("", "Rules of a ClusterRole that would let them be read:");
    for (const auto& [resource, asked] : verbs) {
        out_ += "  - apiGroups: [\"" + resource.first + "\"]\n";
        out_ += "    resources: [\"" + resource.second + "\"]\n";
        out_ += "    verbs: [" + joined(asked, ", ") + "]\n";
    }
}

// The worst VM decides, the first of its kind; warnings count where they made the exit code.
void Page::next() {
    const Item* worst = nullptr;
    for (const auto verdict : {Verdict::warn, Verdict::unknown, Verdict::fail}) {
        if (verdict == Verdict::warn && report_.exit_code == 0) continue;
        const auto found = std::ranges::find(report_.items, verdict, &Item::verdict);
        if (found != report_.items.end()) worst = &*found;
    }
    if (worst == nullptr) return;
    auto command = printable(style_.program) + " explain";
    const auto problems = problems_of(*worst);
    if (!problems.empty()) {
        const auto& first = *problems.front();
        const auto& commands = first.finding.fix.commands;
        command = commands.empty() ? command + ' ' + std::string(first.check->id)
                                   : printable(commands.front(), Breaks::shown);
    }
    out_ += "\nNext: " + command + '\n';
}

}  // namespace

std::string render_preflight_table(const PreflightReport& report, const TableStyle& style) {
    if (report.items.empty()) return {};
    Page page(report, style);
    if (report.items.size() == 1) {
        page.one_vm(report.items.front());
    } else {
        page.many_vms();
    }
    page.gaps();
    if (report.items.size() > 1) page.totals();
    page.next();
    return std::move(page).text();
}

std::string render_preflight_names(const PreflightReport& report) {
    std::string out;
    for (const auto& item : report.items) {
        out += is_lone_instance(item) ? "virtualmachineinstance" : "virtualmachine";
        out += ".kubevirt.io/" + printable(item.name) + '\n';
    }
    return out;
}

}  // namespace commands
