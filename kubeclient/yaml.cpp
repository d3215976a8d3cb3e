#include "kubeclient/yaml.hpp"

#include <yaml.h>

#include <algorithm>
#include <cmath>
#include <map>
#include <nlohmann/json.hpp>
#include <optional>
#include <set>

#include "kubeclient/base64.hpp"
#include "kubeclient/yaml_scalar.hpp"

namespace kubeclient {
namespace {

struct Event {
    yaml_event_t raw{};

    Event() = default;
    Event(const Event&) = delete;
    Event& operator=(const Event&) = delete;
    ~Event() { yaml_event_delete(&raw); }

    int line() const { return static_cast<int>(raw.start_mark.line) + 1; }
};

std::string text_of(const yaml_char_t* text) {
    return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
}

std::string scalar_text(const yaml_event_t& event) {
    return {reinterpret_cast<const char*>(event.data.scalar.value), event.data.scalar.length};
}

bool is_merge_key(const yaml_event_t& event) {
    return event.type == YAML_SCALAR_EVENT && event.data.scalar.plain_implicit != 0 &&
           event.data.scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar_text(event) == "<<";
}

// A value and what copying it costs: its nodes and the bytes of its scalars.
struct Composed {
    Json value{};
    std::size_t size = 1;
};

// Builds JSON from libyaml's events. The event interface, because the document interface forgets
// whether a scalar was tagged, and builds the whole graph before any limit can be checked.
class Composer {
public:
    Composer(std::string_view text, std::string_view name, const YamlLimits& limits,
             DuplicateKeys duplicates)
        : text_(text), name_(name), limits_(limits), duplicates_(duplicates) {
        // The only failure is a lack of memory.
        if (yaml_parser_initialize(&parser_) == 0) throw std::bad_alloc();
        yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(text.data()),
                                     text.size());
    }
    Composer(const Composer&) = delete;
    Composer& operator=(const Composer&) = delete;
    ~Composer() { yaml_parser_delete(&parser_); }

    Result<std::vector<YamlDocument>> documents();

private:
    Status next(Event& event);
    Result<Composed> node(const Event& event, std::size_t depth);
    Result<Composed> alias(const Event& event);
    Result<Composed> scalar(const Event& event);
    Result<Composed> sequence(const Event& event, std::size_t depth);
    Result<Composed> mapping(const Event& event, std::size_t depth);
    Status merge(Json& into, const Json& from, int line) const;
    Result<std::string> key_text(const Json& key, int line) const;
    Status charge_expansion(std::size_t size, int line);

    Error problem(int line, const std::string& what) const {
        return {ErrorKind::protocol, name_ + ":" + std::to_string(line) + ": " + what};
    }
    Error parser_problem() const;

