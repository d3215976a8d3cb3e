// real_lab_controllers --kubeconfig FILE: KubeVirt and the nodes of a cluster, played by the lab's
// own controllers as clients of its API server. Says "ready" and works until SIGTERM or the end of
// whoever started it. Then one line for each watch that broke, and "refused …" for each write that
// the API server did not take. Exit code 3: the cluster does not carry the lab's mark, and nothing
// was done.
//
// real_lab_controllers objects NODES VMS: what such a cluster begins with, as a List in JSON.
#include <pthread.h>
#include <signal.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <chrono>
#include <fstream>
#include <iostream>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>
#include <thread>

#include "kubeclient/credentials.hpp"
#include "kubeclient/http_transport.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "lab/cluster_builder.hpp"
#include "lab/remote/remote_cluster.hpp"

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Json;
using kubeclient::Result;
using kubeclient::Transport;

constexpr int kNotMarked = 3;

kubeclient::Instant now() {
    return std::chrono::time_point_cast<kubeclient::Instant::duration>(
        std::chrono::system_clock::now());
}

kubeclient::System machine() {
    kubeclient::System system;
    system.env = [](const std::string&) { return std::nullopt; };
    system.read_file = [](const std::string& path) -> Result<std::string> {
        const std::ifstream file(path);
        if (!file) return Error{ErrorKind::not_found, path + ": cannot be read"};
        std::ostringstream text;
        text << file.rdbuf();
        return text.str();
    };
    system.now = [] { return std::chrono::system_clock::now(); };
    return system;
}

Result<std::unique_ptr<Transport>> connect(const std::string& kubeconfig, const lab::User& user,
                                           const std::stop_token& stop) {
    kubeclient::KubeconfigFlags flags;
    flags.kubeconfig = kubeconfig;
    flags.as = user.name;
    flags.as_group = user.groups;
    const kubeclient::System system = machine();
    TRY_ASSIGN(target, kubeclient::load_target(flags, system));
    TRY_ASSIGN(credentials, kubeclient::make_credentials(target, system));
    kubeclient::HttpOptions options;
    options.user_agent = "virt-handoff-lab";
    options.stop = stop;
    return kubeclient::make_http_transport(target, std::move(credentials), options, system);
}

int failed(const Error& error) {
    std::cerr << "error: " << error.message << '\n';
    if (!error.hint.empty()) std::cerr << error.hint << '\n';
    return error.kind == ErrorKind::usage ? kNotMarked : 1;
}

int play(const std::string& kubeconfig, const std::stop_token& stop) {
    lab::RemoteOptions options;
    options.connect = [&](const lab::User& user) { return connect(kubeconfig, user, stop); };
    options.now = now;
    options.told = [](const std::string& text) { std::cerr << text << std::endl; };
    const auto cluster = lab::RemoteCluster::join(std::move(options), stop);
    if (!cluster.ok()) return failed(cluster.error());
    std::cout << "ready" << std::endl;
    const auto end = (*cluster)->run(stop);
    return end.ok() ? 0 : failed(end.error());
}

// SIGTERM and SIGINT, in a thread of their own, become a request to stop.
int play_until_told(const std::string& kubeconfig) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal(SIGPIPE, SIG_IGN);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    std::stop_source stop;
    std::thread listener([&] {
        int which = 0;
        sigwait(&signals, &which);
        stop.request_stop();
    });
    const int code = play(kubeconfig, stop.get_token());
    kill(getpid(), SIGTERM);  // the listener's, where it still waits
    listener.join();
    return code;
}

int print_objects(int nodes, int machines) {
    lab::World world({1, now()});
    lab::ClusterBuilder builder(world);
    builder.add_system();
    const auto node = [&](int number) { return "node-" + std::to_string(number % nodes + 1); };
    for (int i = 0; i < nodes; ++i) builder.add_node({.name = node(i)});
    for (int i = 0; i < machines; ++i) {
        builder.add_machine({.name = "vm-" + std::to_string(i + 1), .node = node(i)});
    }
    builder.finish();
    Json items = Json::array();
    for (const auto& [resource, kind] : world.server().kinds().all()) {
        for (const auto& [key, object] : world.objects().all(resource)) items.push_back(*object);
    }
    std::cout << Json{{"apiVersion", "v1"}, {"kind", "List"}, {"items", items}}.dump() << '\n';
    return 0;
}

}  // namespace

int main(int count, char** words) {
    const std::vector<std::string> arguments(words + 1, words + count);
    if (arguments.size() == 2 && arguments[0] == "--kubeconfig") {
        return play_until_told(arguments[1]);
    }
    if (arguments.size() == 3 && arguments[0] == "objects") {
        return print_objects(std::max(1, std::stoi(arguments[1])), std::stoi(arguments[2]));
    }
    std::cerr << "usage: real_lab_controllers --kubeconfig FILE | objects NODES VMS\n";
    return 2;
}
