// The only file of the program that uses lab/.
#include "commands/lab.hpp"

#include <array>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <ostream>
#include <random>
#include <utility>
#include <vector>

#include "commands/errors.hpp"
#include "commands/lab_kubeconfig.hpp"
#include "commands/suggest.hpp"
#include "commands/text.hpp"
#include "lab/certificates.hpp"
#include "lab/controls.hpp"
#include "lab/gateway.hpp"
#include "lab/http_server.hpp"
#include "lab/scenarios.hpp"
#include "lab/simulation.hpp"
#include "lab/ticker.hpp"

namespace commands {

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Result;
using kubeclient::Status;

struct Login {
    std::string_view user;
    std::string_view group;  // may be empty
};

// Their rights: lab/furniture_roles.cpp. The first is who one is without saying more.
constexpr std::array kLogins{Login{"admin", "system:masters"}, Login{"viewer", ""},
                             Login{"operator", ""}, Login{"nobody", ""}};

std::string new_token() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::random_device random;
    std::string token;
    for (int i = 0; i < 40; ++i) token += digits[random() % digits.size()];
    return token;
}

Result<const lab::Scenario*> scenario_of(const LabOptions& options, const std::string& program) {
    if (options.scenario.empty()) return &lab::all_scenarios().front();
    if (const auto* found = lab::find_scenario(options.scenario)) return found;
    std::vector<std::string_view> names;
    for (const auto& each : lab::all_scenarios()) names.push_back(each.name);
    const auto meant = nearest(options.scenario, names);
    return Error{
        ErrorKind::usage, "unknown scenario " + quoted(options.scenario),
        meant ? "did you mean " + quoted(*meant) + "?" : "see '" + program + " lab --list'"};
}

Result<lab::ClusterSize> size_of(const LabOptions& options) {
    const int needed = lab::nodes_for(options.machines);
    const int nodes = options.nodes == 0 ? needed : options.nodes;
    if (nodes * lab::kMachinesPerNode < options.machines) {
        return Error{ErrorKind::usage,
                     std::to_string(options.machines) + " virtual machines do not fit on " +
                         counted(nodes, "node"),
                     "at least --nodes=" + std::to_string(needed) +
                         ", or leave it out: as many as needed are made"};
    }
    return lab::ClusterSize{nodes, options.machines};
}

std::string list(int width) {
    std::vector<std::vector<std::string>> rows{{"SCENARIO", "WHAT IT SHOWS"}};
    for (const auto& scenario : lab::all_scenarios()) {
        rows.push_back({std::string(scenario.name), std::string(scenario.summary)});
    }
    return columns(rows, width);
}

// The kubeconfig of a running lab, gone with it.
class Kubeconfig {
public:
    Kubeconfig(const Files& files, std::string folder, std::string path, std::string text)
        : files_(files),
          folder_(std::move(folder)),
          path_(std::move(path)),
          text_(std::move(text)) {}

    const std::string& path() const { return path_; }

    Status write(const kubeclient::System& system) const {
        const auto there = system.read_file(path_);
        if (!there.ok() && there.error().kind == ErrorKind::not_found) {
            return files_.write(path_, text_, Existing::refuse);
        }
        if (!there.ok()) return there.error();
        if (!is_lab_kubeconfig(*there)) {
            return Error{ErrorKind::config, path_ + " exists and is not the file of a lab",
                         "give --kubeconfig-out another path, or remove the file"};
        }
        return files_.write(path_, text_, Existing::replace);
    }

    // Leaves alone what is no longer ours: another lab may have taken the path over.
    void remove() const {
        files_.take_back(path_, text_);
        if (!folder_.empty()) files_.remove_folder(folder_);
    }

private:
    const Files& files_;
    std::string folder_;  // made for it; empty: the user chose the path
    std::string path_;
    std::string text_;
};

// Everything that runs. Members end in the opposite order: first the server, then the world.
struct Running {
    std::condition_variable changed{};
    lab::Simulation simulation;
    lab::World& world = simulation.world();
    std::vector<LabUser> users{};
    std::unique_ptr<lab::Gateway> gateway{};
    std::unique_ptr<lab::Ticker> ticker{};  // none where time stands still
    std::unique_ptr<lab::HttpServer> server{};
    lab::Controls controls{world, [this] { server->end_connections(); }};
    std::string authority{};