    yaml_parser_t parser_{};
    std::string_view text_;
    std::string name_;
    YamlLimits limits_;
    DuplicateKeys duplicates_;
    std::size_t nodes_ = 0;
    std::size_t expanded_ = 0;
    std::map<std::string, Composed> anchors_{};
    std::set<std::string> open_anchors_{};  // being built: an alias to one is a cycle
};

Error Composer::parser_problem() const {
    const std::string what = parser_.problem == nullptr ? "cannot be read" : parser_.problem;
    if (parser_.error != YAML_READER_ERROR) {
        return problem(static_cast<int>(parser_.problem_mark.line) + 1, what);
    }
    const auto upto = text_.substr(0, std::min(parser_.problem_offset, text_.size()));
    return problem(static_cast<int>(std::count(upto.begin(), upto.end(), '\n')) + 1, what);
}

Status Composer::next(Event& event) {
    if (yaml_parser_parse(&parser_, &event.raw) == 0) return parser_problem();
    return Done{};
}

Status Composer::charge_expansion(std::size_t size, int line) {
    expanded_ += size;
    if (expanded_ <= limits_.expansion) return Done{};
    return problem(line, "anchors and aliases expand to more than " +
                             std::to_string(limits_.expansion) + " nodes and bytes");
}

Result<Composed> Composer::node(const Event& event, std::size_t depth) {
    const int line = event.line();
    if (++nodes_ > limits_.nodes) {
        return problem(line, "more than " + std::to_string(limits_.nodes) + " values");
    }
    if (depth > limits_.depth) {
        return problem(line, "nested deeper than " + std::to_string(limits_.depth) + " levels");
    }
    std::string anchor;
    switch (event.raw.type) {
        case YAML_ALIAS_EVENT:
            return alias(event);
        case YAML_SCALAR_EVENT:
            anchor = text_of(event.raw.data.scalar.anchor);
            break;
        case YAML_SEQUENCE_START_EVENT:
            anchor = text_of(event.raw.data.sequence_start.anchor);
            break;
        case YAML_MAPPING_START_EVENT:
            anchor = text_of(event.raw.data.mapping_start.anchor);
            break;
        default:
            return problem(line, "a value was expected");
    }
    if (!anchor.empty()) open_anchors_.insert(anchor);
    auto composed = event.raw.type == YAML_SCALAR_EVENT           ? scalar(event)
                    : event.raw.type == YAML_SEQUENCE_START_EVENT ? sequence(event, depth)
                                                                  : mapping(event, depth);
    if (composed.ok() && !anchor.empty()) {
        open_anchors_.erase(anchor);
        TRY(charge_expansion(composed->size, line));
        anchors_.insert_or_assign(anchor, *composed);
    }
    return composed;
}

Result<Composed> Composer::alias(const Event& event) {
    const auto name = text_of(event.raw.data.alias.anchor);
    if (open_anchors_.contains(name)) {
        return problem(event.line(), "anchor '" + name + "' contains itself");
    }
    const auto anchor = anchors_.find(name);
    if (anchor == anchors_.end()) {
        return problem(event.line(), "unknown anchor '" + name + "' referenced");
    }
    TRY(charge_expansion(anchor->second.size, event.line()));
    return anchor->second;
}

Result<Composed> Composer::scalar(const Event& event) {
    const auto& raw = event.raw.data.scalar;
    const auto tag = text_of(raw.tag);
    const auto text = scalar_text(event.raw);
    const std::string standard = "tag:yaml.org,2002:";
    Json value(text);
    // libyaml drops a bare "!" tag and calls the scalar implicit even where it is quoted.
    if (raw.plain_implicit != 0 && raw.style == YAML_PLAIN_SCALAR_STYLE) {
        value = resolve_plain_scalar(text);
    } else if (tag == standard + "binary") {
        auto bytes = decode_base64(text);
        if (!bytes) return problem(event.line(), "!!binary value: " + bytes.error().message);
        // JSON text is UTF-8: other bytes become U+FFFD, as in Go.
        value = Json::parse(to_line(Json(*bytes)));
    } else if (tag == standard + "int" || tag == standard + "float" || tag == standard + "bool" ||
               tag == standard + "null") {
        value = resolve_plain_scalar(text);
        const auto kind = tag.substr(standard.size());
        const bool fits = kind == "int"     ? value.is_number_integer()
                          : kind == "float" ? value.is_number()
                          : kind == "bool"  ? value.is_boolean()
                                            : value.is_null();
        if (!fits) return problem(event.line(), "a value tagged !!" + kind + " is none");
    }
    if (value.is_number_float() && !std::isfinite(value.get<double>())) {
        return problem(event.line(), "unsupported value: " + text);
    }
    return Composed{std::move(value), 1 + text.size()};
}

Result<Composed> Composer::sequence(const Event&, std::size_t depth) {
    Composed composed{Json::array(), 1};
    while (true) {
        Event event;
        TRY(next(event));
        if (event.raw.type == YAML_SEQUENCE_END_EVENT) return composed;
        TRY_ASSIGN(element, node(event, depth + 1));
        composed.size += element.size;
        composed.value.push_back(std::move(element.value));
    }
}

Result<Composed> Composer::mapping(const Event&, std::size_t depth) {
    Composed composed{Json::object(), 1};
    std::set<std::string> seen;
    while (true) {
        Event key_event;
        TRY(next(key_event));
        if (key_event.raw.type == YAML_MAPPING_END_EVENT) return composed;
        const int line = key_event.line();
        const bool merging = is_merge_key(key_event.raw);
        TRY_ASSIGN(key, node(key_event, depth + 1));
        Event value_event;
        TRY(next(value_event));
        TRY_ASSIGN(value, node(value_event, depth + 1));
        composed.size += key.size + value.size;
        if (merging) {
            TRY(merge(composed.value, value.value, line));
            continue;
        }
        TRY_ASSIGN(name, key_text(key.value, line));
        if (duplicates_ == DuplicateKeys::refuse && !seen.insert(name).second) {
            return problem(line, "key \"" + name + "\" appears twice in one mapping");
        }
        composed.value[name] = std::move(value.value);
    }
}

// As in go-yaml v2, which kubectl uses: what is merged replaces what stands above it, and of
// several merged mappings the first one wins.
Status Composer::merge(Json& into, const Json& from, int line) const {
    const auto wrong = problem(line, "a merge needs a mapping, or a list of mappings");
    if (from.is_object()) {
        for (const auto& [key, value] : from.items()) into[key] = value;
        return Done{};
    }
    if (!from.is_array()) return wrong;
    for (auto part = from.rbegin(); part != from.rend(); ++part) {
        if (!part->is_object()) return wrong;
        TRY(merge(into, *part, line));
    }
    return Done{};
}

Result<std::string> Composer::key_text(const Json& key, int line) const {
    if (key.is_string()) return key.get<std::string>();
    if (key.is_boolean() || key.is_number()) return key.dump();
    return problem(
        line, std::string("a key cannot be ") + (key.is_null() ? "null" : "a list or a mapping"));
}

Result<std::vector<YamlDocument>> Composer::documents() {
    std::vector<YamlDocument> documents;
    while (true) {
        Event event;
        TRY(next(event));
        if (event.raw.type == YAML_STREAM_END_EVENT) return documents;
        if (event.raw.type != YAML_DOCUMENT_START_EVENT) continue;
        anchors_.clear();
        open_anchors_.clear();
        Event root;
        TRY(next(root));
        TRY_ASSIGN(composed, node(root, 1));
        documents.push_back({std::make_shared<const Json>(std::move(composed.value)), root.line()});
    }
}

// Walks over JSON text and stops at the first thing that the limits forbid.
class JsonCheck : public nlohmann::json_sax<Json> {
public:
    JsonCheck(const YamlLimits& limits, DuplicateKeys duplicates)
        : limits_(limits), duplicates_(duplicates) {}

