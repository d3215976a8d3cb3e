#include "lab/api/pod_status.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

using lab::Json;

namespace {

Json pod_with(const Json& resources) {
    Json pod;
    pod["spec"]["containers"] = Json::array({{{"name", "c"}, {"resources", resources}}});
    return pod;
}

}  // namespace

TEST_CASE("a new pod is Pending, and of the class that its requests and limits make") {
    const Json both{{"cpu", "1"}, {"memory", "1Gi"}};
    CHECK(lab::quality_of_service(pod_with(Json::object())) == "BestEffort");
    CHECK(lab::quality_of_service(pod_with({{"requests", both}})) == "Burstable");
    CHECK(lab::quality_of_service(pod_with({{"limits", both}})) == "Guaranteed");
    CHECK(lab::quality_of_service(pod_with({{"limits", both}, {"requests", {{"cpu", "500m"}}}})) ==
          "Burstable");
    CHECK(lab::first_pod_status(pod_with(Json::object())) ==
          Json{{"phase", "Pending"}, {"qosClass", "BestEffort"}});
}
