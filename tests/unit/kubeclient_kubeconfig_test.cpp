#include "kubeclient/kubeconfig.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/json.hpp"
#include "kubeclient_fake_system.hpp"

using namespace kubeclient;

namespace {

const std::string pem = "-----BEGIN CERTIFICATE-----\nQQ==\n-----END CERTIFICATE-----\n";
// `pem` in base64.
const std::string pem_data =
    "LS0tLS1CRUdJTiBDRVJUSUZJQ0FURS0tLS0tClFRPT0KLS0tLS1FTkQgQ0VSVElGSUNBVEUtLS0tLQo=";

std::string config_with(const std::string& cluster, const std::string& user) {
    return "current-context: x\n"
           "clusters: [{name: c, cluster: {" +
           cluster +
           "}}]\n"
           "contexts: [{name: x, context: {cluster: c, user: u, namespace: team}}]\n"
           "users: [{name: u, user: {" +
           user + "}}]\n";
}

const std::string server = "server: 'https://127.0.0.1:1'";

Result<Target> load(const std::string& config, KubeconfigFlags flags = {}) {
    FakeMachine machine;
    machine.files["/k/config"] = config;
    machine.files["/k/ca.crt"] = pem;
    machine.files["/k/token"] = "file-token\n";
    machine.files["/flag.pem"] = pem;
    flags.kubeconfig = "/k/config";
    return load_target(flags, system_of(machine));
}

std::string error_of(const std::string& config, KubeconfigFlags flags = {}) {
    const auto target = load(config, std::move(flags));
    return target.ok() ? "no error" : target.error().message;
}

}  // namespace

TEST_CASE("a plain kubeconfig becomes a target") {
    const auto target = load(config_with(
        "server: 'https://api:6443/k8s', tls-server-name: other, certificate-authority: ca.crt, "
        "proxy-url: 'http://p:3128', disable-compression: true",
        "token: secret, as: jane, as-uid: u1, as-groups: [a, b], as-user-extra: {scope: [s, t]}"));
    REQUIRE(target.ok());
    CHECK(target->server == ServerUrl{true, "api", 6443, "/k8s"});
    CHECK(target->tls_server_name == "other");
    CHECK(target->certificate_authority == pem);
    CHECK(target->proxy_url == "http://p:3128");
    CHECK(target->disable_compression);
    CHECK(target->credentials.token == "secret");
    CHECK(target->impersonate == Impersonation{"jane", "u1", {"a", "b"}, {{"scope", {"s", "t"}}}});
    CHECK(target->ns == "team");
    CHECK(target->context == "x");
    CHECK(target->cluster == "c");
    CHECK(target->user == "u");
}

TEST_CASE("the paths of kubeconfig files follow kubectl's order") {
    FakeMachine machine;
    machine.variables = {{"HOME", "/home/me"}};
    CHECK(kubeconfig_paths({}, system_of(machine)) ==
          std::vector<std::string>{"/home/me/.kube/config"});
    machine.variables["KUBECONFIG"] = ":/a:/b::/a:c";
    CHECK(kubeconfig_paths({}, system_of(machine)) == std::vector<std::string>{"/a", "/b", "c"});
    CHECK(kubeconfig_paths({.kubeconfig = "/f"}, system_of(machine)) ==
          std::vector<std::string>{"/f"});
    machine.variables["KUBECONFIG"] = "";
    CHECK(kubeconfig_paths({}, system_of(machine)).front() == "/home/me/.kube/config");
    machine.variables.clear();
    CHECK(kubeconfig_paths({}, system_of(machine)).empty());
}

