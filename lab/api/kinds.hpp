// What the API server serves: kinds that are built in, and those that CustomResourceDefinitions
// add.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "kubeclient/json.hpp"
#include "lab/api/store.hpp"

namespace lab {

// A column of `kubectl get`, as CustomResourceDefinitions have them.
struct PrinterColumn {
    std::string name{};
    std::string type{};
    std::string format{};
    std::string description{};
    std::string json_path{};
    int priority = 0;  // above 0: only with -o wide

    bool operator==(const PrinterColumn&) const = default;
};

struct KindVersion {
    std::string name{};  // "v1"
    bool served = true;
    bool storage = true;  // exactly one of a kind's versions
    bool deprecated = false;
    std::string deprecation_warning{};  // for the Warning header; empty unless deprecated
    bool has_status = false;            // status is a sub-resource
    std::vector<PrinterColumn> columns{};
    std::shared_ptr<const Json> schema{};  // openAPIV3Schema; null for kinds that are built in
};

enum class Scope { cluster, namespaced };
enum class Origin { built_in, custom };

struct Kind {
    ResourceId resource{};
    std::string kind{};
    std::string singular{};
    Scope scope = Scope::namespaced;
    Origin origin = Origin::built_in;
    std::vector<std::string> short_names{};
    std::vector<std::string> categories{};
    std::vector<KindVersion> versions{};

    std::string list_kind() const { return kind + "List"; }
    const KindVersion* version(std::string_view name) const;  // nullptr: none, or not served
    const KindVersion& storage_version() const;
    std::string api_version(const KindVersion& version) const;  // "kubevirt.io/v1"
    std::string qualified() const;  // "virtualmachines.kubevirt.io", "pods"
};

// The pointers it hands out hold until the kind is removed or replaced.
class Kinds {
public:
    Kinds();  // with what is built in

    const Kind* find(const ResourceId& resource) const;
    // By the kind's name: "kubevirt.io", "VirtualMachine".
    const Kind* of_kind(std::string_view group, std::string_view kind) const;
    const std::map<ResourceId, Kind>& all() const { return kinds_; }

    void add(Kind kind);  // or replace
    void remove(const ResourceId& resource);

private:
    std::map<ResourceId, Kind> kinds_{};
};

// The kinds built in. Source: Kubernetes pkg/registry/*/rest and kubectl api-resources.
std::vector<Kind> built_in_kinds();

// What a CustomResourceDefinition (apiextensions.k8s.io/v1) describes. It must have been accepted.
Kind kind_of_definition(const Json& definition);

// The definitions in lab/crds: KubeVirt's, and what of its surroundings the tool reads.
const std::vector<Json>& bundled_definitions();

}  // namespace lab
