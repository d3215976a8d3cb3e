#include "preflight/scheduling.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "preflight/decode_scheduling.hpp"

using kubeclient::Json;

namespace {

constexpr auto zone = "topology.kubernetes.io/zone";

Json node(const std::string& name, const std::string& in_zone = "z1") {
    return {{"kind", "Node"},
            {"metadata",
             {{"name", name}, {"labels", {{"kubernetes.io/hostname", name}, {zone, in_zone}}}}},
            {"spec", Json::object()},
            {"status",
             {{"allocatable",
               {{"cpu", "2"}, {"memory", "4Gi"}, {"pods", "3"}, {"example.com/gpu", "1"}}}}}};
}

Json pod(const std::string& name, const std::string& on = "") {
    Json pod{{"kind", "Pod"},
             {"metadata", {{"name", name}, {"namespace", "web"}, {"labels", {{"app", "a"}}}}},
             {"spec", {{"containers", Json::array({Json::object()})}}}};
    if (!on.empty()) pod["spec"]["nodeName"] = on;
    return pod;
}

Json asking(Json pod, const Json& requests) {
    pod["spec"]["containers"][0]["resources"]["requests"] = requests;
    return pod;
}

Json term(const std::string& topology, const Json& selector = Json::object()) {
    return {{"topologyKey", topology}, {"labelSelector", selector}};
}

const Json app_a{{"matchLabels", {{"app", "a"}}}};

Json anti(Json pod, const Json& term) {
    pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        Json::array({term});
    return pod;
}

Json affine(Json pod, const Json& term) {
    pod["spec"]["affinity"]["podAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"] =
        Json::array({term});
    return pod;
}

struct World {
    facts::SchedulerView view{};

    explicit World(const std::vector<Json>& objects) {
        for (const auto& object : objects) preflight::put_object(view, object);
    }
    // The node's reasons, separated by commas; "" where the pod fits.
    std::string why_not(const std::string& name, const Json& asked) const {
        const auto placing = preflight::place(view, preflight::decode_scheduler_pod(asked));
        if (!placing.refused.empty()) return placing.refused;
        std::string text;
        for (const auto& reason : placing.nodes.at(name).reasons) {
            text += (text.empty() ? "" : ", ") + reason;
        }
        return text;
    }
    std::string message(const Json& asked) const {
        const auto pod = preflight::decode_scheduler_pod(asked);
        return preflight::describe_placing(view, pod, preflight::place(view, pod));
    }
};

}  // namespace

TEST_CASE("a node is full when what is requested there leaves too little, or no pod more") {
    const World world(
        {node("n"), asking(pod("p1", "n"), {{"cpu", "1500m"}, {"memory", "1Gi"}}), pod("p2", "n")});
    CHECK(world.why_not("n", asking(pod("p"), {{"cpu", "500m"}})) == "");
    CHECK(world.why_not("n", asking(pod("p"), {{"cpu", "501m"}, {"memory", "3073Mi"}})) ==
          "Insufficient cpu, Insufficient memory");
    CHECK(world.why_not("n", asking(pod("p"), {{"example.com/gpu", "2"}})) ==
          "Insufficient example.com/gpu");
    CHECK(world.why_not("n", asking(pod("p"), {{"unknown", "5"}})) == "");
    const World full({node("n"), pod("p1", "n"), pod("p2", "n"), pod("p3", "n")});
    CHECK(full.why_not("n", pod("p")) == "Too many pods");
}

TEST_CASE("finished pods take no room") {
    Json done = asking(pod("done", "n"), {{"cpu", "2"}});
    done["status"]["phase"] = "Succeeded";
    CHECK(World({node("n"), done}).why_not("n", asking(pod("p"), {{"cpu", "2"}})) == "");
}

TEST_CASE("init containers count by the largest, sidecars for good, overhead on top") {
    Json started = asking(pod("p"), {{"cpu", "500m"}});
    started["spec"]["initContainers"] = {
        {{"resources", {{"requests", {{"cpu", "1"}}}}}},
        {{"resources", {{"requests", {{"cpu", "200m"}}}}}, {"restartPolicy", "Always"}},
        {{"resources", {{"requests", {{"cpu", "1"}}}}}}};
    started["spec"]["overhead"] = {{"cpu", "50m"}};
    const auto decoded = preflight::decode_scheduler_pod(started);
    CHECK(decoded.requests.at("cpu") == 1250);  // 1000 beside the sidecar, and the overhead
    started["spec"]["initContainers"].erase(2);
    CHECK(preflight::decode_scheduler_pod(started).requests.at("cpu") == 1050);
    started["spec"]["initContainers"].erase(0);
    CHECK(preflight::decode_scheduler_pod(started).requests.at("cpu") == 750);
}

