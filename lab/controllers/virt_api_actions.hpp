// What the aggregated API does to machines. For the virt_api*.cpp files only.
#pragma once

#include <string>

#include "kubeclient/json.hpp"
#include "kubeclient/transport.hpp"
#include "lab/controllers/virt_api_parts.hpp"

namespace lab::virt_api {

// The reference holds for the call.
struct Call {
    std::string ns;
    std::string name;
    const Json& options;  // the body, an object
};

// 202 without a body, or a Status.
kubeclient::Response migrate(const Backend& backend, const Call& call);
kubeclient::Response start(const Backend& backend, const Call& call);
kubeclient::Response stop(const Backend& backend, const Call& call);
kubeclient::Response restart(const Backend& backend, const Call& call);

// 200 without a body, or a Status.
kubeclient::Response cancel_evacuation_of_machine(const Backend& backend, const Call& call);
kubeclient::Response cancel_evacuation_of_instance(const Backend& backend, const Call& call);

}  // namespace lab::virt_api
