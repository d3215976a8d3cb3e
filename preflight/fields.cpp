#include "preflight/fields.hpp"

#include <limits>
#include <nlohmann/json.hpp>

#include "kubeclient/quantity.hpp"
#include "kubeclient/time.hpp"

namespace preflight {

using kubeclient::Json;

namespace {

const Json& nothing() {
    static const Json none;
    return none;
}

}  // namespace

Fields::Fields(const Json& object, std::string path, std::string& problem)
    : object_(&object), path_(std::move(path)), problem_(&problem) {}

std::string Fields::path_of(std::string_view key) const {
    return path_.empty() ? std::string(key) : path_ + "." + std::string(key);
}

void Fields::expected(std::string_view key, std::string_view what) const {
    if (problem_->empty()) *problem_ = path_of(key) + ": expected " + std::string(what);
}

const Json* Fields::member(std::string_view key) const {
    return kubeclient::find(*object_, key);
}

const Json* Fields::array(std::string_view key) const {
    const Json* value = member(key);
    if (value == nullptr || value->is_array()) return value;
    expected(key, "a list");
    return nullptr;
}

bool Fields::has(std::string_view key) const {
    return member(key) != nullptr;
}

std::optional<std::string> Fields::maybe_text(std::string_view key) const {
    const Json* value = member(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_string()) {
        expected(key, "text");
        return std::nullopt;
    }
    return value->get<std::string>();
}

std::string Fields::text(std::string_view key) const {
    return maybe_text(key).value_or("");
}

std::optional<bool> Fields::maybe_flag(std::string_view key) const {
    const Json* value = member(key);
    if (value == nullptr) return std::nullopt;
    if (!value->is_boolean()) {
        expected(key, "true or false");
        return std::nullopt;
    }
    return value->get<bool>();
}

bool Fields::flag(std::string_view key) const {
    return maybe_flag(key).value_or(false);
}

std::optional<std::chrono::sys_seconds> Fields::maybe_time(std::string_view key) const {
    const auto written = maybe_text(key);
    if (!written) return std::nullopt;
    const auto time = kubeclient::parse_time(*written);
    if (time.ok()) return std::chrono::floor<std::chrono::seconds>(*time);
    expected(key, "a time");
    return std::nullopt;
}

std::optional<std::int64_t> Fields::maybe_integer(std::string_view key) const {
    if (!has(key)) return std::nullopt;
    const auto value = kubeclient::integer_at(*object_, {key});
    if (!value) expected(key, "a whole number");
    return value;
}

// Quantities are text, but a bare number is one, too.
std::optional<std::string> Fields::quantity(std::string_view key) const {
    const Json* value = member(key);
    if (value == nullptr) return std::nullopt;
    if (value->is_string()) return value->get<std::string>();
    if (value->is_number()) return kubeclient::to_line(*value);
    expected(key, "a quantity");
    return std::nullopt;
}

std::optional<std::int64_t> Fields::maybe_bytes(std::string_view key) const {
    const auto text = quantity(key);
    if (!text) return std::nullopt;
    const auto bytes = kubeclient::parse_bytes(*text);
    if (bytes.ok()) return *bytes;
    expected(key, "a quantity");
    return std::nullopt;
}

std::optional<std::int64_t> Fields::maybe_milli(std::string_view key) const {
    const auto text = quantity(key);
    if (!text) return std::nullopt;
    const auto milli = kubeclient::parse_milli(*text);
    if (milli.ok()) return *milli;
    // "20Pi" is sound, but has more thousandths than fit. They are compared only, so the largest
    // number does for it.
    using Limits = std::numeric_limits<std::int64_t>;
    const auto whole = kubeclient::parse_bytes(*text);
    if (whole.ok()) return *whole > 0 ? Limits::max() : Limits::min();
    expected(key, "a quantity");
    return std::nullopt;
}

Fields Fields::at(std::string_view key) const {
    const Json* value = member(key);
    if (value != nullptr && !value->is_object()) {
        expected(key, "an object");
        value = nullptr;
    }
    return {value == nullptr ? nothing() : *value, path_of(key), *problem_};
}

std::vector<Fields> Fields::list(std::string_view key) const {
    std::vector<Fields> items;
    const Json* value = array(key);
    if (value == nullptr) return items;
    for (const auto& item : *value) {
        const std::string path = path_of(key) + "[" + std::to_string(items.size()) + "]";
        if (!item.is_object() && problem_->empty()) *problem_ = path + ": expected an object";
        items.emplace_back(item, path, *problem_);
    }
    return items;
}

std::vector<std::string> Fields::texts(std::string_view key) const {
    std::vector<std::string> items;
    const Json* value = array(key);
    if (value == nullptr) return items;
    for (const auto& item : *value) {
        if (!item.is_string()) {
            expected(key, "a list of text");
            break;
        }
        items.push_back(item.get<std::string>());
    }
    return items;
}

facts::Labels Fields::labels(std::string_view key) const {
    facts::Labels labels;
    const Json* value = member(key);
    if (value == nullptr) return labels;
    if (!value->is_object()) {
        expected(key, "an object");
        return labels;
    }
    for (const auto& [name, text] : value->items()) {
        if (text.is_string()) {
            labels.emplace(name, text.get<std::string>());
        } else if (text.is_null()) {
            labels.emplace(name, "");
        } else {
            expected(key, "an object of text, also for \"" + name + "\"");
        }
    }
    return labels;
}

std::vector<std::string> Fields::keys() const {
    std::vector<std::string> names;
    if (!object_->is_object()) return names;
    for (const auto& [name, value] : object_->items()) {
        if (!value.is_null()) names.push_back(name);
    }
    return names;
}

}  // namespace preflight
