// The kubeconfig of a lab. Pure.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace commands {

struct LabUser {
    std::string name{};
    std::string token{};
};

// A context for each user: "lab" for the first, "lab-NAME" for the others. The first line says
// whose file it is. `authority` is PEM.
std::string lab_kubeconfig(int port, const std::string& authority,
                           const std::vector<LabUser>& users, const std::string& ns);

// Whether some lab wrote this file, so that another one may replace it.
bool is_lab_kubeconfig(std::string_view text);

}  // namespace commands