TEST_CASE("cordons, taints and labels are asked about in the scheduler's order") {
    Json closed = node("n");
    closed["spec"]["unschedulable"] = true;
    closed["spec"]["taints"] = {{{"key", "k"}, {"value", "v"}, {"effect", "NoExecute"}},
                                {{"key", "soft"}, {"effect", "PreferNoSchedule"}}};
    const World world({closed});
    Json asked = pod("p");
    asked["spec"]["nodeSelector"] = {{"disk", "ssd"}};
    CHECK(world.why_not("n", asked) == "node(s) were unschedulable");
    asked["spec"]["tolerations"] = {
        {{"key", "node.kubernetes.io/unschedulable"}, {"operator", "Exists"}}};
    CHECK(world.why_not("n", asked) == "node(s) had untolerated taint(s)");
    asked["spec"]["tolerations"] = {{{"operator", "Exists"}}};
    CHECK(world.why_not("n", asked) == "node(s) didn't match Pod's node affinity/selector");
    asked["spec"]["nodeSelector"] = {{zone, "z1"}};
    CHECK(world.why_not("n", asked) == "");
}

TEST_CASE("host ports collide by port and protocol, and by address unless one is all") {
    const auto with_port = [](Json pod, const Json& port) {
        pod["spec"]["containers"][0]["ports"] = Json::array({port});
        return pod;
    };
    const World world(
        {node("n"), with_port(pod("p1", "n"), {{"hostPort", 80}, {"hostIP", "1.1.1.1"}})});
    const std::string taken = "node(s) didn't have free ports for the requested pod ports";
    CHECK(world.why_not("n", with_port(pod("p"), {{"hostPort", 80}})) == taken);
    CHECK(world.why_not("n", with_port(pod("p"), {{"hostPort", 80}, {"hostIP", ""}})) == taken);
    CHECK(world.why_not("n", with_port(pod("p"), {{"hostPort", 80}, {"hostIP", "1.1.1.1"}})) ==
          taken);
    CHECK(world.why_not("n", with_port(pod("p"), {{"hostPort", 80}, {"hostIP", "2.2.2.2"}})) == "");
    CHECK(world.why_not("n", with_port(pod("p"), {{"hostPort", 80}, {"protocol", "UDP"}})) == "");
    CHECK(world.why_not("n", with_port(pod("p"), {{"containerPort", 80}})) == "");
}

TEST_CASE("anti-affinity keeps pods apart, whoever of them asks for it") {
    const World world({node("a", "z1"), node("b", "z1"), node("c", "z2"), pod("old", "a")});
    const Json apart = anti(pod("p"), term(zone, app_a));
    CHECK(world.why_not("a", apart) == "node(s) didn't match pod anti-affinity rules");
    CHECK(world.why_not("b", apart) == "node(s) didn't match pod anti-affinity rules");
    CHECK(world.why_not("c", apart) == "");
    const World asked({node("a", "z1"), node("c", "z2"), anti(pod("old", "a"), term(zone, app_a))});
    CHECK(asked.why_not("a", pod("p")) ==
          "node(s) didn't satisfy existing pods anti-affinity rules");
    CHECK(asked.why_not("c", pod("p")) == "");
}

TEST_CASE("affinity wants company, but the first of a group may come alone") {
    const World world({node("a", "z1"), node("b", "z2"), pod("old", "a")});
    const Json together = affine(pod("p"), term(zone, app_a));
    CHECK(world.why_not("a", together) == "");
    CHECK(world.why_not("b", together) == "node(s) didn't match pod affinity rules");
    CHECK(World({node("b", "z2")}).why_not("b", together) == "");
    Json stranger = together;
    stranger["metadata"]["labels"]["app"] = "other";
    CHECK(World({node("b", "z2")}).why_not("b", stranger) ==
          "node(s) didn't match pod affinity rules");
    Json unlabelled = node("c");
    unlabelled["metadata"]["labels"].erase(zone);
    CHECK(World({unlabelled}).why_not("c", together) == "node(s) didn't match pod affinity rules");
}

TEST_CASE("a term is about the pod's own namespace unless it says otherwise") {
    Json elsewhere = pod("old", "a");
    elsewhere["metadata"]["namespace"] = "shop";
    const Json shop{{"kind", "Namespace"},
                    {"metadata", {{"name", "shop"}, {"labels", {{"team", "x"}}}}}};
    const World world({node("a"), elsewhere, shop});
    const std::string apart = "node(s) didn't match pod anti-affinity rules";
    Json asked = term("kubernetes.io/hostname", app_a);
    CHECK(world.why_not("a", anti(pod("p"), asked)) == "");
    asked["namespaces"] = {"shop"};
    CHECK(world.why_not("a", anti(pod("p"), asked)) == apart);
    asked.erase("namespaces");
    asked["namespaceSelector"] = {{"matchLabels", {{"team", "x"}}}};
    CHECK(world.why_not("a", anti(pod("p"), asked)) == apart);
    asked["namespaceSelector"] = {{"matchLabels", {{"team", "y"}}}};
    CHECK(world.why_not("a", anti(pod("p"), asked)) == "");
}

