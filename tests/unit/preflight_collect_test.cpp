#include "preflight/collect.hpp"

#include <doctest/doctest.h>

#include <algorithm>
#include <map>
#include <mutex>
#include <nlohmann/json.hpp>
#include <set>

#include "kubeclient/transport.hpp"
#include "tests/unit/support/fake_transport.hpp"

using namespace preflight;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::Method;
using kubeclient::Request;
using kubeclient::Response;

namespace {

constexpr std::chrono::sys_seconds noon{std::chrono::seconds{1'770'000'000}};
const std::string kubevirt_api = "/apis/kubevirt.io/v1";
const std::string vms_path = kubevirt_api + "/namespaces/prod/virtualmachines";
const std::string vmis_path = kubevirt_api + "/namespaces/prod/virtualmachineinstances";
const std::string migrations_path =
    kubevirt_api + "/namespaces/prod/virtualmachineinstancemigrations";
const std::string reviews_path = "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews";
const std::string expand_path =
    "/apis/subresources.kubevirt.io/v1/namespaces/prod/virtualmachines/web/expand-spec";

Response reply(int status, std::string body) {
    return {status, {{"content-type", "application/json"}}, std::move(body)};
}
Response status_reply(int code, const std::string& reason, const std::string& message) {
    return reply(code, Json{{"kind", "Status"},
                            {"apiVersion", "v1"},
                            {"status", "Failure"},
                            {"reason", reason},
                            {"code", code},
                            {"message", message}}
                           .dump());
}

// A cluster that answers by path. What it was not told of is an empty list, or not there.
class FakeCluster final : public support::NoStreams {
public:
    std::map<std::string, kubeclient::Result<Response>> replies{};
    bool may_migrate = true;

    void list(const std::string& path, std::vector<Json> items) {
        const Json list{{"kind", "ThingList"},
                        {"apiVersion", "v1"},
                        {"metadata", Json::object()},
                        {"items", std::move(items)}};
        replies.insert_or_assign(path, reply(200, list.dump()));
    }
    void object(const std::string& path, const Json& object) {
        replies.insert_or_assign(path, reply(200, object.dump()));
    }
    void fail(const std::string& path, Error error) {
        replies.insert_or_assign(path, std::move(error));
    }

    kubeclient::Result<Response> send(const Request& request) override {
        const std::lock_guard lock(mutex_);
        asked_.push_back(request);
        const auto found = replies.find(request.path);
        if (found != replies.end()) return found->second;
        if (request.path == reviews_path) {
            auto review = Json::parse(request.body);
            review["status"] = {{"allowed", may_migrate}};
            return reply(201, review.dump());
        }
        if (request.method == Method::post) return reply(201, request.body);
        if (is_list(request)) {
            return reply(200, R"({"kind":"ThingList","apiVersion":"v1","metadata":{},"items":[]})");
        }
        return reply(404, R"({"kind":"Status","code":404,"reason":"NotFound",
            "message":"not found","details":{"name":"x"}})");
    }

    std::vector<Request> asked() {
        const std::lock_guard lock(mutex_);
        return asked_;
    }
    std::multiset<std::string> paths() {
        std::multiset<std::string> all;
        for (const auto& request : asked()) all.insert(request.path);
        return all;
    }
    std::vector<Request> asked_of(const std::string& path) {
        auto all = asked();
        std::erase_if(all, [&](const Request& request) { return request.path != path; });
        return all;
    }

private:
    static bool is_list(const Request& request) {
        return std::any_of(request.query.begin(), request.query.end(),
                           [](const auto& pair) { return pair.first == "resourceVersion"; });
    }

    std::mutex mutex_{};
    std::vector<Request> asked_{};
};

Json object_of(const std::string& api, const std::string& kind, const std::string& name,
               const std::string& ns = "prod") {
    Json object{{"apiVersion", api}, {"kind", kind}, {"metadata", {{"name", name}}}};
    if (!ns.empty()) object["metadata"]["namespace"] = ns;
    return object;
}
Json vm_of(const std::string& name) {
    auto vm = object_of("kubevirt.io/v1", "VirtualMachine", name);
    vm["spec"]["template"]["spec"]["volumes"] = {
        {{"name", "root"}, {"persistentVolumeClaim", {{"claimName", name + "-disk"}}}}};
    vm["status"]["created"] = true;
    return vm;
}
Json vmi_of(const std::string& name) {
    auto vmi = object_of("kubevirt.io/v1", "VirtualMachineInstance", name);
    vmi["metadata"]["uid"] = name + "-uid";
    vmi["spec"] = vm_of(name)["spec"]["template"]["spec"];
    vmi["status"] = {{"phase", "Running"}, {"nodeName", "n1"}};
    return vmi;
}
Json claim_of(const std::string& name) {
    auto claim = object_of("v1", "PersistentVolumeClaim", name);
    claim["spec"]["volumeName"] = "pv-" + name;
    return claim;
}

// One named VM that runs, and KubeVirt itself.
void fill(FakeCluster& cluster) {
    cluster.object(vms_path + "/web", vm_of("web"));
    cluster.object(vmis_path + "/web", vmi_of("web"));
    cluster.list(vms_path, {vm_of("web")});
    cluster.list(vmis_path, {vmi_of("web")});
    cluster.list(kubevirt_api + "/kubevirts",
                 {object_of("kubevirt.io/v1", "KubeVirt", "kubevirt", "kubevirt")});
    cluster.object("/api/v1/namespaces/prod/persistentvolumeclaims/web-disk", claim_of("web-disk"));
    cluster.object("/api/v1/persistentvolumes/pv-web-disk",
                   object_of("v1", "PersistentVolume", "pv-web-disk", ""));
}

const Selection named{{{TargetKind::any, "web"}}, {}, "prod", {}};
const Selection listed{{}, {}, "prod", {}};

kubeclient::Result<facts::Snapshot> read(FakeCluster& cluster, const Selection& selection) {
    kubeclient::Api api(cluster);
    return collect(api, selection, "cluster test", noon);
}

facts::Snapshot all_of(FakeCluster& cluster, const Selection& selection) {
    auto snapshot = read(cluster, selection);
    if (!snapshot.ok()) FAIL(snapshot.error().message);
    return *std::move(snapshot);
}

const facts::Gap* gap_of(const facts::Snapshot& all, const std::string& id) {
    const auto found = std::find_if(all.gaps.begin(), all.gaps.end(),
                                    [&](const auto& gap) { return gap.id == id; });
    return found == all.gaps.end() ? nullptr : &*found;
}

// In which round a request may be sent at the earliest, by what has to be known for it.
int round_of(const Request& request) {
    const auto& path = request.path;
    const auto has = [&](const char* part) { return path.find(part) != std::string::npos; };
    if (has("/persistentvolumes/")) return 3;
    const bool second = has("/persistentvolumeclaims/") || has("/namespaces/kubevirt/") ||
                        has("/expand-spec") || has("/datavolumes") || has("/pods") ||
                        (request.method == Method::post && path == migrations_path);
    return second ? 2 : 1;
}

}  // namespace

TEST_CASE("a named VM is read with its claim, its volume and nobody else's") {
    FakeCluster cluster;
    fill(cluster);
    const auto all = all_of(cluster, named);
    CHECK(all.live);
    CHECK(all.taken_at == noon);
    CHECK(all.source == "cluster test");
    CHECK(all.vms.items.size() == 1);
    CHECK(all.vmis.items.size() == 1);
    CHECK(all.claims.items.at(0).meta.name == "web-disk");
    CHECK(all.volumes.items.at(0).meta.name == "pv-web-disk");
    CHECK(all.opinions.items.at(0).accepted);
    CHECK(all.gaps.empty());
    const auto paths = cluster.paths();
    CHECK(paths.count(vms_path) == 0);
    CHECK(paths.count("/api/v1/persistentvolumes") == 0);
    CHECK(paths.count("/api/v1/namespaces/prod/persistentvolumeclaims") == 0);
}

TEST_CASE("a named VM takes three rounds") {
    FakeCluster cluster;
    fill(cluster);
    (void)all_of(cluster, named);
    int round = 1;
    for (const auto& request : cluster.asked()) {
        CAPTURE(request.path);
        CHECK(round_of(request) >= round);
        round = std::max(round, round_of(request));
    }
    CHECK(round == 3);
}

TEST_CASE("lists ask the same few questions for one VM and for three hundred") {
    const auto paths = [](int count) {
        FakeCluster cluster;
        fill(cluster);
        std::vector<Json> vms;
        std::vector<Json> vmis;
        std::vector<Json> claims;
        for (int number = 0; number < count; ++number) {
            const auto name = "web-" + std::to_string(number);
            vms.push_back(vm_of(name));
            vmis.push_back(vmi_of(name));
            claims.push_back(claim_of(name + "-disk"));
        }
        cluster.list(vms_path, vms);
        cluster.list(vmis_path, vmis);
        cluster.list("/api/v1/namespaces/prod/persistentvolumeclaims", claims);
        const auto all = all_of(cluster, listed);
        CHECK(all.vmis.items.size() == static_cast<std::size_t>(count));
        CHECK(all.claims.items.size() == static_cast<std::size_t>(count));
        return cluster.paths();
    };
    const auto few = paths(1);
    CHECK(few == paths(300));
    CHECK(few.size() <= 16);
    CHECK(few.count(reviews_path) == 0);
    CHECK(few.count("/api/v1/nodes") == 1);
}

TEST_CASE("lists come from the server's cache, launchers by label") {
    FakeCluster cluster;
    fill(cluster);
    (void)all_of(cluster, listed);
    for (const auto& request : cluster.asked()) {
        if (request.path != "/api/v1/namespaces/prod/pods") continue;
        using Pair = std::pair<std::string, std::string>;
        const auto has = [&](const Pair& pair) {
            return std::count(request.query.begin(), request.query.end(), pair) == 1;
        };
        CHECK(has({"labelSelector", "kubevirt.io=virt-launcher"}));
        CHECK(has({"resourceVersion", "0"}));
    }
}

TEST_CASE("whatever cannot be read is a gap with verb, resource and reason") {
    const std::string nodes = "/api/v1/nodes";
    const std::vector<kubeclient::Result<Response>> failures{
        status_reply(403, "Forbidden", "nodes is forbidden"),
        status_reply(404, "NotFound", "the server could not find the requested resource"),
        status_reply(500, "InternalError", "oops"),
        Error{ErrorKind::timeout, "timed out"},
        Error{ErrorKind::transport, "connection refused"},
        reply(200, "{broken"),
        reply(200, ""),
        reply(200, R"({"kind":"Node","apiVersion":"v1","metadata":{"name":"n"}})"),
        reply(200, R"({"kind":"NodeList","apiVersion":"v1","items":{}})"),
        reply(200, R"({"kind":"NodeList","apiVersion":"v1","metadata":{},
            "items":[{"metadata":{"name":"n"},"spec":{"taints":7}}]})")};
    for (const auto& failure : failures) {
        FakeCluster cluster;
        fill(cluster);
        cluster.replies.insert_or_assign(nodes, failure);
        const auto all = all_of(cluster, named);
        if (failure.ok()) CAPTURE(failure->body);
        const auto* gap = gap_of(all, "nodes");
        REQUIRE(gap != nullptr);
        CHECK(gap->verb == "list");
        CHECK(gap->resource == "nodes");
        CHECK_FALSE(gap->reason.empty());
        CHECK_FALSE(all.nodes.complete);
        CHECK(all.nodes.gap == "nodes");
        CHECK(all.nodes.items.empty());
        CHECK(all.gaps.size() == 1);
    }
}

TEST_CASE("one object that is not understood leaves the others as facts") {
    FakeCluster cluster;
    fill(cluster);
    auto bad = vmi_of("bad");
    bad["status"]["phase"] = 7;
    cluster.list(vmis_path, {vmi_of("web"), bad});
    const auto all = all_of(cluster, listed);
    REQUIRE(all.vmis.items.size() == 1);
    CHECK(all.vmis.items.front().meta.name == "web");
    CHECK_FALSE(all.vmis.complete);
    const auto* gap = gap_of(all, "virtualmachineinstances.kubevirt.io");
    REQUIRE(gap != nullptr);
    CHECK(gap->reason == "VirtualMachineInstance prod/bad: status.phase: expected text");
}

TEST_CASE("an object of that name that is not there is absent, not a gap") {
    FakeCluster cluster;
    fill(cluster);
    cluster.replies.erase(vmis_path + "/web");
    const auto all = all_of(cluster, named);
    CHECK(all.gaps.empty());
    CHECK(all.vmis.items.empty());
    CHECK(all.vmis.complete);
}

TEST_CASE("a claim that may not be read is a gap, and its volume is not asked for") {
    FakeCluster cluster;
    fill(cluster);
    cluster.replies.insert_or_assign("/api/v1/namespaces/prod/persistentvolumeclaims/web-disk",
                                     status_reply(403, "Forbidden", "no"));
    const auto all = all_of(cluster, named);
    const auto* gap = gap_of(all, "persistentvolumeclaims");
    REQUIRE(gap != nullptr);
    CHECK(gap->verb == "get");
    CHECK(cluster.paths().count("/api/v1/persistentvolumes/pv-web-disk") == 0);
}

TEST_CASE("without the KubeVirt CR its namespace is not asked about, and that is told") {
    for (const bool refused : {true, false}) {
        FakeCluster cluster;
        fill(cluster);
        const auto path = kubevirt_api + "/kubevirts";
        if (refused) {
            cluster.replies.insert_or_assign(path, status_reply(403, "Forbidden", "no"));
        } else {
            cluster.list(path, {});
        }
        const auto all = all_of(cluster, named);
        CHECK(gap_of(all, "kubevirts.kubevirt.io") != nullptr);
        CHECK(all.kubevirts.gap == "kubevirts.kubevirt.io");
        CHECK(all.handlers.gap == "kubevirts.kubevirt.io");
        CHECK(all.handler_sets.gap == "kubevirts.kubevirt.io");
        CHECK(all.network_policies.gap == "kubevirts.kubevirt.io");
        CHECK_FALSE(all.handlers.complete);
        for (const auto& asked : cluster.paths()) {
            CHECK(asked.find("/namespaces/kubevirt/") == std::string::npos);
        }
    }
}

TEST_CASE("where no VM could be read the first refusal is the answer") {
    const auto refuse = status_reply(403, "Forbidden", "virtualmachines is forbidden");
    for (const auto& selection : {named, listed}) {
        const std::string suffix = selection.targets.empty() ? "" : "/web";
        FakeCluster cluster;
        fill(cluster);
        cluster.replies.insert_or_assign(vms_path + suffix, refuse);
        cluster.replies.insert_or_assign(vmis_path + suffix, refuse);
        const auto both = read(cluster, selection);
        REQUIRE_FALSE(both.ok());
        CHECK(both.error().kind == ErrorKind::forbidden);
        // One was refused, and the other is empty: that is no answer, either.
        cluster.replies.erase(vmis_path + suffix);
        const auto one = read(cluster, selection);
        REQUIRE_FALSE(one.ok());
        CHECK(one.error().kind == ErrorKind::forbidden);
        CHECK(cluster.paths().count("/api/v1/persistentvolumes/pv-web-disk") == 0);
    }
}

TEST_CASE("a VMI alone is enough where VMs may not be read") {
    FakeCluster cluster;
    fill(cluster);
    cluster.replies.insert_or_assign(vms_path + "/web", status_reply(403, "Forbidden", "no"));
    const auto all = all_of(cluster, named);
    CHECK(all.vmis.items.size() == 1);
    CHECK(gap_of(all, "virtualmachines.kubevirt.io") != nullptr);
}

TEST_CASE("an interrupt ends the reading") {
    FakeCluster cluster;
    fill(cluster);
    cluster.fail("/api/v1/nodes", {ErrorKind::canceled, "interrupted"});
    const auto snapshot = read(cluster, listed);
    REQUIRE_FALSE(snapshot.ok());
    CHECK(snapshot.error().kind == ErrorKind::canceled);
    CHECK(cluster.paths().count("/api/v1/namespaces/kubevirt/pods") == 0);
}

TEST_CASE("the server's opinion is a dry run, asked once for the VMI that runs") {
    FakeCluster cluster;
    fill(cluster);
    const auto all = all_of(cluster, named);
    const auto created = cluster.asked_of(migrations_path);
    std::vector<Request> posts;
    for (const auto& request : created) {
        if (request.method == Method::post) posts.push_back(request);
    }
    REQUIRE(posts.size() == 1);
    const auto& query = posts.front().query;
    CHECK(std::count(query.begin(), query.end(),
                     std::pair<std::string, std::string>("dryRun", "All")) == 1);
    const auto body = Json::parse(posts.front().body);
    CHECK(body["spec"]["vmiName"] == "web");
    CHECK(body["metadata"]["namespace"] == "prod");
    CHECK(all.opinions.items.size() == 1);
}

TEST_CASE("nothing is created where the right is missing or cannot be told") {
    for (const int how : {0, 1}) {
        FakeCluster cluster;
        fill(cluster);
        cluster.may_migrate = false;
        if (how == 1) cluster.replies.insert_or_assign(reviews_path, reply(500, "{}"));
        const auto all = all_of(cluster, named);
        CHECK(all.opinions.items.empty());
        CHECK(all.opinions.gap == "dry-run");
        const auto* gap = gap_of(all, "dry-run");
        REQUIRE(gap != nullptr);
        CHECK(gap->verb == "create");
        CHECK(gap->resource == "virtualmachineinstancemigrations.kubevirt.io");
        for (const auto& request : cluster.asked()) {
            CHECK((request.method == Method::get || request.path == reviews_path));
        }
    }
}

TEST_CASE("lists never post anything") {
    FakeCluster cluster;
    fill(cluster);
    (void)all_of(cluster, listed);
    for (const auto& request : cluster.asked()) CHECK(request.method == Method::get);
}

TEST_CASE("a 404 that names no object does not say that the object is not there") {
    FakeCluster cluster;
    fill(cluster);
    cluster.replies.insert_or_assign(
        vmis_path + "/web",
        status_reply(404, "NotFound", "the server could not find the requested resource"));
    const auto all = all_of(cluster, named);
    CHECK_FALSE(all.vmis.complete);
    const auto* gap = gap_of(all, "virtualmachineinstances.kubevirt.io");
    REQUIRE(gap != nullptr);
    CHECK(gap->verb == "get");
}

TEST_CASE("a cluster that serves no virtual machines is told from one that has none of that name") {
    const auto not_served =
        status_reply(404, "NotFound", "the server could not find the requested resource");
    FakeCluster cluster;
    fill(cluster);
    for (const auto& path : {vms_path, vmis_path})
        cluster.replies.insert_or_assign(path, not_served);
    const auto none = read(cluster, listed);
    REQUIRE_FALSE(none.ok());
    CHECK(none.error().kind == ErrorKind::not_served);
    CHECK(none.error().message == "the cluster serves no virtualmachines.kubevirt.io");
    cluster.replies.erase(vms_path + "/web");
    cluster.replies.erase(vmis_path + "/web");
    const auto absent = read(cluster, named);
    REQUIRE(absent.ok());
    CHECK(absent->vms.items.empty());
    CHECK(absent->vms.complete);
    CHECK(absent->vmis.complete);
}

TEST_CASE("why a template could not be expanded is told") {
    FakeCluster cluster;
    fill(cluster);
    auto vm = vm_of("web");
    vm["status"]["created"] = false;
    vm["spec"]["instancetype"]["name"] = "large";
    cluster.object(vms_path + "/web", vm);
    cluster.replies.erase(vmis_path + "/web");
    cluster.replies.insert_or_assign(expand_path, status_reply(403, "Forbidden", "not for you"));
    const auto all = all_of(cluster, named);
    const auto* gap = gap_of(all, "virtualmachines/expand-spec.subresources.kubevirt.io/prod/web");
    REQUIRE(gap != nullptr);
    CHECK(gap->verb == "get");
    CHECK(gap->reason.find("not for you") != std::string::npos);
    CHECK(all.vms.items.front().instancetype == "large");
}