TEST_CASE("the first file to name an entry or the current context wins, whole") {
    FakeMachine machine;
    machine.variables["KUBECONFIG"] = "/a/config:/none:b/config";
    machine.files["/a/config"] =
        "clusters: [{name: c, cluster: {server: 'https://one', certificate-authority: ca}}]\n"
        "users: [{name: u, user: {tokenFile: sub/token}}]\n";
    machine.files["b/config"] =
        "current-context: x\n"
        "clusters: [{name: c, cluster: {server: 'https://two', tls-server-name: lost}},\n"
        "           {name: d, cluster: {server: 'https://three', certificate-authority: ../ca}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: u}}]\n";
    const auto config = load_kubeconfig({}, system_of(machine));
    REQUIRE(config.ok());
    CHECK(config->current_context == "x");
    CHECK(config->clusters.at("c") ==
          ClusterEntry{.server = "https://one", .certificate_authority = "/a/ca"});
    CHECK(config->clusters.at("d").certificate_authority == "./ca");
    CHECK(config->users.at("u").token_file == "/a/sub/token");
    CHECK(config->missing == std::vector<std::string>{"/none"});
}

TEST_CASE("a file named by --kubeconfig must be there, one that cannot be read is an error") {
    FakeMachine machine;
    machine.variables["KUBECONFIG"] = "/d";
    machine.broken["/d"] = "is a directory";
    const auto system = system_of(machine);
    CHECK(load_kubeconfig({.kubeconfig = "/gone"}, system).error().message ==
          "stat /gone: no such file or directory");
    CHECK(load_kubeconfig({}, system).error().message ==
          "error loading config file \"/d\": open /d: is a directory");
}

TEST_CASE("a file that is no kubeconfig is refused with the entry, never with its value") {
    const std::pair<const char*, const char*> rows[] = {
        {"clusters: {a: b}", "kubeconfig: clusters: a list is expected, not a mapping"},
        {"[1]", "kubeconfig: a mapping is expected, not a list"},
        {"clusters: [7]", "clusters: a mapping is expected, not a number"},
        {"current-context: yes", "kubeconfig: current-context: text is expected, not a boolean"},
        {"users: [{name: u, user: {token: 123456}}]",
         "user \"u\": token: text is expected, not a number"},
        {"users: [{name: u, user: {client-key-data: '$$secret'}}]",
         "user \"u\": client-key-data: illegal base64 data at byte 0"},
        {"clusters: [{name: a, cluster: {insecure-skip-tls-verify: 'true'}}]",
         "cluster \"a\": insecure-skip-tls-verify: a boolean is expected, not text"},
        {"users: [{name: u, user: {exec: {args: [1]}}}]",
         "user \"u\": exec: args: a list of texts is expected, not a number"},
        {"users: [{name: u, user: {exec: {env: [{name: 1}]}}}]",
         "user \"u\": exec: env: name: text is expected, not a number"},
        {"users: [{name: u, user: {as-user-extra: {k: v}}}]",
         "user \"u\": as-user-extra: k: a list is expected, not text"},
        {"contexts: [{name: a}, {name: a}]", "duplicate name \"a\" in contexts"},
        {"kind: Pod\napiVersion: v1",
         "kind \"Pod\" of version \"v1\" is no kubeconfig, which is kind \"Config\" of version "
         "\"v1\""},
        {"a:\n\tb: 1", "/f:2: found character that cannot start any token"},
    };
    for (const auto& [text, message] : rows) {
        CAPTURE(std::string(text));
        const auto config = parse_kubeconfig(text, "/f");
        REQUIRE_FALSE(config.ok());
        CHECK(config.error().message ==
              "error loading config file \"/f\": " + std::string(message));
    }
}

TEST_CASE("odd but valid files are read as kubectl reads them") {
    CHECK(*parse_kubeconfig("", "/f") == Kubeconfig{});
    CHECK(*parse_kubeconfig("# nothing\n", "/f") == Kubeconfig{});
    CHECK(*parse_kubeconfig("---\n---\ncurrent-context: second\n", "/f") == Kubeconfig{});
    CHECK(parse_kubeconfig("current-context: a\ncurrent-context: b\n", "/f")->current_context ==
          "b");
    CHECK(parse_kubeconfig("{\"current-context\": \"j\", \"clusters\": null}", "/f")
              ->current_context == "j");
    CHECK(parse_kubeconfig("Current-Context: x\nunknown: {}\n", "/f")->current_context.empty());
    const auto exec = parse_kubeconfig(
        "users:\n- name: a\n  user: {exec: {command: ./plugin}}\n"
        "- name: b\n  user: {exec: {command: plugin}}\n- name: c\n  user: {exec: null}\n",
        "config");
    REQUIRE(exec.ok());
    CHECK(exec->users.at("a").exec->command == "./plugin");
    CHECK(exec->users.at("b").exec->command == "plugin");
    CHECK_FALSE(exec->users.at("c").exec.has_value());
}

