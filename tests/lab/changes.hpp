// What changed from one sighting of an object to the next.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "session.hpp"

namespace lab_replay {

// Every field of an object that tells something, as one line each: path to value. Conditions,
// phase times and owners are one field each. resourceVersion is left out.
std::map<std::string, std::string> fields_of(const Json& object);

struct FieldChange {
    std::string path{};
    std::string value{};  // "(gone)" when it is no more

    bool operator==(const FieldChange&) const = default;
};

std::vector<FieldChange> changes(const std::map<std::string, std::string>& before,
                                 const std::map<std::string, std::string>& after);

}  // namespace lab_replay
