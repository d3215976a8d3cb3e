#include "lab/remote/node_address.hpp"

#include <nlohmann/json.hpp>

namespace lab {

namespace {

const ResourceId kNodes{"", "nodes"};

}  // namespace

std::vector<WorkItem> NodeAddress::concerned(const Change& change, const Store&) const {
    if (change.resource != kNodes || change.type == ChangeType::deleted) return {};
    return {{kNodes, change.key}};
}

kubeclient::Result<std::optional<Duration>> NodeAddress::sync(const WorkItem& item,
                                                              Cluster& cluster) {
    const Object node = cluster.objects.get(kNodes, item.key);
    const auto told = node ? kubeclient::integer_at(
                                 *node, {"status", "daemonEndpoints", "kubeletEndpoint", "Port"})
                           : port_;
    if (told == port_) return std::optional<Duration>();
    const Json status{{"addresses", {{{"type", "InternalIP"}, {"address", "127.0.0.1"}}}},
                      {"daemonEndpoints", {{"kubeletEndpoint", {{"Port", port_}}}}}};
    TRY(cluster.api.patch("/api/v1/nodes/" + item.key.name + "/status",
                          kubeclient::PatchKind::merge, {{"status", status}},
                          kubeclient::DryRun::none));
    return std::optional<Duration>();
}

}  // namespace lab
