#include "lab/api/schema.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <regex>
#include <set>

#include "kubeclient/time.hpp"

namespace lab {

using kubeclient::bool_at;
using kubeclient::find;
using kubeclient::integer_at;
using kubeclient::items_at;
using kubeclient::text_at;

namespace {

std::string member(const std::string& path, const std::string& name) {
    return path.empty() ? name : path + "." + name;
}

std::string element(const std::string& path, std::size_t index) {
    return path + "[" + std::to_string(index) + "]";
}

// As go-openapi names the type of a value.
std::string type_of(const Json& value) {
    if (value.is_string()) return "string";
    if (value.is_number_integer()) return "integer";
    if (value.is_number()) return std::floor(value.get<double>()) == value ? "integer" : "number";
    if (value.is_boolean()) return "boolean";
    if (value.is_array()) return "array";
    return value.is_null() ? "null" : "object";
}

bool is_type(const std::string& wanted, const std::string& is) {
    return wanted == is || (wanted == "number" && is == "integer");
}

bool is_format(const std::string& format, const std::string& text) {
    if (format == "date-time") return kubeclient::parse_time(text).ok();
    return true;  // the others are not used by what the lab serves
}

class Validator {
public:
    std::vector<Cause> causes{};

    void check(const Json& value, const Json& schema, const std::string& path) {
        if (value.is_null() && bool_at(schema, {"nullable"}).value_or(false)) return;
        if (!check_type(value, schema, path)) return;
        if (value.is_object()) check_object(value, schema, path);
        if (value.is_array()) check_array(value, schema, path);
        if (value.is_string()) check_text(value, schema, path);
        if (value.is_number()) check_number(value, schema, path);
        check_enum(value, schema, path);
        check_combinations(value, schema, path);
    }

private:
    void add(const char* reason, const std::string& message, const std::string& path) {
        causes.push_back({reason, message, path});
    }
    void add_invalid(const Json& value, const std::string& path, const std::string& what) {
        add("FieldValueInvalid",
            "Invalid value: " + value.dump() + ": " + path + " in body " + what, path);
    }

    bool check_type(const Json& value, const Json& schema, const std::string& path) {
        std::string wanted = text_at(schema, {"type"}).value_or("");
        const bool either = bool_at(schema, {"x-kubernetes-int-or-string"}).value_or(false);
        if (either) wanted = "integer,string";
        if (wanted.empty()) return true;
        const std::string is = type_of(value);
        if (either ? is == "integer" || is == "string" : is_type(wanted, is)) return true;
        add("FieldValueTypeInvalid",
            "Invalid value: \"" + is + "\": " + path + " in body must be of type " + wanted +
                ": \"" + is + "\"",
            path);
        return false;
    }

    void check_object(const Json& object, const Json& schema, const std::string& path) {
        const Json* properties = find(schema, "properties");
        const Json* others = find(schema, "additionalProperties");
        for (const auto& [name, value] : object.items()) {
            const Json* own = properties ? find(*properties, name) : nullptr;
            if (own == nullptr && others != nullptr && others->is_object()) own = others;
            if (own != nullptr) check(value, *own, member(path, name));
        }
        for (const Json& name : items_at(schema, {"required"})) {
            if (!object.contains(name.get<std::string>())) {
                add("FieldValueRequired", "Required value", member(path, name.get<std::string>()));
            }
        }
        check_count(object.size(), schema, path, {"minProperties", "maxProperties", "properties"});
    }

    void check_array(const Json& array, const Json& schema, const std::string& path) {
        if (const Json* items = find(schema, "items")) {
            for (std::size_t i = 0; i < array.size(); ++i) {
                check(array[i], *items, element(path, i));
            }
        }
        check_count(array.size(), schema, path, {"minItems", "maxItems", "items"});
        check_duplicates(array, schema, path);
    }

    struct CountNames {
        const char* least;
        const char* most;
        const char* what;
    };

    void check_count(std::size_t count, const Json& schema, const std::string& path,
                     const CountNames& names) {
        const auto size = static_cast<std::int64_t>(count);
        const auto least = integer_at(schema, {names.least});
        const auto most = integer_at(schema, {names.most});
        if (least && size < *least) {
            add_invalid(size, path,
                        "should have at least " + std::to_string(*least) + " " + names.what);
        }
        if (most && size > *most) {
            add("FieldValueTooMany",
                "Too many: " + std::to_string(size) + ": must have at most " +
                    std::to_string(*most) + " items",
                path);
        }
    }