TEST_CASE("what is named and missing is named in the error") {
    const auto config = config_with(server, "token: a");
    CHECK(error_of(config, {.context = "zz"}) == "context was not found for specified context: zz");
    CHECK(error_of(config, {.cluster = "zz"}) == "no server found for cluster \"zz\"");
    CHECK(error_of(config, {.user = "zz"}) == "auth info \"zz\" does not exist");
    const std::string dangling =
        "current-context: x\ncontexts: [{name: x, context: {cluster: c, user: u}}]\n";
    CHECK(error_of(dangling) == "user \"u\" was not found for context \"x\"");
    CHECK(error_of(dangling, {.token = "t"}) == "cluster \"c\" was not found for context \"x\"");
    CHECK(load(dangling, {.server = "https://h", .token = "t"}).ok());
    CHECK(error_of("current-context: gone\n") ==
          "context was not found for specified context: gone");
    CHECK(error_of("contexts: [{name: x, context: {}}]\n") ==
          "no context chosen: the kubeconfig sets no current-context");
    CHECK(error_of("current-context: x\ncontexts: [{name: x, context: {}}]\n") ==
          "cluster was not specified for context \"x\"");
    CHECK(error_of(config_with("tls-server-name: a", "token: a")) ==
          "no server found for cluster \"c\"");
    CHECK(error_of("") == "no configuration has been provided");
}

TEST_CASE("flags win over the files") {
    const auto config =
        config_with(server + ", tls-server-name: old, certificate-authority: ca.crt", "token: a");
    const auto target = load(config, {.ns = "ns/mine",
                                      .server = "https://other",
                                      .proxy_url = "http://p",
                                      .token = "b",
                                      .as = "jane",
                                      .as_uid = "1",
                                      .as_group = {"g"},
                                      .as_user_extra = {"k=v", "k=w=x"}});
    REQUIRE(target.ok());
    CHECK(target->ns == "mine");
    CHECK(target->server.host == "other");
    CHECK(target->tls_server_name.empty());  // it belonged to the file's server
    CHECK(target->certificate_authority == pem);
    CHECK(target->proxy_url == "http://p");
    CHECK(target->credentials.token == "b");
    CHECK(target->impersonate == Impersonation{"jane", "1", {"g"}, {{"k", {"v", "w=x"}}}});

    const auto insecure = load(config, {.insecure_skip_tls_verify = true});
    CHECK(insecure->insecure_skip_tls_verify);
    CHECK(insecure->certificate_authority.empty());
    CHECK(insecure->tls_server_name == "old");
    const auto authority =
        load(config_with(server + ", insecure-skip-tls-verify: true", "token: a"),
             {.certificate_authority = "/flag.pem"});
    CHECK_FALSE(authority->insecure_skip_tls_verify);
    CHECK(authority->certificate_authority == pem);
    CHECK(load(config, {.as_user_extra = {"k"}}).error().kind == ErrorKind::usage);
}

TEST_CASE("--token is used although the file names a token file") {
    const auto config = config_with(server, "tokenFile: token");
    CHECK(load(config)->credentials.token_file == "/k/token");
    const auto target = load(config, {.token = "flag"});
    CHECK(target->credentials.token == "flag");
    CHECK(target->credentials.token_file.empty());
    CHECK(error_of(config_with(server, "tokenFile: gone")) ==
          "unable to read tokenFile /k/gone for u due to open /k/gone: no such file or directory");
}

