#include "cli/tokens.hpp"

#include <algorithm>
#include <string_view>

#include "cli/words.hpp"
#include "commands/suggest.hpp"
#include "commands/text.hpp"

namespace cli {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;

class Reader {
public:
    Reader(std::span<const std::string> words, const CommandLine& line)
        : words_(words), line_(line) {}

    Tokens read() {
        while (next_ < words_.size()) {
            const std::string& word = words_[next_++];
            if (word == "--") {
                while (next_ < words_.size()) take_argument(words_[next_++]);
            } else if (word.starts_with("--")) {
                take_long(word);
            } else if (word.size() > 1 && word.front() == '-') {
                take_short(word);
            } else {
                take_argument(word);
            }
        }
        refuse_flags_of_other_verbs();
        return std::move(tokens_);
    }

private:
    void take_argument(const std::string& word) {
        if (tokens_.verb.empty() && tokens_.arguments.empty()) {
            tokens_.verb = word;
        } else {
            tokens_.arguments.push_back(word);
        }
    }

    void take_long(const std::string& word) {
        const auto equals = word.find('=');
        const std::string name = word.substr(2, equals == std::string::npos ? equals : equals - 2);
        if (name == "help") {
            tokens_.help = true;
            return;
        }
        const Flag* flag = find([&](const Flag& each) { return each.name == name; });
        if (flag == nullptr) return refuse_unknown("--" + name);
        const std::string typed = "--" + name;
        if (equals != std::string::npos) return take_value(*flag, typed, word.substr(equals + 1));
        if (flag->is_switch()) return take_value(*flag, typed, "true");
        if (!flag->alone.empty()) return take_value(*flag, typed, flag->alone);
        take_next_word(*flag, typed);
    }

    // One word may hold several letters, "-Aojson"; the first that takes a value takes the rest.
    void take_short(const std::string& word) {
        for (std::size_t i = 1; i < word.size(); ++i) {
            const char letter = word[i];
            if (letter == 'h') {
                tokens_.help = true;
                continue;
            }
            const Flag* flag = find([&](const Flag& each) { return each.letter == letter; });
            if (flag == nullptr) {
                return refuse("unknown shorthand flag: '" + commands::printable({&letter, 1}) +
                              "' in " + commands::printable(word));
            }
            const std::string typed{'-', letter};
            const std::string rest = word.substr(i + 1);
            if (rest.starts_with('=')) return take_value(*flag, typed, rest.substr(1));
            if (flag->is_switch()) {
                take_value(*flag, typed, "true");
                continue;
            }
            if (!rest.empty()) return take_value(*flag, typed, rest);
            return take_next_word(*flag, typed);
        }
    }

    void take_next_word(const Flag& flag, const std::string& typed) {
        if (next_ < words_.size()) return take_value(flag, typed, words_[next_++]);
        tokens_.open = &flag;
        refuse("flag needs an argument: " + typed);
    }

    void take_value(const Flag& flag, const std::string& typed, std::string value) {
        if (flag.is_switch()) {
            const auto on = truth(value);
            if (!on.has_value()) {
                return refuse("invalid argument " + commands::quoted(value) + " for " + typed +
                              ": must be true or false");
            }
            value = *on ? "true" : "false";
        }
        tokens_.flags.push_back({&flag, typed, std::move(value)});
    }

    // Before the verb is known a flag may be any verb's: whether it takes a value is the same for
    // all.
    template <class Match>
    const Flag* find(Match match) const {
        const auto in = [&](const std::vector<Flag>& flags) -> const Flag* {
            const auto found = std::find_if(flags.begin(), flags.end(), match);
            return found == flags.end() ? nullptr : &*found;
        };
        if (const Flag* flag = in(line_.global)) return flag;
        const Verb* verb = line_.find(tokens_.verb);
        if (verb != nullptr) return in(verb->flags);
        for (const auto& each : line_.verbs) {
            if (const Flag* flag = in(each.flags)) return flag;
        }
        return nullptr;
    }

    // A flag that stood before the verb and is not one of its own: "-l app=web version".
    void refuse_flags_of_other_verbs() {
        if (line_.find(tokens_.verb) == nullptr) return;
        for (auto& use : tokens_.flags) {
            const Flag* own = find([&](const Flag& each) { return each.name == use.flag->name; });
            if (own == nullptr) {
                refuse_unknown(use.as_typed);
            } else {
                use.flag = own;
            }
        }
    }

    void refuse_unknown(const std::string& typed) {
        std::vector<std::string> names;
        const auto add = [&](const std::vector<Flag>& flags) {
            for (const auto& flag : flags) names.push_back("--" + flag.name);
        };
        if (const Verb* verb = line_.find(tokens_.verb)) add(verb->flags);
        add(line_.global);
        const std::vector<std::string_view> views(names.begin(), names.end());
        const auto name = commands::nearest(typed, views);
        refuse("unknown flag: " + commands::printable(typed),
               name.has_value() ? "did you mean " + std::string(*name) + "?" : "");
    }

    void refuse(std::string message, std::string hint = "") {
        if (tokens_.problem.has_value()) return;
        tokens_.problem = Error{ErrorKind::usage, std::move(message), std::move(hint)};
    }

    std::span<const std::string> words_;
    const CommandLine& line_;
    std::size_t next_ = 0;
    Tokens tokens_;
};

}  // namespace

std::optional<std::string> Tokens::value_of(std::string_view flag) const {
    const auto last = std::find_if(flags.rbegin(), flags.rend(),
                                   [&](const FlagUse& use) { return use.flag->name == flag; });
    return last == flags.rend() ? std::nullopt : std::optional(last->value);
}

Tokens read_tokens(std::span<const std::string> words, const CommandLine& line) {
    return Reader(words, line).read();
}

}  // namespace cli