    // Lists that are sets, or maps by some members of their items.
    void check_duplicates(const Json& array, const Json& schema, const std::string& path) {
        const auto type = text_at(schema, {"x-kubernetes-list-type"}).value_or("");
        if (type != "set" && type != "map") return;
        std::set<Json> seen;
        for (std::size_t i = 0; i < array.size(); ++i) {
            Json key = array[i];
            if (type == "map") {
                key = Json::object();
                for (const Json& name : items_at(schema, {"x-kubernetes-list-map-keys"})) {
                    const auto text = name.get<std::string>();
                    if (const Json* value = find(array[i], text)) key[text] = *value;
                }
            }
            if (!seen.insert(key).second) {
                add("FieldValueDuplicate", "Duplicate value: " + key.dump(), element(path, i));
            }
        }
    }

    void check_text(const Json& value, const Json& schema, const std::string& path) {
        const auto& text = value.get_ref<const std::string&>();
        const auto length = static_cast<std::int64_t>(text.size());
        const auto least = integer_at(schema, {"minLength"});
        const auto most = integer_at(schema, {"maxLength"});
        if (most && length > *most) {
            add("FieldValueTooLong",
                "Too long: may not be more than " + std::to_string(*most) + " bytes", path);
            return;
        }
        if (least && length < *least) {
            add_invalid(value, path,
                        "should be at least " + std::to_string(*least) + " chars long");
            return;
        }
        const auto pattern = text_at(schema, {"pattern"});
        if (pattern && !std::regex_search(text, std::regex(*pattern))) {
            add_invalid(value, path, "should match '" + *pattern + "'");
        }
        const auto format = text_at(schema, {"format"}).value_or("");
        if (!is_format(format, text)) {
            add("FieldValueTypeInvalid",
                "Invalid value: " + value.dump() + ": " + path + " in body must be of type " +
                    format + ": " + value.dump(),
                path);
        }
    }

    void check_number(const Json& value, const Json& schema, const std::string& path) {
        const double number = value.get<double>();
        const Json* least = find(schema, "minimum");
        const Json* most = find(schema, "maximum");
        const Json* factor = find(schema, "multipleOf");
        const bool above = bool_at(schema, {"exclusiveMinimum"}).value_or(false);
        const bool below = bool_at(schema, {"exclusiveMaximum"}).value_or(false);
        if (factor != nullptr && std::fmod(number, factor->get<double>()) != 0) {
            add_invalid(value, path, "should be a multiple of " + factor->dump());
        }
        if (most != nullptr && (below ? number >= *most : number > *most)) {
            add_invalid(
                value, path,
                std::string("should be less than ") + (below ? "" : "or equal to ") + most->dump());
        }
        if (least != nullptr && (above ? number <= *least : number < *least)) {
            add_invalid(value, path,
                        std::string("should be greater than ") + (above ? "" : "or equal to ") +
                            least->dump());
        }
    }

    void check_enum(const Json& value, const Json& schema, const std::string& path) {
        const auto& allowed = items_at(schema, {"enum"});
        if (allowed.empty()) return;
        std::string list;
        for (const Json& one : allowed) {
            if (one == value) return;
            list +=
                (list.empty() ? "" : ", ") + Json(one.is_string() ? one : Json(one.dump())).dump();
        }
        add("FieldValueNotSupported",
            "Unsupported value: " + value.dump() + ": supported values: " + list, path);
    }

