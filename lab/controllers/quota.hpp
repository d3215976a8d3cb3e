// ResourceQuotas: what is used, what a new pod would use, and its refusal.
// Source: kubernetes v1.36 pkg/quota/v1/evaluator/core, pkg/controller/resourcequota,
// apiserver pkg/admission/plugin/resourcequota.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "lab/api/api_server.hpp"
#include "lab/controllers/controller.hpp"

namespace lab {

// By the names of spec.hard; thousandths.
using Usage = std::map<std::string, std::int64_t>;

// What the pod counts for: pods, count/pods, cpu, requests.cpu, limits.memory, … Finished pods
// count for nothing but count/pods.
Usage usage_of_pod(const Json& pod);
// What all pods and claims of the namespace count for.
Usage usage_in(const std::string& ns, const Store& objects);

// Why the quota forbids more: "exceeded quota: q, requested: pods=1, used: pods=28, limited:
// pods=28". nullopt: it does not.
std::optional<std::string> exceeded(const Json& quota, const Usage& used, const Usage& more);

// As Kubernetes prints the amount: "28", "1500m", "2Gi".
std::string quantity_text(std::int64_t thousandths, const std::string& resource);

// The admission plugin: refuses pods beyond a quota of their namespace.
class QuotaAdmission final : public Extension {
public:
    // `store` is the server's, and outlives the extension.
    explicit QuotaAdmission(const Store& store) : store_(store) {}

    std::optional<Refusal> admit(Admission& admission) override;

private:
    const Store& store_;
};

// Keeps status.hard and status.used up to date.
class QuotaController final : public Controller {
public:
    std::string_view name() const override { return "resourcequota-controller"; }
    std::vector<WorkItem> concerned(const Change& change, const Store& objects) const override;
    kubeclient::Result<std::optional<Duration>> sync(const WorkItem& item,
                                                     Cluster& cluster) override;
};

}  // namespace lab
