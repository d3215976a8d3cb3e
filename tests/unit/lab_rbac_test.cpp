#include "lab/api/rbac.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/cluster_builder.hpp"

namespace {

using kubeclient::Json;

// A cluster with its roles, and nothing else.
struct Roles {
    lab::World world{{1, kubeclient::parse_time("2026-11-21T04:45:50Z").value()}};
    lab::Rbac rbac{world.objects()};

    Roles() { lab::ClusterBuilder(world).add_system(); }

    void seed(const char* text) { world.server().seed(Json::parse(text)); }

    bool may(const std::string& user, const std::string& verb, const std::string& resource,
             const std::string& group = "", const std::string& ns = "prod") const {
        lab::Attributes attributes;
        attributes.verb = verb;
        attributes.group = group;
        attributes.resource = resource.substr(0, resource.find('/'));
        if (resource.find('/') != std::string::npos) {
            attributes.subresource = resource.substr(resource.find('/') + 1);
        }
        attributes.ns = ns;
        return rbac.decide({user, {"system:authenticated"}}, attributes).allowed;
    }
};

const char* const kVirt = "kubevirt.io";

}  // namespace

TEST_CASE("masters may do everything, without any role") {
    const lab::Store empty;
    const lab::Rbac rbac(empty);
    lab::Attributes attributes;
    attributes.verb = "delete";
    attributes.resource = "nodes";
    CHECK(rbac.decide({"root", {"system:masters"}}, attributes).allowed);
    CHECK_FALSE(rbac.decide({"root", {}}, attributes).allowed);
}

TEST_CASE("a viewer sees virtual machines through aggregation, and changes none") {
    const Roles roles;
    CHECK(roles.may("viewer", "list", "virtualmachineinstances", kVirt));
    CHECK(roles.may("viewer", "list", "pods", "", ""));
    CHECK(roles.may("viewer", "get", "pods/log"));
    CHECK_FALSE(roles.may("viewer", "create", "virtualmachineinstancemigrations", kVirt));
    CHECK_FALSE(roles.may("viewer", "delete", "pods"));
    CHECK_FALSE(roles.may("viewer", "list", "secrets"));
    CHECK_FALSE(roles.may("viewer", "patch", "nodes", "", ""));
}

TEST_CASE("the operator has what the tool needs, and not what it must never do") {
    const Roles roles;
    CHECK(roles.may("operator", "create", "virtualmachineinstancemigrations", kVirt));
    CHECK(roles.may("operator", "create", "pods/eviction"));
    CHECK(roles.may("operator", "patch", "nodes", "", ""));
    CHECK(roles.may("operator", "delete", "volumeattachments", "storage.k8s.io", ""));
    CHECK_FALSE(roles.may("operator", "delete", "persistentvolumes", "", ""));
    CHECK_FALSE(roles.may("operator", "delete", "virtualmachines", kVirt));
}

TEST_CASE("nobody may read the KubeVirt CR like everybody, and no more") {
    const Roles roles;
    CHECK(roles.may("nobody", "get", "kubevirts", kVirt, "kubevirt"));
    CHECK_FALSE(roles.may("nobody", "list", "virtualmachineinstances", kVirt));
}

TEST_CASE("admin holds edit, which holds view") {
    Roles roles;
    roles.seed(R"({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "prod"},
        "roleRef": {"kind": "ClusterRole", "name": "admin"},
        "subjects": [{"kind": "User", "name": "ann"}]})");
    CHECK(roles.may("ann", "list", "virtualmachines", kVirt));
    CHECK(roles.may("ann", "update", "virtualmachines", kVirt));
    CHECK(roles.may("ann", "deletecollection", "virtualmachines", kVirt));
    CHECK(roles.may("ann", "create", "roles", "rbac.authorization.k8s.io"));
    CHECK_FALSE(roles.may("ann", "create", "virtualmachineinstancemigrations", kVirt));
    // A RoleBinding ends at its namespace.
    CHECK_FALSE(roles.may("ann", "list", "virtualmachines", kVirt, "default"));
    CHECK_FALSE(roles.may("ann", "list", "virtualmachines", kVirt, ""));
}

TEST_CASE("a role may be about one object, and about one sub-resource of all") {
    Roles roles;
    roles.seed(R"({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role",
        "metadata": {"name": "r", "namespace": "prod"}, "rules": [
          {"apiGroups": [""], "resources": ["configmaps"], "resourceNames": ["one"],
           "verbs": ["get"]},
          {"apiGroups": ["*"], "resources": ["*/status"], "verbs": ["patch"]}]})");
    roles.seed(R"({"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "RoleBinding",
        "metadata": {"name": "b", "namespace": "prod"}, "roleRef": {"kind": "Role", "name": "r"},
        "subjects": [{"kind": "ServiceAccount", "name": "bot"}]})");
    const lab::User bot{"system:serviceaccount:prod:bot", {}};
    lab::Attributes attributes{"get", "", "v1", "configmaps", "", "prod", "one", ""};
    CHECK(roles.rbac.decide(bot, attributes).reason ==
          "RBAC: allowed by RoleBinding \"b/prod\" of Role \"r\" to ServiceAccount \"bot/prod\"");
    attributes.name = "two";
    CHECK_FALSE(roles.rbac.decide(bot, attributes).allowed);
    attributes.name = "";
    CHECK_FALSE(roles.rbac.decide(bot, attributes).allowed);
    CHECK(roles.may(bot.name, "patch", "virtualmachines/status", kVirt));
    CHECK_FALSE(roles.may(bot.name, "patch", "virtualmachines", kVirt));
}

TEST_CASE("paths end with a star or match whole") {
    const Roles roles;
    lab::Attributes attributes;
    attributes.verb = "get";
    const lab::User anonymous{"system:anonymous", {"system:unauthenticated"}};
    const lab::User known{"nobody", {"system:authenticated"}};
    attributes.path = "/apis/kubevirt.io/v1";
    CHECK(roles.rbac.decide(known, attributes).allowed);
    CHECK_FALSE(roles.rbac.decide(anonymous, attributes).allowed);
    attributes.path = "/version";
    CHECK(roles.rbac.decide(anonymous, attributes).allowed);
    attributes.path = "/versions";
    CHECK_FALSE(roles.rbac.decide(known, attributes).allowed);
}

// Recorded from kube-apiserver 1.36.3.
TEST_CASE("refusals read as kube-apiserver writes them") {
    const lab::User anonymous{"system:anonymous", {}};
    const lab::User viewer{"viewer", {}};
    CHECK(lab::forbidden_text(anonymous, {"list", "", "v1", "pods", "", "", "", ""}).message ==
          "pods is forbidden: User \"system:anonymous\" cannot list resource \"pods\" in API group "
          "\"\" at the cluster scope");
    const auto log =
        lab::forbidden_text(viewer, {"get", "", "v1", "pods", "log", "default", "x", ""});
    CHECK(log.message ==
          "pods \"x\" is forbidden: User \"viewer\" cannot get resource \"pods/log\" in API group "
          "\"\" in the namespace \"default\"");
    CHECK(log.name == "x");
    CHECK(log.kind == "pods");
    CHECK(lab::forbidden_text(viewer, {"get", "", "", "", "", "", "", "/foo"}).message ==
          "forbidden: User \"viewer\" cannot get path \"/foo\"");
}
