// A session with a control plane: what was asked of it, and what its watches then showed. Read from
// a recording of KubeVirt's own, or seen in the lab.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "kubeclient/json.hpp"
#include "kubeclient/result.hpp"

namespace lab_replay {

using kubeclient::Json;

struct Action {
    double at = 0;  // seconds since the session began
    std::string method{};
    std::string path{};  // with its query
    std::string content_type{};
    std::string accept{};
    Json request{};  // null: no body
    int status = 0;
    Json reply{};
    // Not asked by the scene but written by whoever played virt-handler, to set the stage: the
    // instance's LiveMigratable condition.
    bool sets_the_stage = false;
};

struct Sighting {
    double at = 0;
    std::string kind{};   // Pod, VirtualMachineInstance, VirtualMachineInstanceMigration, Event
    std::string event{};  // ADDED, MODIFIED, DELETED
    Json object{};        // trimmed
};

struct Session {
    std::string scene{};
    std::vector<Action> actions{};
    // In the order in which they were stored; Events, whose versions are not recorded, in the order
    // in which they were seen.
    std::vector<Sighting> sightings{};
    double ends = 0;
};

// A file of JSON lines, as the recordings' README describes it.
kubeclient::Result<Session> read_session(const std::string& file);

// One line of a recording.
Json to_line(const Action& action);
Json to_line(const Sighting& sighting);

// What the recordings keep of an object of this kind.
Json trimmed(const std::string& kind, const Json& object);

}  // namespace lab_replay
