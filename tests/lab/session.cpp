#include "session.hpp"

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <map>
#include <optional>

namespace lab_replay {

using kubeclient::find;
using kubeclient::text_at;

namespace {

Json kept(const Json& object, std::initializer_list<const char*> keys) {
    Json result = Json::object();
    for (const char* key : keys) {
        const Json* value = find(object, key);
        if (value != nullptr) result[key] = *value;
    }
    return result;
}

Json part(const Json& object, const char* key) {
    return object.value(key, Json::object());
}

std::optional<Json> live_migratable(const Json& object) {
    for (const Json& condition : kubeclient::items_at(object, {"status", "conditions"})) {
        if (text_at(condition, {"type"}) == "LiveMigratable") return condition;
    }
    return std::nullopt;
}

Action action_of(const Json& line) {
    Action action;
    action.at = line.at("t").get<double>();
    action.method = line.at("method").get<std::string>();
    action.path = line.at("path").get<std::string>();
    action.content_type = line.at("contentType").get<std::string>();
    action.accept = line.value("accept", "application/json");
    action.request = line.at("request");
    action.status = line.at("status").get<int>();
    action.reply = line.at("body");
    return action;
}

// The recorded virt-handler was told by the scene to change its mind about LiveMigratable: a
// condition that differs from the one last seen, after the first.
std::optional<Action> staged(const Json& line, std::map<std::string, Json>& last) {
    const auto& path = line.at("path").get_ref<const std::string&>();
    if (line.at("method") != "PUT" || path.find("/virtualmachineinstances/") == std::string::npos) {
        return std::nullopt;
    }
    const auto condition = live_migratable(line.at("request"));
    if (!condition) return std::nullopt;
    const auto [place, first] = last.emplace(path, (*condition)["status"]);
    if (first || place->second == (*condition)["status"]) return std::nullopt;
    place->second = (*condition)["status"];
    Action action = action_of(line);
    action.request = *condition;
    action.sets_the_stage = true;
    return action;
}

long long version_of(const Sighting& sighting) {
    const auto text = text_at(sighting.object, {"metadata", "resourceVersion"});
    return text ? std::stoll(*text) : 0;
}

// The watches of different kinds arrive in any order; the versions are those of one store.
void sort_by_version(std::vector<Sighting>& sightings) {
    std::vector<Sighting> events;
    std::vector<Sighting> others;
    for (Sighting& sighting : sightings) {
        (sighting.kind == "Event" ? events : others).push_back(std::move(sighting));
    }
    std::stable_sort(others.begin(), others.end(), [](const Sighting& a, const Sighting& b) {
        return version_of(a) < version_of(b);
    });
    sightings = std::move(others);
    std::move(events.begin(), events.end(), std::back_inserter(sightings));
}

}  // namespace

kubeclient::Result<Session> read_session(const std::string& file) {
    std::ifstream stream(file);
    if (!stream) {
        return kubeclient::Error{kubeclient::ErrorKind::not_found, "cannot read " + file};
    }
    Session session;
    std::map<std::string, Json> conditions;
    for (std::string text; std::getline(stream, text);) {
        TRY_ASSIGN(line, kubeclient::parse_json(text, file));
        if (const auto scene = text_at(line, {"scene"})) {
            session.scene = *scene;
            continue;
        }
        session.ends = std::max(session.ends, line.at("t").get<double>());
        const auto kind = line.at("kind").get<std::string>();
        if (kind == "Action") {
            session.actions.push_back(action_of(line));
        } else if (kind == "NodeWrite") {
            if (auto action = staged(line, conditions)) session.actions.push_back(*action);
        } else {
            session.sightings.push_back({line.at("t").get<double>(), kind,
                                         line.at("event").get<std::string>(), line.at("object")});
        }
    }
    sort_by_version(session.sightings);
    return session;
}

Json to_line(const Action& action) {
    return {{"t", action.at},
            {"kind", action.sets_the_stage ? "NodeWrite" : "Action"},
            {"method", action.method},
            {"path", action.path},
            {"contentType", action.content_type},
            {"request", action.request},
            {"status", action.status},
            {"body", action.reply}};
}

Json to_line(const Sighting& sighting) {
    return {{"t", sighting.at},
            {"kind", sighting.kind},
            {"event", sighting.event},
            {"object", sighting.object}};
}

Json trimmed(const std::string& kind, const Json& object) {
    if (kind == "Event") {
        Json event = kept(object, {"type", "reason", "message"});
        event["involvedObject"] = kept(part(object, "involvedObject"), {"kind", "name"});
        event["count"] = object.value("count", Json());
        return event;
    }
    Json metadata =
        kept(part(object, "metadata"),
             {"name", "namespace", "resourceVersion", "labels", "annotations", "ownerReferences",
              "uid", "creationTimestamp", "deletionTimestamp", "deletionGracePeriodSeconds"});
    if (kind != "Pod" && find(object, {"metadata", "finalizers"}) != nullptr) {
        metadata["finalizers"] = object["metadata"]["finalizers"];
    }
    if (metadata.contains("annotations")) {
        Json annotations = Json::object();
        for (const auto& [key, value] : metadata["annotations"].items()) {
            // Knobs reach the instances only, and some are not the recordings' own.
            const bool own = key == "sim/unmigratable" || (key == "sim/seconds" && value == "1");
            const bool knob = key.starts_with("sim/") && !own && kind != "Pod";
            if (knob || key.starts_with("kubevirt.io/")) annotations[key] = value;
        }
        metadata["annotations"] = std::move(annotations);
    }
    Json result{{"metadata", std::move(metadata)}};
    const Json status = part(object, "status");
    if (kind == "Pod") {
        result["spec"] = kept(part(object, "spec"), {"nodeName", "nodeSelector", "affinity"});
        result["status"] = kept(status, {"phase", "conditions"});
    } else if (kind == "VirtualMachineInstance") {
        result["status"] = kept(status, {"phase", "nodeName", "activePods", "migrationState",
                                         "conditions", "evacuationNodeName", "migrationMethod"});
    } else {
        result["spec"] = part(object, "spec");
        result["status"] = status;
    }
    return result;
}

}  // namespace lab_replay
