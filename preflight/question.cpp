#include "preflight/question.hpp"

namespace preflight {

Subject Question::machine() const {
    const bool instance = judged.running();
    return {instance ? "VirtualMachineInstance" : "VirtualMachine", judged.meta.ns,
            instance ? judged.vmi->meta.name : judged.meta.name};
}

std::optional<std::chrono::sys_seconds> Question::now() const {
    return snapshot.live ? std::optional(snapshot.taken_at) : std::nullopt;
}

Subject claim_subject(const Question& question, const std::string& claim) {
    return {"PersistentVolumeClaim", question.ns(), claim};
}

std::optional<Finding> unless_running(const Question& question, const std::string& needed) {
    switch (question.judged.life) {
        case Life::running:
            return std::nullopt;
        case Life::stopped:
            return skipped(question.machine(), "does not run");
        case Life::unread:
            break;
    }
    return unknown(question.machine(), needed, {question.judged.life_gap});
}

Finding passed(Subject subject, std::string seen) {
    return {Verdict::pass, std::move(subject), std::move(seen), {}, {}, {}, {}};
}

Finding skipped(Subject subject, std::string why) {
    return {Verdict::skipped, std::move(subject), {}, {}, std::move(why), {}, {}};
}

Finding unknown(Subject subject, std::string needed, std::vector<std::string> gaps) {
    return {Verdict::unknown,
            std::move(subject),
            "could not be read",
            std::move(needed),
            "a fact that decides this is missing",
            {},
            std::move(gaps)};
}

Finding failed(Subject subject, std::string seen, std::string needed, std::string why, Fix fix) {
    return {Verdict::fail,
            std::move(subject),
            std::move(seen),
            std::move(needed),
            std::move(why),
            std::move(fix),
            {}};
}

Finding warned(Subject subject, std::string seen, std::string needed, std::string why, Fix fix) {
    return {Verdict::warn,
            std::move(subject),
            std::move(seen),
            std::move(needed),
            std::move(why),
            std::move(fix),
            {}};
}

std::vector<Finding> from_rule(const Question& question, Rule rule, const RuleText& text) {
    const auto found = question.migratability.outcomes.find(rule);
    if (found == question.migratability.outcomes.end()) {
        return {skipped(question.machine(),
                        "no rule of KubeVirt " + std::string(to_string(question.rules.set)))};
    }
    const auto& outcome = found->second;
    std::vector<Finding> findings;
    for (const auto& obstacle : outcome.obstacles) {
        findings.push_back(
            failed(question.machine(), obstacle.message, text.needed, text.why, text.fix));
    }
    if (!outcome.gaps.empty()) {
        findings.push_back(unknown(question.machine(), text.needed, outcome.gaps));
    }
    if (findings.empty()) findings.push_back(passed(question.machine(), text.clear));
    return findings;
}

std::string join(const std::vector<std::string>& words, std::string_view separator) {
    std::string text;
    for (const auto& word : words) {
        if (!text.empty()) text += separator;
        text += word;
    }
    return text;
}

std::string count_of(std::size_t count, std::string_view noun) {
    return std::to_string(count) + " " + std::string(noun) + (count == 1 ? "" : "s");
}

}  // namespace preflight
