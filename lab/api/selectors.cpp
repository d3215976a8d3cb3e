#include "lab/api/selectors.hpp"

#include <algorithm>
#include <cstdlib>
#include <nlohmann/json.hpp>
#include <utility>

#include "lab/api/names.hpp"

namespace lab {

using kubeclient::find;
using kubeclient::items_at;
using kubeclient::text_at;
using Operator = LabelRequirement::Operator;

namespace {

bool is_symbol(char c) {
    return std::string_view("=!(),<>").find(c) != std::string_view::npos;
}
bool is_space(char c) {
    return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

Refusal cannot_parse(const std::string& what) {
    return bad_request("unable to parse requirement: " + what);
}

Refusal found(const std::string& token, const std::string& expected) {
    return cannot_parse("found '" + token + "', expected: " + expected);
}

// One token after the other; "" at the end.
class Lexer {
public:
    explicit Lexer(std::string_view text) : rest_(text) { advance(); }

    const std::string& token() const { return token_; }
    std::string take() {
        std::string taken = std::move(token_);
        advance();
        return taken;
    }
    bool is_identifier() const { return !token_.empty() && !is_symbol(token_.front()); }

private:
    void advance() {
        while (!rest_.empty() && is_space(rest_.front())) rest_.remove_prefix(1);
        std::size_t end = 0;
        if (!rest_.empty() && is_symbol(rest_.front())) {
            const auto two = rest_.substr(0, 2);
            end = two == "==" || two == "!=" ? 2 : 1;
        } else {
            while (end < rest_.size() && !is_symbol(rest_[end]) && !is_space(rest_[end])) ++end;
        }
        token_ = std::string(rest_.substr(0, end));
        rest_.remove_prefix(end);
    }

    std::string_view rest_;
    std::string token_{};
};

std::optional<Operator> operator_of(const std::string& token) {
    if (token == "in" || token == "=" || token == "==") return Operator::in;
    if (token == "notin" || token == "!=") return Operator::not_in;
    if (token == ">") return Operator::greater;
    if (token == "<") return Operator::less;
    return std::nullopt;
}

Outcome<std::vector<std::string>> set_of_values(Lexer& lexer) {
    if (lexer.take() != "(") return found(lexer.token(), "'('");
    std::vector<std::string> values;
    while (lexer.token() != ")") {
        if (lexer.token() == ",") {
            values.emplace_back();
        } else if (lexer.is_identifier()) {
            values.push_back(lexer.take());
        } else {
            return found(lexer.token(), "',', ')' or identifier");
        }
        if (lexer.token() == ",") {
            lexer.take();
            if (lexer.token() == ")") values.emplace_back();
        }
    }
    lexer.take();
    if (values.empty()) values.emplace_back();
    return values;
}

Outcome<std::vector<std::string>> one_value(Lexer& lexer) {
    if (lexer.token().empty() || lexer.token() == ",") return std::vector<std::string>{""};
    if (!lexer.is_identifier()) return found(lexer.token(), "identifier");
    return std::vector<std::string>{lexer.take()};
}

std::optional<std::int64_t> whole_number(const std::string& text) {
    if (text.empty()) return std::nullopt;
    char* end = nullptr;
    const std::int64_t number = std::strtoll(text.c_str(), &end, 10);
    return *end == '\0' ? std::optional(number) : std::nullopt;
}

Verdict check(const LabelRequirement& requirement) {
    if (const auto problem = problem_of_qualified_name(requirement.key)) {
        return cannot_parse("<nil>: Invalid value: \"" + requirement.key + "\": " + *problem);
    }
    for (std::size_t i = 0; i < requirement.values.size(); ++i) {
        const std::string& value = requirement.values[i];
        const std::string where = "values[" + std::to_string(i) + "]";
        const bool number = requirement.op == Operator::greater || requirement.op == Operator::less;
        if (number && !whole_number(value)) {
            return cannot_parse(where + ": Invalid value: \"" + value +
                                "\": for 'Gt', 'Lt' operators, the value must be an integer");
        }
        if (const auto problem = problem_of_label_value(value)) {
            return cannot_parse(where + "[" + requirement.key + "]: Invalid value: \"" + value +
                                "\": " + *problem);
        }
    }
    return allowed();
}

Outcome<LabelRequirement> requirement_of(Lexer& lexer) {
    LabelRequirement requirement;
    if (lexer.token() == "!") {
        lexer.take();
        requirement.op = Operator::not_exists;
    }
    if (!lexer.is_identifier()) return found(lexer.token(), "identifier");
    requirement.key = lexer.take();
    const bool ends = lexer.token().empty() || lexer.token() == ",";
    if (!ends && requirement.op != Operator::not_exists) {
        const std::string word = lexer.token();
        const auto op = operator_of(word);
        if (!op) return found(word, "in, notin, =, ==, !=, gt, lt");
        lexer.take();
        requirement.op = *op;
        if (word == "in" || word == "notin") {
            TRY_ASSIGN(values, set_of_values(lexer));
            requirement.values = std::move(values);
        } else {
            TRY_ASSIGN(values, one_value(lexer));
            requirement.values = std::move(values);
        }
    }
    TRY(check(requirement));
    return requirement;
}

bool holds(const LabelRequirement& requirement, const Json* labels) {
    const auto value = labels ? text_at(*labels, {requirement.key}) : std::nullopt;
    const auto among = [&] {
        return std::find(requirement.values.begin(), requirement.values.end(), *value) !=
               requirement.values.end();
    };
    switch (requirement.op) {
        case Operator::in:
            return value && among();
        case Operator::not_in:
            return !value || !among();
        case Operator::exists:
            return value.has_value();
        case Operator::not_exists:
            return !value;
        case Operator::greater:
        case Operator::less:
            break;
    }
    const auto number = value ? whole_number(*value) : std::nullopt;
    const auto bound = whole_number(requirement.values.at(0));
    if (!number || !bound) return false;
    return requirement.op == Operator::greater ? *number > *bound : *number < *bound;
}

}  // namespace

Outcome<std::vector<LabelRequirement>> parse_label_selector(std::string_view text) {
    Lexer lexer(text);
    std::vector<LabelRequirement> requirements;
    while (!lexer.token().empty()) {
        if (!lexer.is_identifier() && lexer.token() != "!") {
            return bad_request("found '" + lexer.token() +
                               "', expected: !, identifier, or 'end of string'");
        }
        TRY_ASSIGN(requirement, requirement_of(lexer));
        requirements.push_back(std::move(requirement));
        if (lexer.token().empty()) break;
        if (lexer.token() != ",") {
            return bad_request("found '" + lexer.token() + "', expected: ',' or 'end of string'");
        }
        lexer.take();
        if (!lexer.is_identifier() && lexer.token() != "!") {
            return bad_request("found '" + lexer.token() + "', expected: identifier after ','");
        }
    }
    return requirements;
}

bool matches(const std::vector<LabelRequirement>& requirements, const Json& object) {
    const Json* labels = find(object, {"metadata", "labels"});
    return std::all_of(requirements.begin(), requirements.end(),
                       [&](const auto& requirement) { return holds(requirement, labels); });
}

std::vector<LabelRequirement> requirements_of(const Json& label_selector) {
    std::vector<LabelRequirement> requirements;
    if (const Json* labels = find(label_selector, "matchLabels")) {
        for (const auto& [key, value] : labels->items()) {
            requirements.push_back(
                {key, Operator::in, {value.is_string() ? value.get<std::string>() : ""}});
        }
    }
    for (const Json& expression : items_at(label_selector, {"matchExpressions"})) {
        const auto word = text_at(expression, {"operator"}).value_or("");
        LabelRequirement requirement;
        requirement.key = text_at(expression, {"key"}).value_or("");
        requirement.op = word == "NotIn"          ? Operator::not_in
                         : word == "Exists"       ? Operator::exists
                         : word == "DoesNotExist" ? Operator::not_exists
                                                  : Operator::in;
        for (const Json& value : items_at(expression, {"values"})) {
            if (value.is_string()) requirement.values.push_back(value.get<std::string>());
        }
        requirements.push_back(std::move(requirement));
    }
    return requirements;
}

}  // namespace lab
