#include "lab/api/pod_status.hpp"

#include <nlohmann/json.hpp>

namespace lab {

using kubeclient::find;

std::string quality_of_service(const Json& pod) {
    bool any = false;
    bool all = true;
    for (const char* list : {"containers", "initContainers"}) {
        for (const Json& container : kubeclient::items_at(pod, {"spec", list})) {
            for (const char* resource : {"cpu", "memory"}) {
                const Json* limit = find(container, {"resources", "limits", resource});
                const Json* request = find(container, {"resources", "requests", resource});
                any = any || limit != nullptr || request != nullptr;
                all = all && limit != nullptr && (request == nullptr || *request == *limit);
            }
        }
    }
    if (!any) return "BestEffort";
    return all ? "Guaranteed" : "Burstable";
}

Json first_pod_status(const Json& pod) {
    return {{"phase", "Pending"}, {"qosClass", quality_of_service(pod)}};
}

}  // namespace lab