TEST_CASE("client certificates come with a key, from data or from files") {
    const auto both = "client-certificate-data: " + pem_data + ", client-key-data: " + pem_data;
    const auto target = load(config_with(server, both));
    REQUIRE(target.ok());
    CHECK(target->credentials.client_certificate == pem);
    CHECK(target->credentials.client_key == pem);
    CHECK(load(config_with(server, "client-certificate: ca.crt, client-key: ca.crt"))
              ->credentials.client_key == pem);
    CHECK(load(config_with(server, both),
               {.client_certificate = "/flag.pem", .client_key = "/flag.pem"})
              .ok());
    CHECK(error_of(config_with(server, "client-certificate: ca.crt")) ==
          "client-key-data or client-key must be specified for u to use the clientCert "
          "authentication method");
    CHECK(error_of(config_with(server, both + ", client-certificate: ca.crt")) ==
          "client-cert-data and client-cert are both specified for u");
    CHECK(error_of(config_with(server, "client-certificate: ca.crt, client-key: gone")) ==
          "unable to read client-key /k/gone for u due to open /k/gone: no such file or "
          "directory");
    CHECK(error_of(config_with(server, "client-certificate: ca.crt, client-key-data: YQ==")) ==
          "client-key-data for u holds no PEM block");
}

TEST_CASE("contradictions are refused") {
    CHECK(error_of(config_with(server + ", certificate-authority-data: " + pem_data +
                                   ", insecure-skip-tls-verify: true",
                               "token: a")) ==
          "specifying a root certificates file with the insecure flag is not allowed: cluster "
          "\"c\"");
    CHECK(error_of(config_with(server +
                                   ", certificate-authority: ca.crt, "
                                   "certificate-authority-data: " +
                                   pem_data,
                               "token: a")) ==
          "certificate-authority-data and certificate-authority are both specified for c");
    CHECK(error_of(config_with(server, "token: a, username: b, password: c")) ==
          "more than one authentication method found for u; found [token basicAuth], only one is "
          "allowed");
    CHECK(error_of(config_with(server, "token: a, as-groups: [g]")) ==
          "requesting uid, groups or user-extra for u without impersonating a user");
    CHECK(error_of(config_with("tls-server-name: x", "token: a, username: b")) ==
          "invalid configuration: more than one authentication method found for u; found [token "
          "basicAuth], only one is allowed; no server found for cluster \"c\"");
}

TEST_CASE("a certificate authority that cannot be used names file and cluster") {
    CHECK(error_of(config_with(server + ", certificate-authority: gone", "token: a")) ==
          "unable to read certificate-authority /k/gone for c due to open /k/gone: no such file "
          "or directory");
    CHECK(error_of(config_with(server + ", certificate-authority: token", "token: a")) ==
          "certificate-authority /k/token for c holds no PEM block");
    CHECK(error_of(config_with(server + ", certificate-authority-data: YQ==", "token: a")) ==
          "certificate-authority-data for c holds no PEM block");
}

TEST_CASE("server and proxy URLs are checked with the cluster named") {
    CHECK(error_of(config_with("server: 'ftp://h'", "token: a")) ==
          "server of cluster \"c\": unsupported protocol scheme \"ftp\"");
    const auto socks = load(config_with(server + ", proxy-url: 'socks5://h:1'", "token: a"));
    CHECK(socks.error().message ==
          "invalid 'proxy-url' for cluster \"c\": SOCKS5 proxies are not supported");
    CHECK_FALSE(socks.error().hint.empty());
}

TEST_CASE("over plain HTTP no credentials are kept") {
    const auto target = load(config_with("server: '127.0.0.1:8080'", "token: secret, as: jane"));
    REQUIRE(target.ok());
    CHECK_FALSE(target->server.tls);
    CHECK(target->credentials == Credentials{});
    CHECK(target->impersonate.user == "jane");
}

