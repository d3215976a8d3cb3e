#include "lab/remote/remote_cluster.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>
#include <utility>

#include "kubeclient/api.hpp"
#include "kubeclient/follow.hpp"
#include "lab/certificates.hpp"
#include "lab/controllers/attach_detach.hpp"
#include "lab/controllers/kubelet.hpp"
#include "lab/controllers/node_endpoints.hpp"
#include "lab/controllers/virt_api.hpp"
#include "lab/controllers/virt_controllers.hpp"
#include "lab/controllers/virt_handler.hpp"
#include "lab/http_server.hpp"
#include "lab/kubernetes.hpp"
#include "lab/remote/callbacks.hpp"
#include "lab/remote/inbox.hpp"
#include "lab/remote/lock_free_client.hpp"
#include "lab/remote/mirror.hpp"
#include "lab/remote/node_address.hpp"
#include "lab/remote/registration.hpp"

namespace lab {

namespace {

using kubeclient::Api;
using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Flow;
using kubeclient::Result;
using kubeclient::Status;
using kubeclient::Transport;

// What components take from a change to their reaction: as in a Simulation.
constexpr Duration kControlPlane = std::chrono::milliseconds(20);
constexpr Duration kNodeSide = std::chrono::milliseconds(150);
constexpr auto kInStepWithin = std::chrono::seconds(60);

struct Followed {
    const char* group;
    const char* plural;
    const char* collection;
};

// Everything that a controller which runs here reads.
constexpr std::array kFollowed{
    Followed{"", "namespaces", "/api/v1/namespaces"},
    Followed{"", "nodes", "/api/v1/nodes"},
    Followed{"", "pods", "/api/v1/pods"},
    Followed{"", "persistentvolumeclaims", "/api/v1/persistentvolumeclaims"},
    Followed{"", "persistentvolumes", "/api/v1/persistentvolumes"},
    Followed{"", "resourcequotas", "/api/v1/resourcequotas"},
    Followed{"coordination.k8s.io", "leases",
             "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"},
    Followed{"storage.k8s.io", "csidrivers", "/apis/storage.k8s.io/v1/csidrivers"},
    Followed{"storage.k8s.io", "volumeattachments", "/apis/storage.k8s.io/v1/volumeattachments"},
    Followed{"kubevirt.io", "kubevirts", "/apis/kubevirt.io/v1/kubevirts"},
    Followed{"kubevirt.io", "virtualmachines", "/apis/kubevirt.io/v1/virtualmachines"},
    Followed{"kubevirt.io", "virtualmachineinstances",
             "/apis/kubevirt.io/v1/virtualmachineinstances"},
    Followed{"kubevirt.io", "virtualmachineinstancemigrations",
             "/apis/kubevirt.io/v1/virtualmachineinstancemigrations"},
    Followed{"migrations.kubevirt.io", "migrationpolicies",
             "/apis/migrations.kubevirt.io/v1alpha1/migrationpolicies"},
};

std::set<ResourceId> followed_resources() {
    std::set<ResourceId> resources;
    for (const Followed& each : kFollowed) resources.insert({each.group, each.plural});
    return resources;
}

Status check_mark(Api& api) {
    const std::string name = std::string(kMarkNamespace) + "/" + kMarkName;
    const auto map =
        api.get(std::string("/api/v1/namespaces/") + kMarkNamespace + "/configmaps/" + kMarkName);
    if (!map.ok() && map.error().kind != ErrorKind::not_found) return map.error();
    if (map.ok() && kubeclient::text_at(*map, {"data", "mark"}) == kMark) return kubeclient::Done{};
    return Error{ErrorKind::usage,
                 "the cluster does not carry the lab's mark: ConfigMap " + name +
                     " with data.mark \"" + kMark + "\"",
                 "only for clusters that a test has made and will throw away"};
}

// How long nothing will happen by itself; most a tenth of a second, as in Ticker.
Duration idle(const World& world) {
    constexpr Duration most = std::chrono::milliseconds(100);
    const auto due = world.next_due();
    if (!due) return most;
    return std::clamp<Duration>(std::chrono::duration_cast<Duration>(*due - world.now()),
                                std::chrono::milliseconds(1), most);
}

}  // namespace

// Members end in the opposite order: first whoever calls us, then the watches, then the world.
struct RemoteCluster::State {
    RemoteOptions options;
    std::mutex telling{};
    World world;
    Mirror mirror{world.objects(), followed_resources()};
    Hardware hardware{[this] { return world.now(); }};
    NodeEndpoints endpoints{world.objects(), hardware, [this] { return world.now(); }};
    std::unique_ptr<Extension> virt_api{};
    std::unique_ptr<Callbacks> callbacks{};
    std::unique_ptr<Transport> reader{};
    std::unique_ptr<Api> api{};
    Inbox inbox{};
    std::vector<std::jthread> watches{};
    std::condition_variable nobody_watches_us{};
    std::unique_ptr<HttpServer> server{};

    explicit State(RemoteOptions the_options)
        : options(std::move(the_options)), world({1, options.now()}) {}

    void tell(const std::string& text) {
        const std::lock_guard lock(telling);
        if (options.told) options.told(text);
    }

