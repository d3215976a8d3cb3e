#include "lab/controllers/garbage_collector.hpp"

#include <doctest/doctest.h>

#include "lab_kube_builders.hpp"

using namespace lab_test;

namespace {

Json config(const std::string& name, const Json& owners = Json::array()) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"metadata",
             {{"name", name},
              {"namespace", "default"},
              {"uid", "uid-" + name},
              {"ownerReferences", owners}}}};
}

Json owned_by(const std::string& name) {
    return {{"apiVersion", "v1"},
            {"kind", "ConfigMap"},
            {"name", name},
            {"uid", "uid-" + name},
            {"blockOwnerDeletion", true}};
}

const lab::ResourceId configs{"", "configmaps"};

}  // namespace

TEST_CASE("what an object owned goes after it, and what that owned too") {
    KubeWorld lab;
    lab.add<lab::GarbageCollector>();
    lab.seed(config("owner"));
    lab.seed(config("child", Json::array({owned_by("owner")})));
    lab.seed(config("grandchild", Json::array({owned_by("child")})));
    lab.seed(config("stranger"));
    lab.world.settle();
    lab.remove(configs, {"default", "owner"});
    lab.world.settle();
    CHECK(lab.get(configs, "child").is_null());
    CHECK(lab.get(configs, "grandchild").is_null());
    CHECK_FALSE(lab.get(configs, "stranger").is_null());
}

TEST_CASE("an object with another living owner only loses the reference") {
    KubeWorld lab;
    lab.add<lab::GarbageCollector>();
    lab.seed(config("one"));
    lab.seed(config("two"));
    lab.seed(config("child", {owned_by("one"), owned_by("two")}));
    lab.world.settle();
    lab.remove(configs, {"default", "one"});
    lab.world.settle();
    CHECK(lab.get(configs, "child")["metadata"]["ownerReferences"] ==
          Json::array({owned_by("two")}));
}

TEST_CASE("an owner deleted in the foreground waits for what it owns") {
    KubeWorld lab;
    lab.add<lab::GarbageCollector>();
    lab.seed(config("owner"));
    Json child = config("child", Json::array({owned_by("owner")}));
    child["metadata"]["finalizers"] = {"example.com/hold"};
    lab.seed(child);
    lab.world.settle();
    kubeclient::DeleteOptions options;
    options.propagation = kubeclient::Propagation::foreground;
    lab.remove(configs, {"default", "owner"}, options);
    lab.world.settle();
    CHECK(lab::kube::is_deleting(lab.get(configs, "child")));
    CHECK_FALSE(lab.get(configs, "owner").is_null());
    lab.patch(configs, {"default", "child"}, {{"metadata", {{"finalizers", nullptr}}}});
    lab.world.settle();
    CHECK(lab.get(configs, "child").is_null());
    CHECK(lab.get(configs, "owner").is_null());
}

TEST_CASE("an owner deleted with orphan leaves what it owned") {
    KubeWorld lab;
    lab.add<lab::GarbageCollector>();
    lab.seed(config("owner"));
    lab.seed(config("child", Json::array({owned_by("owner")})));
    lab.world.settle();
    kubeclient::DeleteOptions options;
    options.propagation = kubeclient::Propagation::orphan;
    lab.remove(configs, {"default", "owner"}, options);
    lab.world.settle();
    CHECK(lab.get(configs, "owner").is_null());
    CHECK(lab.get(configs, "child")["metadata"]["ownerReferences"].empty());
}

TEST_CASE("a namespace that is being deleted is emptied, pods first, and goes") {
    KubeWorld lab;
    lab.add<lab::NamespaceController>();
    lab.seed({{"apiVersion", "v1"},
              {"kind", "Namespace"},
              {"metadata", {{"name", "web"}, {"deletionTimestamp", "2026-11-21T00:00:00Z"}}},
              {"spec", {{"finalizers", {"kubernetes"}}}}});
    Json held = pod("p", "a");
    held["metadata"]["namespace"] = "web";
    lab.seed(held);
    Json data = config("data");
    data["metadata"]["namespace"] = "web";
    lab.seed(data);
    lab.world.settle();
    CHECK(lab::kube::is_deleting(lab.get(lab::kube::kPods, "p", "web")));
    CHECK_FALSE(lab.get(configs, "data", "web").is_null());
    kubeclient::DeleteOptions at_once;
    at_once.grace_seconds = 0;
    lab.remove(lab::kube::kPods, {"web", "p"}, at_once);
    lab.world.settle();
    CHECK(lab.get(configs, "data", "web").is_null());
    CHECK(lab.get(lab::kube::kNamespaces, "web").is_null());
}