TEST_CASE("an exec plugin is taken over with its cluster's facts") {
    const std::string exec =
        "exec: {apiVersion: client.authentication.k8s.io/v1, command: bin/p, args: [a, 'b c'], "
        "env: [{name: K, value: V}], interactiveMode: Always, provideClusterInfo: true, "
        "installHint: \"get \\x1b[1mit\\nhere\"}";
    const auto target = load(config_with(
        server + ", certificate-authority-data: " + pem_data +
            ", extensions: [{name: client.authentication.k8s.io/exec, extension: {aud: x}}]",
        exec));
    REQUIRE(target.ok());
    REQUIRE(target->credentials.exec.has_value());
    const auto& plugin = *target->credentials.exec;
    CHECK(plugin.command == "/k/bin/p");
    CHECK(plugin.arguments == std::vector<std::string>{"a", "b c"});
    CHECK(plugin.environment == std::vector<std::pair<std::string, std::string>>{{"K", "V"}});
    CHECK(plugin.interactive == InteractiveMode::always);
    CHECK(plugin.install_hint == "get U+001B[1mit\nhere");
    CHECK(*parse_json(plugin.cluster_info, "info") == Json{{"server", "https://127.0.0.1:1"},
                                                           {"certificate-authority-data", pem_data},
                                                           {"config", {{"aud", "x"}}}});
}

TEST_CASE("the interactive mode has a default in v1beta1 and none in v1") {
    const std::string v1 = "exec: {apiVersion: client.authentication.k8s.io/v1, command: p";
    const std::string beta = "exec: {apiVersion: client.authentication.k8s.io/v1beta1, command: p";
    CHECK(error_of(config_with(server, v1 + "}")) ==
          "interactiveMode must be specified for u to use exec authentication plugin");
    CHECK(load(config_with(server, beta + "}"))->credentials.exec->interactive ==
          InteractiveMode::if_available);
    CHECK(load(config_with(server, v1 + ", interactiveMode: Never}"))
              ->credentials.exec->interactive == InteractiveMode::never);
    CHECK(error_of(config_with(server, v1 + ", interactiveMode: Foo}")) ==
          "invalid interactiveMode for u: \"Foo\"");
    CHECK(error_of(config_with(server, "exec: {interactiveMode: Never}")) ==
          "invalid configuration: command must be specified for u to use exec authentication "
          "plugin; apiVersion must be specified for u to use exec authentication plugin");
}

TEST_CASE("an auth-provider is refused with the way to convert it") {
    const auto config = config_with(
        server,
        "auth-provider: {name: oidc, config: {idp-issuer-url: 'https://id', client-id: kube, "
        "client-secret: hunter2, refresh-token: hunter3}}");
    const auto target = load(config);
    REQUIRE_FALSE(target.ok());
    CHECK(target.error().message ==
          "user \"u\" logs in with auth-provider \"oidc\", which is not supported");
    CHECK(target.error().hint.find("kubelogin") != std::string::npos);
    CHECK(target.error().hint.find("--oidc-issuer-url=https://id") != std::string::npos);
    CHECK(target.error().hint.find("hunter") == std::string::npos);
    CHECK(load(config, {.token = "t"}).ok());
    CHECK(load(config_with(server, "auth-provider: {name: gcp}"))
              .error()
              .hint.find("gke-gcloud-auth-plugin") != std::string::npos);
}

TEST_CASE("names from a kubeconfig are quoted in the command that is advised") {
    const auto target = load(
        "current-context: x\nclusters: [{name: c, cluster: {server: 'https://h'}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: \"a'; rm -rf /\"}}]\n"
        "users: [{name: \"a'; rm -rf /\", user: {auth-provider: {name: oidc, config: "
        "{idp-issuer-url: 'https://id/$(id)'}}}}]\n");
    const auto hint = target.error().hint;
    CHECK(hint.find("set-credentials 'a'\\''; rm -rf /' --exec") != std::string::npos);
    CHECK(hint.find("'--exec-arg=--oidc-issuer-url=https://id/$(id)'") != std::string::npos);
}