TEST_CASE("spread counts domains that the pod may use, and goes by the emptiest") {
    const World world({node("a", "z1"), node("b", "z2"), pod("p1", "a")});
    Json asked = pod("p");
    asked["spec"]["topologySpreadConstraints"] = {{{"maxSkew", 1},
                                                   {"topologyKey", zone},
                                                   {"whenUnsatisfiable", "DoNotSchedule"},
                                                   {"labelSelector", app_a}}};
    const std::string uneven = "node(s) didn't match pod topology spread constraints";
    CHECK(world.why_not("a", asked) == uneven);
    CHECK(world.why_not("b", asked) == "");
    Json only_first = asked;
    only_first["spec"]["nodeSelector"] = {{zone, "z1"}};
    CHECK(world.why_not("a", only_first) == "");  // z2 is no domain of this pod's
    asked["spec"]["topologySpreadConstraints"][0]["minDomains"] = 3;
    CHECK(World({node("a", "z1"), pod("p1", "a")}).why_not("a", asked) == uneven);
    asked["spec"]["topologySpreadConstraints"][0]["topologyKey"] = "rack";
    CHECK(world.why_not("b", asked) == uneven + " (missing required label)");
}

TEST_CASE("a claim held by another pod, and one that is missing, are told apart") {
    const auto claimed = [](Json pod, const std::string& name) {
        pod["spec"]["volumes"] = Json::array({{{"persistentVolumeClaim", {{"claimName", name}}}}});
        return pod;
    };
    Json claim{{"kind", "PersistentVolumeClaim"},
               {"metadata",
                {{"name", "disk"},
                 {"namespace", "web"},
                 {"annotations", {{"pv.kubernetes.io/bind-completed", "yes"}}}}},
               {"spec", {{"volumeName", "pv"}, {"accessModes", {"ReadWriteOncePod"}}}}};
    const Json volume{{"kind", "PersistentVolume"}, {"metadata", {{"name", "pv"}}}};
    const World world({node("a"), node("b"), claim, volume, claimed(pod("old", "a"), "disk")});
    CHECK(world.why_not("b", claimed(pod("p"), "disk")) ==
          "node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode "
          "already in-use by another pod");
    CHECK(world.why_not("b", claimed(pod("p"), "nowhere")) ==
          "persistentvolumeclaim \"nowhere\" not found");
    CHECK(World({node("a"), claim}).message(claimed(pod("p"), "disk")) ==
          "0/1 nodes are available: persistentvolume \"pv\" not found. not found");
    claim["metadata"].erase("annotations");
    CHECK(World({node("a"), claim, volume}).why_not("a", claimed(pod("p"), "disk")) ==
          "pod has unbound immediate PersistentVolumeClaims");
}

TEST_CASE("the message counts reasons, and says whether preemption would help") {
    Json closed = node("b");
    closed["spec"]["unschedulable"] = true;
    const World world({node("a"), closed, asking(pod("p1", "a"), {{"cpu", "1"}})});
    Json asked = asking(pod("p"), {{"cpu", "1500m"}});
    const std::string counted =
        "0/2 nodes are available: 1 Insufficient cpu, 1 node(s) were unschedulable.";
    CHECK(world.message(asked) ==
          counted +
              " no new claims to deallocate, preemption: 0/2 nodes are available: 1 No "
              "preemption victims found for incoming pod, 1 Preemption is not helpful for "
              "scheduling.");
    asked["spec"]["priority"] = 10;
    CHECK(world.message(asked) == counted);  // p1 is preempted
    asked["spec"]["preemptionPolicy"] = "Never";
    CHECK(world.message(asked) ==
          counted +
              " no new claims to deallocate, preemption: not eligible due to "
              "preemptionPolicy=Never.");
}

TEST_CASE("victims that would not make room are told as such") {
    Json important = asking(pod("p1", "a"), {{"cpu", "1"}});
    important["spec"]["priority"] = 20;
    const World world({node("a"), important, asking(pod("p2", "a"), {{"cpu", "100m"}})});
    Json asked = asking(pod("p"), {{"cpu", "1500m"}});
    asked["spec"]["priority"] = 10;
    CHECK(world.message(asked) ==
          "0/1 nodes are available: 1 Insufficient cpu. no new claims to deallocate, preemption: "
          "0/1 nodes are available: 1 Insufficient cpu.");
}

TEST_CASE("what is put again replaces what was there, what is removed leaves no trace") {
    facts::SchedulerView view;
    preflight::put_object(view, node("a"));
    preflight::put_object(view, asking(pod("p", "a"), {{"cpu", "1"}}));
    preflight::put_object(view, asking(pod("p", "a"), {{"cpu", "500m"}}));
    CHECK(view.nodes.at("a").requested.at("cpu") == 500);
    preflight::remove_object(view, "Pod", {"web", "p"});
    CHECK(view.nodes.at("a").requested.at("cpu") == 0);
    CHECK(view.nodes.at("a").pods.empty());
    preflight::remove_object(view, "Node", {"", "a"});
    CHECK(view.nodes.empty());
}