    void check_combinations(const Json& value, const Json& schema, const std::string& path) {
        for (const Json& one : items_at(schema, {"allOf"})) check(value, one, path);
        const auto valid = [&](const char* word) {
            std::size_t count = 0;
            for (const Json& one : items_at(schema, {word})) {
                Validator alternative;
                alternative.check(value, one, path);
                if (alternative.causes.empty()) ++count;
            }
            return count;
        };
        const auto none = [&](const std::string& what) {
            add("FieldValueInvalid", "Invalid value: \"\": \"" + path + "\" " + what, "<nil>");
        };
        if (find(schema, "anyOf") != nullptr && valid("anyOf") == 0) {
            none("must validate at least one schema (anyOf)");
        }
        if (find(schema, "oneOf") == nullptr) return;
        const auto count = valid("oneOf");
        const std::string one_of = "must validate one and only one schema (oneOf). Found ";
        if (count == 0) none(one_of + "none valid");
        if (count > 1) none(one_of + std::to_string(count) + " valid alternatives");
    }
};

// Whether a CEL rule stands anywhere in it.
bool has_rules(const Json& schema) {
    if (schema.is_object() && schema.contains("x-kubernetes-validations")) return true;
    return schema.is_structured() && std::any_of(schema.begin(), schema.end(), has_rules);
}

// Source: apiextensions-apiserver pkg/registry/customresource/strategy.go, hasBlockingErr.
bool blocks_rules(const Cause& cause) {
    return cause.reason == "FieldValueRequired" || cause.reason == "FieldValueTooLong" ||
           cause.reason == "FieldValueTooMany" || cause.reason == "FieldValueTypeInvalid";
}

bool keeps_everything(const Json& schema) {
    return bool_at(schema, {"x-kubernetes-preserve-unknown-fields"}).value_or(false);
}

void prune_value(Json& value, const Json& schema, const std::string& path,
                 std::vector<std::string>& dropped) {
    if (value.is_array()) {
        const Json* items = find(schema, "items");
        for (std::size_t i = 0; items != nullptr && i < value.size(); ++i) {
            prune_value(value[i], *items, element(path, i), dropped);
        }
        return;
    }
    if (!value.is_object()) return;
    const bool whole = path.empty();
    const Json* properties = find(schema, "properties");
    const Json* others = find(schema, "additionalProperties");
    for (auto entry = value.begin(); entry != value.end();) {
        const std::string& name = entry.key();
        const bool typed = whole && (name == "apiVersion" || name == "kind" || name == "metadata");
        const Json* own = properties ? find(*properties, name) : nullptr;
        if (own == nullptr && others != nullptr) own = others;
        if (own == nullptr && !typed && !keeps_everything(schema)) {
            dropped.push_back(member(path, name));
            entry = value.erase(entry);
            continue;
        }
        if (own != nullptr && !typed && own->is_object()) {
            prune_value(*entry, *own, member(path, name), dropped);
        }
        ++entry;
    }
}

}  // namespace

std::vector<std::string> prune(Json& object, const Json& schema) {
    std::vector<std::string> dropped;
    prune_value(object, schema, "", dropped);
    return dropped;
}

void fill_in_defaults(Json& value, const Json& schema) {
    if (value.is_array()) {
        const Json* items = find(schema, "items");
        if (items == nullptr) return;
        for (Json& item : value) fill_in_defaults(item, *items);
        return;
    }
    if (!value.is_object()) return;
    const Json* others = find(schema, "additionalProperties");
    if (const Json* properties = find(schema, "properties")) {
        for (const auto& [name, own] : properties->items()) {
            const auto place = value.find(name);
            const bool nullable = bool_at(own, {"nullable"}).value_or(false);
            if (place != value.end() && place->is_null() && !nullable) value.erase(place);
            const Json* fallback = find(own, "default");
            if (fallback != nullptr && !value.contains(name)) value[name] = *fallback;
            if (value.contains(name)) fill_in_defaults(value[name], own);
        }
    }
    if (others == nullptr || !others->is_object()) return;
    for (auto& [name, item] : value.items()) {
        if (find(schema, {"properties", name}) == nullptr) fill_in_defaults(item, *others);
    }
}

std::vector<Cause> problems_by_schema(const Json& object, const Json& schema) {
    Validator validator;
    validator.check(object, schema, "");
    auto& causes = validator.causes;
    if (std::any_of(causes.begin(), causes.end(), blocks_rules) && has_rules(schema)) {
        causes.push_back({"FieldValueInvalid",
                          "Invalid value: null: some validation rules were not checked because "
                          "the object was invalid; correct the existing errors to complete "
                          "validation",
                          "<nil>"});
    }
    return causes;
}

}  // namespace lab
