#include "lab/api/patch.hpp"

#include <nlohmann/json.hpp>
#include <utility>

namespace lab {

using kubeclient::text_at;

namespace {

Refusal does_not_apply() {
    Refusal refusal{422, "Invalid",
                    "the server rejected our request due to an error in our request"};
    refusal.empty_details = true;
    return refusal;
}

// Whether the path leads to a member that is not there, of an object that is.
bool is_missing_member(const Json& object, const std::string& path) {
    const Json::json_pointer pointer(path);
    if (pointer.empty() || object.contains(pointer)) return false;
    const auto parent = pointer.parent_pointer();
    return object.contains(parent) && object.at(parent).is_object();
}

// The operation as RFC 6902 would have it written; null: nothing to do.
Json translated(const Json& object, Json operation) {
    const std::string name = text_at(operation, {"op"}).value_or("");
    const std::string path = text_at(operation, {"path"}).value_or("");
    if (name == "replace" && is_missing_member(object, path)) operation["op"] = "add";
    if (name == "test" && is_missing_member(object, path)) {
        const auto value = operation.find("value");
        if (value == operation.end() || value->is_null()) return nullptr;
    }
    if (name == "copy" && is_missing_member(object, text_at(operation, {"from"}).value_or(""))) {
        return {{"op", "add"}, {"path", path}, {"value", nullptr}};
    }
    return operation;
}

void drop_nulls(Json& value) {
    for (auto member = value.begin(); value.is_object() && member != value.end();) {
        member = member->is_null() ? value.erase(member) : std::next(member);
    }
    if (!value.is_structured()) return;
    for (Json& member : value) drop_nulls(member);
}

}  // namespace

Json apply_merge_patch(Json object, const Json& patch) {
    if (!object.is_object()) object = Json::object();
    for (const auto& [name, value] : patch.items()) {
        if (value.is_null()) {
            object.erase(name);
        } else if (value.is_object() && object.contains(name) && object[name].is_object()) {
            object[name] = apply_merge_patch(std::move(object[name]), value);
        } else {
            object[name] = value;
            drop_nulls(object[name]);
        }
    }
    return object;
}

Outcome<Json> apply_json_patch(Json object, const Json& patch) {
    try {
        for (const Json& operation : patch) {
            const Json step = translated(object, operation);
            if (!step.is_null()) object.patch_inplace(Json::array({step}));
        }
    } catch (const Json::exception&) {
        return does_not_apply();
    }
    return object;
}

}  // namespace lab
