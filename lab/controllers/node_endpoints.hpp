// What the API server fetches from nodes: pods' logs from kubelets and metrics from virt-handlers.
// Of a node that cannot be reached, or whose agent does not run, there is only the connection's
// error.
//
// pods/log serves the log of a virt-launcher's compute container; other containers have an empty
// one. With follow=true it goes on until the container ends; while its node cannot be reached,
// nothing comes.
// pods/…/proxy serves /metrics of virt-handler pods (label kubevirt.io=virt-handler), port 8443.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "lab/api/api_server.hpp"
#include "lab/api/status.hpp"
#include "lab/controllers/migration_log.hpp"
#include "lab/hardware/hardware.hpp"

namespace lab {

class NodeEndpoints final : public Extension {
public:
    using Clock = std::function<Instant()>;

    // Both outlive it.
    NodeEndpoints(const Store& objects, Hardware& hardware, Clock clock)
        : objects_(objects), hardware_(hardware), clock_(std::move(clock)) {}

    std::optional<kubeclient::Response> serve(const User& user,
                                              const kubeclient::Request& request) override;
    std::unique_ptr<Stream> follow(const User& user, const kubeclient::Request& request) override;

private:
    // A container whose log can be read, as it was found.
    struct LogSource {
        ObjectKey pod{};
        std::string pod_uid{};
        std::string vmi_uid{};
        std::string node{};
        std::string container{};
    };
    class Followed;

    Outcome<LogSource> log_source(const ObjectKey& key, const kubeclient::Request& request) const;
    std::vector<LogLine> lines_of(const LogSource& source);
    bool has_ended(const LogSource& source);
    kubeclient::Response log(const ObjectKey& key, const kubeclient::Request& request);
    kubeclient::Response metrics(const ObjectKey& key);
    std::string measured(const std::string& node);

    const Store& objects_;
    Hardware& hardware_;
    Clock clock_;
};

}  // namespace lab