    Result<std::unique_ptr<Transport>> client(const User& user, Mirror* sees_writes) {
        TRY_ASSIGN(transport, options.connect(user));
        return lock_free_client(std::move(transport), world.lock(), sees_writes,
                                [this](const std::string& line) { tell("refused " + line); });
    }

    Status log_in() {
        TRY_ASSIGN(transport, options.connect(component("virt-handoff-lab")));
        reader = std::move(transport);
        api = std::make_unique<Api>(*reader);
        return check_mark(*api);
    }

    void follow(const Followed& what, const std::stop_token& stop) {
        const ResourceId resource{what.group, what.plural};
        kubeclient::Follower follower;
        follower.changed = [&](kubeclient::Change change, const Json& object) {
            inbox.put({resource, change, std::make_shared<const Json>(object)});
            return Flow::go_on;
        };
        follower.in_step = [&] {
            inbox.in_step(resource);
            return Flow::go_on;
        };
        follower.trouble = [&](const Error& error, std::chrono::milliseconds) {
            tell(std::string(what.plural) + ": " + error.message);
            return Flow::go_on;
        };
        const auto end =
            kubeclient::follow(*api, what.collection, kubeclient::follow_options(stop), follower);
        if (!end.ok()) inbox.give_up(end.error());
    }

    Status follow_all(const std::stop_token& stop) {
        for (const Followed& what : kFollowed) {
            watches.emplace_back([this, &what](const std::stop_token& end) { follow(what, end); });
        }
        if (inbox.wait_in_step(stop, kFollowed.size(), kInStepWithin)) return kubeclient::Done{};
        if (const auto failure = inbox.failure()) return *failure;
        return Error{ErrorKind::timeout, "the API server has not told all its objects"};
    }

    void take_in() {
        for (const Incoming& each : inbox.take_all()) {
            mirror.take(each.resource, each.change, *each.object);
        }
    }

    // virt-api, and a port for it and for the kubelets.
    Status open_door() {
        TRY_ASSIGN(transport, client(service_account("kubevirt", "kubevirt-apiserver"), nullptr));
        virt_api =
            make_virt_api(std::move(transport), world.objects(), [this] { return world.now(); });
        callbacks = std::make_unique<Callbacks>(*virt_api, endpoints);
        TRY_ASSIGN(authority, CertificateAuthority::make("virt-handoff lab CA"));
        TRY_ASSIGN(identity, authority.issue("virt-api", kVirtApiNames));
        TRY_ASSIGN(opened, HttpServer::start(world, *callbacks, nobody_watches_us, identity, 0));
        server = std::move(opened);
        return register_all(*api, registrations(server->port(), authority.certificate()));
    }

    Status add(std::unique_ptr<Controller> controller, const User& user, Duration reaction) {
        TRY_ASSIGN(transport, client(user, &mirror));
        world.add_remote(std::move(controller), std::move(transport), reaction);
        return kubeclient::Done{};
    }

    Status add_controllers() {
        const User controller = component(std::string(kVirtControllerUser));
        const User node = component("system:node");
        TRY(add(make_vm_controller(), controller, kControlPlane));
        TRY(add(make_vmi_controller(), controller, kControlPlane));
        TRY(add(make_migration_controller(), controller, kControlPlane));
        TRY(add(make_evacuation_controller(), controller, kControlPlane));
        TRY(add(make_node_controller(), controller, kControlPlane));
        TRY(add(std::make_unique<CsiAttacher>(), service_account("kube-system", "csi"),
                kControlPlane));
        TRY(add(std::make_unique<Kubelet>(hardware), node, kNodeSide));
        TRY(add(std::make_unique<NodeAddress>(server->port()), node, kNodeSide));
        TRY(add(std::make_unique<VirtHandler>(hardware),
                service_account("kubevirt", "kubevirt-handler"), kNodeSide));
        return kubeclient::Done{};
    }
};

RemoteCluster::RemoteCluster(std::unique_ptr<State> state) : state_(std::move(state)) {}

RemoteCluster::~RemoteCluster() = default;

Result<std::unique_ptr<RemoteCluster>> RemoteCluster::join(RemoteOptions options,
                                                           const std::stop_token& stop) {
    auto state = std::make_unique<State>(std::move(options));
    TRY(state->log_in());
    TRY(state->follow_all(stop));
    state->take_in();
    TRY(state->open_door());
    TRY(state->add_controllers());
    return std::unique_ptr<RemoteCluster>(new RemoteCluster(std::move(state)));
}

Status RemoteCluster::run(const std::stop_token& stop) {
    while (!stop.stop_requested()) {
        if (const auto failure = state_->inbox.failure()) return *failure;
        Duration rest{};
        {
            const std::lock_guard lock(state_->world.lock());
            state_->take_in();
            World& world = state_->world;
            world.advance(std::max(Duration(0), std::chrono::duration_cast<Duration>(
                                                    state_->options.now() - world.now())));
            rest = idle(world);
        }
        state_->inbox.wait(stop, rest);
    }
    return kubeclient::Done{};
}

}  // namespace lab
