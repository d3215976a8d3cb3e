#include "cli/complete.hpp"

#include <algorithm>
#include <vector>

#include "cli/completion_scripts.hpp"
#include "cli/tokens.hpp"
#include "commands/lab.hpp"
#include "commands/topics.hpp"
#include "preflight/check.hpp"

namespace cli {

namespace {

struct Candidate {
    std::string word{};
    std::string text{};
};

// What may follow, and whether the shell shall offer file names besides.
struct Answer {
    std::vector<Candidate> candidates{};
    bool files = false;
};

std::vector<Candidate> check_names() {
    std::vector<Candidate> result;
    for (const auto& check : preflight::all_checks()) {
        result.push_back({std::string(check.id), std::string(check.title)});
    }
    return result;
}

std::vector<Candidate> pages() {
    auto result = check_names();
    for (const auto& topic : commands::all_topics()) {
        result.push_back({std::string(topic.name), std::string(topic.title)});
    }
    return result;
}

std::vector<Candidate> scenario_names() {
    std::vector<Candidate> result;
    for (const auto& scenario : commands::lab_scenarios()) {
        result.push_back({std::string(scenario.name), std::string(scenario.summary)});
    }
    return result;
}

std::vector<Candidate> verb_names(const CommandLine& line) {
    std::vector<Candidate> result;
    for (const auto& verb : line.verbs) {
        result.push_back({std::string(verb.words->name), std::string(verb.words->summary)});
    }
    return result;
}

std::vector<Candidate> choices(std::string_view list, std::string_view separator) {
    std::vector<Candidate> result;
    while (true) {
        const auto end = list.find(separator);
        result.push_back({std::string(list.substr(0, end)), ""});
        if (end == std::string_view::npos) return result;
        list.remove_prefix(end + separator.size());
    }
}

// The kind of value stands in the flag's own words: "FILE", "CHECK…", "json|yaml".
Answer value_answer(const Flag& flag) {
    if (flag.value == "FILE" || flag.value == "PATH") return {{}, true};
    if (flag.value.starts_with("CHECK")) return {check_names(), false};
    if (flag.value.find('|') != std::string::npos) return {choices(flag.value, "|"), false};
    return {};
}

Answer flag_answer(const Verb* verb, const CommandLine& line) {
    Answer answer;
    const auto add = [&](const std::vector<Flag>& flags) {
        for (const auto& flag : flags) answer.candidates.push_back({"--" + flag.name, flag.text});
    };
    if (verb != nullptr) add(verb->flags);
    add(line.global);
    answer.candidates.push_back({"--help", "Help for the command."});
    return answer;
}

Answer argument_answer(const Verb& verb, const CommandLine& line) {
    const auto name = verb.words->name;
    if (name == "explain") return {pages(), false};
    if (name == "lab") return {scenario_names(), false};
    if (name == "completion") return {{{"bash", ""}, {"zsh", ""}, {"fish", ""}}, false};
    if (name == "help") return {verb_names(line), false};
    return {};
}

// "--output=js": the value of a flag in the same word; the word comes back whole.
Answer joined_answer(const std::string& word, std::size_t equals, const Verb* verb,
                     const CommandLine& line) {
    Answer answer;
    const std::string name = word.substr(2, equals - 2);
    const auto look = [&](const std::vector<Flag>& flags) {
        for (const auto& flag : flags) {
            if (flag.name == name) answer = value_answer(flag);
        }
    };
    look(line.global);
    if (verb != nullptr) look(verb->flags);
    for (auto& candidate : answer.candidates) {
        candidate.word.insert(0, word.substr(0, equals + 1));
    }
    return answer;
}

Answer answer_for(std::span<const std::string> before, const std::string& word,
                  const CommandLine& line) {
    const Tokens tokens = read_tokens(before, line);
    const Verb* verb = line.find(tokens.verb);
    if (tokens.open != nullptr) return value_answer(*tokens.open);
    const bool flags_ended = std::find(before.begin(), before.end(), "--") != before.end();
    if (word.starts_with('-') && !flags_ended) {
        const auto equals = word.find('=');
        if (word.starts_with("--") && equals != std::string::npos) {
            return joined_answer(word, equals, verb, line);
        }
        return flag_answer(verb, line);
    }
    if (tokens.verb.empty()) return {verb_names(line), false};
    return verb == nullptr || !tokens.arguments.empty() ? Answer{} : argument_answer(*verb, line);
}

}  // namespace

std::string complete(std::span<const std::string> words, const CommandLine& line) {
    const std::string word = words.empty() ? "" : words.back();
    const auto before = words.empty() ? words : words.first(words.size() - 1);
    const Answer answer = answer_for(before, word, line);
    std::string result;
    for (const auto& candidate : answer.candidates) {
        if (!candidate.word.starts_with(word)) continue;
        result += candidate.word;
        if (!candidate.text.empty()) result += "\t" + candidate.text;
        result += '\n';
    }
    return result + (answer.files ? ":0\n" : ":4\n");
}

std::string completion_script(std::string_view shell) {
    if (shell == "bash") return std::string(bash_completion);
    if (shell == "zsh") return std::string(zsh_completion);
    if (shell == "fish") return std::string(fish_completion);
    return "";
}

}  // namespace cli