    bool null() override { return count(); }
    bool boolean(bool) override { return count(); }
    bool number_integer(number_integer_t) override { return count(); }
    bool number_unsigned(number_unsigned_t) override { return count(); }
    bool number_float(number_float_t, const string_t&) override { return count(); }
    bool string(string_t&) override { return count(); }
    bool binary(binary_t&) override { return false; }
    bool start_object(std::size_t) override { return enter(); }
    bool start_array(std::size_t) override { return enter(); }
    bool end_object() override { return leave(); }
    bool end_array() override { return leave(); }
    bool key(string_t& name) override {
        return count() &&
               (duplicates_ == DuplicateKeys::last_wins || keys_.back().insert(name).second);
    }
    bool parse_error(std::size_t, const std::string&, const Json::exception&) override {
        return false;
    }

private:
    bool count() { return ++nodes_ <= limits_.nodes && keys_.size() < limits_.depth; }
    bool enter() {
        const bool within = count();
        keys_.emplace_back();
        return within;
    }
    bool leave() {
        keys_.pop_back();
        return true;
    }

    const YamlLimits limits_;
    const DuplicateKeys duplicates_;
    std::size_t nodes_ = 0;
    std::vector<std::set<std::string>> keys_{};  // of each mapping or list that is open
};

// JSON text, read by the JSON parser: faster, and it knows the surrogate pairs that libyaml
// refuses. nullopt where the text is no such JSON, or is forbidden; the YAML reader then finds
// out, with the line.
std::optional<Json> parse_as_json(std::string_view text, const YamlLimits& limits,
                                  DuplicateKeys duplicates) {
    JsonCheck check(limits, duplicates);
    if (!Json::sax_parse(text, &check)) return std::nullopt;
    Json value = Json::parse(text, nullptr, false);
    if (value.is_discarded()) return std::nullopt;
    return value;
}

}  // namespace

Result<std::vector<YamlDocument>> parse_yaml(std::string_view text, std::string_view name,
                                             const YamlLimits& limits, DuplicateKeys duplicates) {
    if (text.size() > limits.bytes) {
        return Error{ErrorKind::protocol, std::string(name) + ": larger than " +
                                              std::to_string(limits.bytes) + " bytes"};
    }
    const auto start = text.find_first_not_of(" \t\r\n");
    if (start != std::string_view::npos && (text[start] == '{' || text[start] == '[')) {
        if (auto json = parse_as_json(text, limits, duplicates)) {
            const auto lines =
                std::count(text.begin(), text.begin() + static_cast<long>(start), '\n');
            return std::vector<YamlDocument>{
                {std::make_shared<const Json>(*std::move(json)), static_cast<int>(lines) + 1}};
        }
    }
    return Composer(text, name, limits, duplicates).documents();
}

}  // namespace kubeclient
