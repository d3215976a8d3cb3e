// Holds our reading of kubeconfig files against kubectl's own, where there is a kubectl.
#include <doctest/doctest.h>

#include <cstdio>
#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "kubeclient/kubeconfig.hpp"
#include "kubeclient_temporary_folder.hpp"

using namespace kubeclient;

namespace {

struct Output {
    int status = 0;
    std::string text{};
};

Output run(const std::string& command) {
    Output output;
    FILE* pipe = popen(command.c_str(), "r");
    char buffer[4096];
    while (const auto count = fread(buffer, 1, sizeof buffer, pipe)) {
        output.text.append(buffer, count);
    }
    output.status = pclose(pipe);
    return output;
}

// What kubectl makes of the files: nullopt where it refuses them.
std::optional<Json> kubectl_view(const std::string& list) {
    const auto output =
        run("KUBECONFIG='" + list + "' kubectl config view --raw -o json 2>/dev/null");
    if (output.status != 0) return std::nullopt;
    return *parse_json(output.text, "kubectl");
}

System real_files(const std::string& list) {
    System system;
    system.env = [list](const std::string& name) -> std::optional<std::string> {
        if (name == "KUBECONFIG") return list;
        return std::nullopt;
    };
    system.read_file = [](const std::string& path) -> Result<std::string> {
        if (!std::filesystem::exists(path)) return Error{ErrorKind::not_found, path};
        std::ifstream file(path);
        return std::string(std::istreambuf_iterator<char>(file), {});
    };
    system.now = [] { return std::chrono::system_clock::now(); };
    return system;
}

// Our result in the shape of `kubectl config view`: the fields that the tests use.
Json our_view(const Kubeconfig& config) {
    Json view{{"current", config.current_context}};
    for (const auto& [name, cluster] : config.clusters) {
        view["clusters"][name] = {cluster.server, cluster.certificate_authority,
                                  cluster.tls_server_name, cluster.proxy_url};
    }
    for (const auto& [name, context] : config.contexts) {
        view["contexts"][name] = {context.cluster, context.user, context.ns};
    }
    for (const auto& [name, user] : config.users) {
        view["users"][name] = {user.token, user.token_file, user.username,
                               user.exec ? user.exec->command : ""};
    }
    return view;
}

Json their_view(const Json& json) {
    Json view{{"current", text_at(json, {"current-context"}).value_or("")}};
    const auto field = [](const Json& entry, const char* kind, const char* key) {
        return text_at(entry, {kind, key}).value_or("");
    };
    for (const auto& entry : items_at(json, {"clusters"})) {
        view["clusters"][text_at(entry, {"name"}).value_or("")] = {
            field(entry, "cluster", "server"), field(entry, "cluster", "certificate-authority"),
            field(entry, "cluster", "tls-server-name"), field(entry, "cluster", "proxy-url")};
    }
    for (const auto& entry : items_at(json, {"contexts"})) {
        view["contexts"][text_at(entry, {"name"}).value_or("")] = {
            field(entry, "context", "cluster"), field(entry, "context", "user"),
            field(entry, "context", "namespace")};
    }
    for (const auto& entry : items_at(json, {"users"})) {
        view["users"][text_at(entry, {"name"}).value_or("")] = {
            field(entry, "user", "token"), field(entry, "user", "tokenFile"),
            field(entry, "user", "username"),
            text_at(entry, {"user", "exec", "command"}).value_or("")};
    }
    return view;
}

const char* const samples[] = {
    "current-context: a\nclusters: [{name: c, cluster: {server: one}}]\n",
    "current-context: b\nclusters: [{name: c, cluster: {server: two, proxy-url: p}},\n"
    "  {name: d, cluster: {certificate-authority: sub/ca}}]\n",
    "contexts: [{name: x, context: {cluster: c, user: u, namespace: n}}]\n"
    "users: [{name: u, user: {tokenFile: ../token}}, {name: v, user: {token: '1'}}]\n",
    "base: &x {server: one, proxy-url: p}\nclusters:\n- name: m\n  cluster: {server: two, <<: *x}\n"
    "- name: n\n  cluster: {<<: [{server: four}, *x]}\n- name: o\n  cluster: {<<: *x, server: "
    "5.}\n",
    "users:\n- name: e\n  user: {exec: {command: bin/p, apiVersion: v, interactiveMode: Never}}\n"
    "- name: f\n  user: {exec: {command: p, apiVersion: v, interactiveMode: Never}}\n",
    "",
    "# only a comment\n",
    "current-context: yes\n",
    "current-context: 0o17\n",
    "current-context: 1:30\n",
    "current-context: 2001-01-01\n",
    "current-context: 1_0\n",
    "current-context: 0b\n",
    "current-context: .\n",
    "current-context: ~\n",
    "current-context: !!str 17\n",
    "current-context: !!binary aGk=\n",
    "current-context: .nan\n",
    "current-context: a\ncurrent-context: z\n",
    "clusters: [{name: c}, {name: c}]\n",
    "clusters: {a: b}\n",
    "users: [{name: u, user: {token: 7}}]\n",
    "users: [{name: u, user: {client-key-data: '*'}}]\n",
    "kind: Pod\napiVersion: v1\n",
    "kind: Config\napiVersion: v2\n",
    "{\"current-context\": \"j\", \"clusters\": null}",
    "---\n---\ncurrent-context: second\n",
    "a: &a [*a]\n",
    "? [a]\n: 1\n",
    "null: 1\n",
    "\tcurrent-context: a\n",
    "[1]\n",
};

}  // namespace

TEST_CASE("files merge as kubectl merges them, and are refused when kubectl refuses them") {
    if (run("kubectl version --client 2>/dev/null").status != 0) {
        MESSAGE("no kubectl on the path: not compared");
        return;
    }
    const TemporaryFolder folder;
    std::vector<std::string> lists;
    std::string merged = folder.path() + "/absent";
    for (std::size_t at = 0; at < std::size(samples); ++at) {
        const auto path = folder.path() + "/d" + std::to_string(at);
        std::filesystem::create_directory(path);
        std::ofstream(path + "/config") << samples[at];
        lists.push_back(path + "/config");
        if (at < 6) merged += ":" + path + "/config";
    }
    lists.push_back(merged);
    lists.push_back(lists[1] + ":" + lists[0]);
    lists.push_back(lists[0] + ":" + lists[0] + "::" + lists[2]);
    for (const auto& list : lists) {
        CAPTURE(list);
        const auto theirs = kubectl_view(list);
        const auto ours = load_kubeconfig({}, real_files(list));
        REQUIRE(ours.ok() == theirs.has_value());
        // kubectl shows paths relative again where the file they come from is the only one.
        const auto shown = [&](const Json& view) {
            auto text = to_line(view);
            const auto folder_of_file = folder.path() + "/d";
            for (auto at = text.find(folder_of_file); at != std::string::npos;
                 at = text.find(folder_of_file)) {
                text.erase(at, text.find('/', at + folder_of_file.size()) + 1 - at);
            }
            return text;
        };
        if (ours.ok()) CHECK(shown(our_view(*ours)) == shown(their_view(*theirs)));
    }
}