    explicit Running(kubeclient::Instant start) : simulation({.world = {1, start}}) {}

    Status open(const LabOptions& options) {
        lab::Tokens tokens;
        for (const Login& login : kLogins) {
            users.push_back({std::string(login.user), new_token()});
            lab::User user{std::string(login.user)};
            if (!login.group.empty()) user.groups.emplace_back(login.group);
            tokens.emplace(users.back().token, std::move(user));
        }
        gateway = std::make_unique<lab::Gateway>(
            world.server(), [this] { return world.now(); }, std::move(tokens));
        world.server().extend(controls);
        TRY_ASSIGN(ca, lab::CertificateAuthority::make("virt-handoff lab CA"));
        TRY_ASSIGN(identity, ca.issue("kube-apiserver", "DNS:localhost,IP:127.0.0.1"));
        authority = ca.certificate();
        TRY_ASSIGN(opened,
                   lab::HttpServer::start(world, *gateway, changed, identity, options.port));
        server = std::move(opened);
        if (options.speed > 0) {
            ticker = std::make_unique<lab::Ticker>(world, changed, options.speed);
        }
        return kubeclient::Done{};
    }
};

std::string in_shell(const std::string& word) {
    const bool plain = word.find_first_not_of(
                           "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                           "0123456789_./-") == std::string::npos;
    if (plain) return word;
    std::string quoted_word = "'";
    for (const char c : word) quoted_word += c == '\'' ? std::string("'\\''") : std::string(1, c);
    return quoted_word + "'";
}

std::string welcome(const lab::Scenario& scenario, const lab::ClusterSize& size,
                    const std::string& path, const std::string& program) {
    return "The lab plays " + std::string(scenario.name) + ": " + counted(size.nodes, "node") +
           ", " + counted(size.machines, "virtual machine") + ". Ctrl-C ends it.\n\n" +
           "export KUBECONFIG=" + in_shell(printable(path, Breaks::shown)) + "\n" +
           "kubectl get vmi -A -o wide\n" +  //
           program + " preflight -A\n" +     //
           "kubectl --context lab-viewer auth can-i create vmim\n";
}

Result<Kubeconfig> kubeconfig_for(const LabOptions& options, const Running& running,
                                  const Environment& environment) {
    const std::string text = lab_kubeconfig(running.server->port(), running.authority,
                                            running.users, lab::kMachineNamespace);
    if (!options.kubeconfig_out.empty()) {
        return Kubeconfig(environment.files, "", options.kubeconfig_out, text);
    }
    TRY_ASSIGN(folder, environment.files.make_folder("virt-handoff-lab"));
    return Kubeconfig(environment.files, folder, folder + "/kubeconfig", text);
}

void wait_until_asked_to_stop(const std::stop_token& stop) {
    std::mutex mutex;
    std::condition_variable_any never;
    std::unique_lock lock(mutex);
    never.wait(lock, stop, [] { return false; });
}

Status play(const LabOptions& options, Environment& environment) {
    TRY_ASSIGN(scenario, scenario_of(options, environment.program));
    TRY_ASSIGN(size, size_of(options));
    Running running(std::chrono::floor<std::chrono::seconds>(environment.system.now()));
    scenario->build(running.simulation, size);
    TRY(running.open(options));
    TRY_ASSIGN(kubeconfig, kubeconfig_for(options, running, environment));
    const auto written = kubeconfig.write(environment.system);
    if (written.ok()) {
        environment.io.out << welcome(*scenario, size, kubeconfig.path(), environment.program)
                           << std::flush;
        wait_until_asked_to_stop(environment.stop);
    }
    kubeconfig.remove();
    return written;
}

}  // namespace

std::vector<ScenarioText> lab_scenarios() {
    std::vector<ScenarioText> texts;
    for (const auto& each : lab::all_scenarios()) {
        texts.push_back({each.name, each.summary, each.page});
    }
    return texts;
}

ExitCode run_lab(const LabOptions& options, Environment& environment) {
    if (options.list) {
        environment.io.out << list(environment.io.width);
        return ExitCode::done;
    }
    const auto played = play(options, environment);
    if (played.ok()) return environment.interruption();
    print_error(environment.io.err, played.error());
    return exit_code(played.error().kind);
}

}  // namespace commands