TEST_CASE("no error ever shows a token, a key or a password") {
    const std::string secret = "aHVudGVyMg==";  // "hunter2", as data and as text
    const std::string faults[] = {
        "token: " + secret + ", username: " + secret,
        "token: " + secret + ", password: " + secret,
        "token: [" + secret + "]",
        "password: {" + secret + ": 1}",
        "client-certificate-data: " + secret + ", client-key-data: " + secret,
        "client-certificate: ca.crt, client-key-data: " + secret,
        "client-key-data: " + secret + "!",
        "token: " + secret + ", as-groups: [a]",
        "token: \"" + secret,
        "exec: {command: p, env: [{name: T, value: " + secret + "}]}",
        "exec: {command: p, args: [--token=" + secret + "]}",
        "auth-provider: {name: oidc, config: {id-token: " + secret + ", client-secret: " + secret +
            "}}",
    };
    for (const auto& fault : faults) {
        CAPTURE(fault);
        const auto target = load(config_with(server, fault));
        REQUIRE_FALSE(target.ok());
        const auto shown = target.error().message + target.error().hint;
        CHECK(shown.find(secret) == std::string::npos);
        CHECK(shown.find("hunter2") == std::string::npos);
    }
    const auto proxy = load(
        config_with(server + ", proxy-url: 'https://me:" + secret + "@h'", "token: " + secret));
    CHECK((proxy.error().message + proxy.error().hint).find(secret) == std::string::npos);
}

TEST_CASE("without any configuration the pod's service account is used") {
    const std::string folder = "/var/run/secrets/kubernetes.io/serviceaccount/";
    FakeMachine machine;
    machine.variables = {{"KUBERNETES_SERVICE_HOST", "fd00::1"},
                         {"KUBERNETES_SERVICE_PORT", "443"}};
    machine.files = {
        {folder + "token", "t\n"}, {folder + "ca.crt", pem}, {folder + "namespace", "team\n"}};
    const auto system = system_of(machine);
    const auto target = load_target({}, system);
    REQUIRE(target.ok());
    CHECK(target->server == ServerUrl{true, "fd00::1", 443, ""});
    CHECK(target->certificate_authority == pem);
    CHECK(target->credentials.token_file == folder + "token");
    CHECK(target->ns == "team");
    CHECK(load_target({.ns = "other"}, system)->ns == "other");
    CHECK(load_target({.token = "mine", .as = "jane"}, system)->credentials.token == "mine");
    CHECK(load_target({.as = "jane"}, system)->impersonate.user == "jane");

    machine.variables["POD_NAMESPACE"] = "pod";
    CHECK(load_target({}, system)->ns == "pod");
    // A server from the flags is a configuration: no token may go there unasked.
    const auto elsewhere = load_target({.server = "https://h"}, system);
    CHECK(elsewhere->credentials == Credentials{});
    machine.files.erase(folder + "token");
    CHECK(load_target({}, system).error().message == "no configuration has been provided");
}

TEST_CASE("a kubeconfig without a namespace takes the pod's, as kubectl does in a pod") {
    FakeMachine machine;
    machine.variables = {{"KUBERNETES_SERVICE_HOST", "10.0.0.1"},
                         {"KUBERNETES_SERVICE_PORT", "443"},
                         {"POD_NAMESPACE", "pod"},
                         {"KUBECONFIG", "/f"}};
    machine.files["/var/run/secrets/kubernetes.io/serviceaccount/token"] = "t";
    machine.files["/f"] =
        "current-context: x\nclusters: [{name: c, cluster: {server: 'https://h'}}]\n"
        "contexts: [{name: x, context: {cluster: c, user: ''}}]\n";
    const auto target = load_target({}, system_of(machine));
    CHECK(target->ns == "pod");
    CHECK(target->server.host == "h");
    CHECK(target->credentials.token_file.empty());
}

TEST_CASE("KUBERNETES_MASTER is the server when nothing else names one") {
    FakeMachine machine;
    machine.variables = {{"KUBERNETES_MASTER", "http://127.0.0.1:8080"},
                         {"KUBECONFIG", "/none:/nowhere"}};
    CHECK(load_target({}, system_of(machine))->server == ServerUrl{false, "127.0.0.1", 8080, ""});
    machine.variables.erase("KUBERNETES_MASTER");
    CHECK(load_target({}, system_of(machine)).error().message ==
          "no configuration has been provided: config not found: /none, /nowhere");
}
