#include "changes.hpp"

#include <nlohmann/json.hpp>

namespace lab_replay {

using kubeclient::text_at;

namespace {

void flatten(const Json& value, const std::string& path,
             std::map<std::string, std::string>& fields);

// A condition as one line, without its times.
std::string condition_line(const Json& condition) {
    std::string line = text_at(condition, {"status"}).value_or("");
    for (const char* key : {"reason", "message"}) {
        if (const auto text = text_at(condition, {key})) line += ", " + *text;
    }
    return line;
}

// The ports are the machine's own choice; what they lead to is not.
std::string ports_line(const Json& ports) {
    std::multimap<int, std::string> targets;
    for (const auto& [port, target] : ports.items()) targets.emplace(target.get<int>(), port);
    std::string line;
    for (const auto& [target, port] : targets) line += "<port>→" + std::to_string(target) + " ";
    return line;
}

std::string phases_line(const Json& times) {
    std::string line;
    for (const Json& time : times) line += text_at(time, {"phase"}).value_or("?") + " ";
    return line;
}

void flatten_object(const Json& object, const std::string& path,
                    std::map<std::string, std::string>& fields) {
    for (const auto& [key, item] : object.items()) {
        const std::string below = path.empty() ? key : path + "/" + key;
        if (key == "resourceVersion") continue;
        if (key == "targetDirectMigrationNodePorts") {
            fields[below] = ports_line(item);
        } else if (key == "phaseTransitionTimestamps") {
            fields[below] = phases_line(item);
        } else if (key == "migrationConfiguration" || key == "nodeSelector" || key == "affinity") {
            fields[below] = item.dump();
        } else {
            flatten(item, below, fields);
        }
    }
}

void flatten(const Json& value, const std::string& path,
             std::map<std::string, std::string>& fields) {
    if (value.is_object()) {
        flatten_object(value, path, fields);
    } else if (value.is_array() && path.ends_with("conditions")) {
        for (const Json& condition : value) {
            fields[path + "/" + text_at(condition, {"type"}).value_or("?")] =
                condition_line(condition);
        }
    } else {
        fields[path] = value.is_string() ? value.get<std::string>() : value.dump();
    }
}

}  // namespace

std::map<std::string, std::string> fields_of(const Json& object) {
    std::map<std::string, std::string> fields;
    flatten(object, "", fields);
    return fields;
}

std::vector<FieldChange> changes(const std::map<std::string, std::string>& before,
                                 const std::map<std::string, std::string>& after) {
    std::vector<FieldChange> result;
    for (const auto& [path, value] : after) {
        const auto old = before.find(path);
        if (old == before.end() || old->second != value) result.push_back({path, value});
    }
    for (const auto& [path, value] : before) {
        if (!after.contains(path)) result.push_back({path, "(gone)"});
    }
    return result;
}

}  // namespace lab_replay
