// A session retold so that two of them can be compared: replies, for every object what changed in
// it step by step, its events, and the turning points of all objects of a machine in one order.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "session.hpp"
#include "story_rules.hpp"

namespace lab_replay {

// Chapters are to be equal line by line.
struct Story {
    // By title: "replies", "VirtualMachineInstance web: migrationState", "events of …", "order …".
    std::map<std::string, Chapter> chapters{};
};

// Evened out by rules().
Story story_of(const Session& session);

}  // namespace lab_replay
