#include "kubeclient/credentials.hpp"

#include <doctest/doctest.h>

#include <atomic>
#include <nlohmann/json.hpp>
#include <thread>

#include "kubeclient/exec_credential.hpp"
#include "kubeclient/json.hpp"
#include "kubeclient_fake_system.hpp"
#include "kubeclient_temporary_folder.hpp"

using namespace kubeclient;
using namespace std::chrono_literals;

namespace {

const std::string v1 = "client.authentication.k8s.io/v1";

Target target_with(Credentials credentials) {
    Target target;
    target.user = "u";
    target.credentials = std::move(credentials);
    return target;
}

Target plugin_target(const std::string& command) {
    return target_with({.exec = ExecPlugin{.api_version = v1, .command = command}});
}

// What a plugin prints, as the argument of echo.
std::string reply(const std::string& status) {
    return "'{\"apiVersion\":\"" + v1 + "\",\"kind\":\"ExecCredential\",\"status\":{" + status +
           "}}'";
}

std::string current_error(const Target& target, const System& system) {
    const auto source = make_credentials(target, system);
    if (!source.ok()) return source.error().message;
    const auto credential = (*source)->current();
    return credential.ok() ? "no error" : credential.error().message;
}

}  // namespace

TEST_CASE("fixed credentials are what the kubeconfig says") {
    FakeMachine machine;
    const auto system = system_of(machine);
    const auto of = [&](Credentials credentials) {
        return *(*make_credentials(target_with(std::move(credentials)), system))->current();
    };
    CHECK(of({.token = "abc"}).authorization == "Bearer abc");
    CHECK(of({.username = "Aladdin", .password = "open sesame"}).authorization ==
          "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    CHECK(of({}).authorization.empty());
    const auto both = of({.token = "abc", .client_certificate = "C", .client_key = "K"});
    CHECK(both.authorization == "Bearer abc");
    CHECK(both.client_certificate == "C");
    CHECK(both.client_key == "K");
}

TEST_CASE("a token that would inject a header is refused without being shown") {
    FakeMachine machine;
    machine.files["/t"] = "good\r\nX-Evil: hunter2\n";
    const auto system = system_of(machine);
    CHECK(current_error(target_with({.token = "a\nX-Evil: hunter2"}), system) ==
          "the token of user \"u\" holds a control character, which no header can");
    CHECK(current_error(target_with({.token_file = "/t"}), system) ==
          "token file /t holds a control character, which no header can");
}

TEST_CASE("a token file is read again before a minute is over") {
    FakeMachine machine;
    machine.files["/t"] = " one\n";
    auto source = *make_credentials(target_with({.token_file = "/t"}), system_of(machine));
    const auto first = *source->current();
    CHECK(first.authorization == "Bearer one");
    machine.files["/t"] = "two\n";
    machine.time += 49s;
    CHECK(*source->current() == first);
    CHECK(machine.reads == 1);
    machine.time += 1s;
    const auto second = *source->current();
    CHECK(second.authorization == "Bearer two");
    CHECK(second.serial != first.serial);
    CHECK(second.generation == first.generation);
}

TEST_CASE("the old token serves as long as the file cannot be read or is empty") {
    FakeMachine machine;
    machine.files["/t"] = "one";
    auto source = *make_credentials(target_with({.token_file = "/t"}), system_of(machine));
    const auto first = *source->current();
    machine.time += 1h;
    machine.broken["/t"] = "permission denied";
    CHECK(*source->current() == first);
    machine.broken.clear();
    machine.files["/t"] = "\n";
    CHECK(*source->current() == first);
    machine.files["/t"] = "two";
    CHECK(source->current()->authorization == "Bearer two");
}

TEST_CASE("a refused token is read again at once, but only the one that was refused") {
    FakeMachine machine;
    machine.files["/t"] = "one";
    auto source = *make_credentials(target_with({.token_file = "/t"}), system_of(machine));
    const auto first = *source->current();
    source->rejected(first.serial);
    CHECK(*source->current() == first);  // the file still says the same: nothing to try again
    CHECK(machine.reads == 2);
    machine.files["/t"] = "two";
    source->rejected(first.serial);
    const auto second = *source->current();
    CHECK(second.authorization == "Bearer two");
    source->rejected(first.serial);  // a late answer to the old token
    CHECK(*source->current() == second);
    CHECK(machine.reads == 3);
}

TEST_CASE("the file wins over the kubeconfig's own token once it can be read") {
    FakeMachine machine;
    auto source =
        *make_credentials(target_with({.token = "own", .token_file = "/t"}), system_of(machine));
    CHECK(source->current()->authorization == "Bearer own");
    machine.files["/t"] = "file";
    CHECK(source->current()->authorization == "Bearer file");
    CHECK(current_error(target_with({.token_file = "/gone"}), system_of(machine)) ==
          "reading the token: open /gone: no such file or directory");
    machine.files["/empty"] = " \n";
    CHECK(current_error(target_with({.token_file = "/empty"}), system_of(machine)) ==
          "read empty token from file \"/empty\"");
}

TEST_CASE("a plugin runs once and again when its credential has expired") {
    const TemporaryFolder folder;
    FakeMachine machine;  // the clock stands at 1970-01-12T13:46:40Z
    const auto plugin = folder.script(
        "plugin", "echo run >> " + folder.path() + "/runs\nn=$(wc -l < " + folder.path() +
                      "/runs)\necho " + "'{\"apiVersion\":\"" + v1 +
                      "\",\"kind\":\"ExecCredential\",\"status\":{\"token\":\"'$n'\"," +
                      "\"expirationTimestamp\":\"1970-01-12T14:00:00Z\"}}'");
    auto source = *make_credentials(plugin_target(plugin), system_of(machine));
    const auto first = *source->current();
    CHECK(first.authorization == "Bearer 1");
    CHECK(source->current()->authorization == "Bearer 1");
    machine.time += 800s;
    CHECK(source->current()->authorization == "Bearer 1");
    machine.time += 1s;
    const auto second = *source->current();
    CHECK(second.authorization == "Bearer 2");
    CHECK(second.serial != first.serial);
    CHECK(second.generation == first.generation);
    CHECK(folder.read("runs") == "run\nrun\n");
}

TEST_CASE("a refused plugin credential is fetched anew, a late refusal is not") {
    const TemporaryFolder folder;
    FakeMachine machine;
    const auto plugin = folder.script(
        "plugin", "echo run >> " + folder.path() + "/runs\nn=$(wc -l < " + folder.path() +
                      "/runs)\necho " + "'{\"apiVersion\":\"" + v1 +
                      "\",\"kind\":\"ExecCredential\",\"status\":{\"clientCertificateData\":\"C'$n"
                      "'\",\"clientKeyData\":\"K\"}}'");
    auto source = *make_credentials(plugin_target(plugin), system_of(machine));
    const auto first = *source->current();
    CHECK(first.authorization.empty());
    CHECK(first.client_certificate == "C1");
    source->rejected(first.serial);
    const auto second = *source->current();
    CHECK(second.client_certificate == "C2");
    CHECK(second.generation != first.generation);
    source->rejected(first.serial);
    CHECK(*source->current() == second);
}

TEST_CASE("many threads that need a credential run the plugin once") {
    const TemporaryFolder folder;
    FakeMachine machine;
    const auto plugin = folder.script(
        "plugin", "echo run >> " + folder.path() + "/runs\necho " + reply("\"token\":\"t\""));
    auto source = *make_credentials(plugin_target(plugin), system_of(machine));
    std::atomic<int> good = 0;
    std::vector<std::thread> threads;
    for (int thread = 0; thread < 8; ++thread) {
        threads.emplace_back([&] {
            const auto credential = source->current();
            if (credential.ok() && credential->authorization == "Bearer t") ++good;
        });
    }
    for (auto& thread : threads) thread.join();
    CHECK(good == 8);
    CHECK(folder.read("runs") == "run\n");
}

TEST_CASE("a plugin is told the version, its input and the cluster") {
    const TemporaryFolder folder;
    FakeMachine machine;
    auto target = plugin_target(
        folder.script("plugin", "printf '%s' \"$KUBERNETES_EXEC_INFO\" > " + folder.path() +
                                    "/info\nprintf '%s' \"$EXTRA\" > " + folder.path() +
                                    "/extra\necho " + reply("\"token\":\"t\"")));
    target.credentials.exec->environment = {{"EXTRA", "more"}};
    target.credentials.exec->provide_cluster_info = true;
    target.credentials.exec->cluster_info = R"({"server":"https://h"})";
    REQUIRE((*make_credentials(target, system_of(machine)))->current().ok());
    CHECK(*parse_json(folder.read("info"), "info") ==
          Json{{"apiVersion", v1},
               {"kind", "ExecCredential"},
               {"spec", {{"interactive", false}, {"cluster", {{"server", "https://h"}}}}}});
    CHECK(folder.read("extra") == "more");
}

TEST_CASE("the interactive mode decides about standard input") {
    const TemporaryFolder folder;
    FakeMachine machine;
    auto target =
        plugin_target(folder.script("plugin", "echo \"$KUBERNETES_EXEC_INFO\" > " + folder.path() +
                                                  "/info\necho " + reply("\"token\":\"t\"")));
    struct Row {
        InteractiveMode mode;
        bool terminal;
        const char* expected;
    };
    const Row rows[] = {
        {InteractiveMode::never, true, "false"},
        {InteractiveMode::if_available, false, "false"},
        {InteractiveMode::if_available, true, "true"},
        {InteractiveMode::always, true, "true"},
    };
    for (const auto& row : rows) {
        target.credentials.exec->interactive = row.mode;
        auto system = system_of(machine);
        system.stdin_is_terminal = row.terminal;
        REQUIRE((*make_credentials(target, system))->current().ok());
        CHECK(folder.read("info").find(std::string("\"interactive\":") + row.expected) !=
              std::string::npos);
    }
    target.credentials.exec->interactive = InteractiveMode::always;
    CHECK(current_error(target, system_of(machine)) ==
          "getting credentials: exec plugin cannot support interactive mode: standard input is not "
          "a terminal");
}

TEST_CASE("a plugin that is missing shows the kubeconfig's install hint") {
    FakeMachine machine;
    machine.variables["PATH"] = "/nonexistent";
    auto target = plugin_target("handoff-no-such-plugin");
    target.credentials.exec->install_hint = "brew install it";
    auto source = *make_credentials(target, system_of(machine));
    const auto credential = source->current();
    CHECK(credential.error().message ==
          "getting credentials: exec: executable handoff-no-such-plugin not found");
    CHECK(credential.error().hint == "brew install it");
    CHECK(credential.error().kind == ErrorKind::config);
}

TEST_CASE("a plugin that fails, hangs or prints rubbish is an error that names it") {
    const TemporaryFolder folder;
    FakeMachine machine;
    const auto system = system_of(machine);
    CHECK(current_error(plugin_target("/bin/false"), system) ==
          "getting credentials: exec: executable /bin/false failed with exit code 1");
    CHECK(current_error(plugin_target(folder.script("talk", "echo hi")), system) ==
          "getting credentials: decoding stdout: the plugin printed no JSON object");
    auto slow =
        *make_credentials(plugin_target(folder.script("slow", "exec sleep 60")), system, 100ms);
    CHECK(slow->current().error().kind == ErrorKind::timeout);
    auto old = plugin_target("/bin/true");
    old.credentials.exec->api_version = "client.authentication.k8s.io/v1alpha1";
    CHECK(make_credentials(old, system).error().message ==
          "exec plugin: invalid apiVersion \"client.authentication.k8s.io/v1alpha1\"");
    CHECK(current_error(
              plugin_target(folder.script("evil", "printf %s " + reply("\"token\":\"a\\nb\""))),
              system)
              .find("holds a control character") != std::string::npos);
}

TEST_CASE("no plugin runs where the target already has a credential") {
    FakeMachine machine;
    const auto system = system_of(machine);
    const ExecPlugin exec{.api_version = v1, .command = "/bin/false"};
    CHECK(current_error(target_with({.token = "t", .exec = exec}), system) == "no error");
    CHECK(current_error(target_with({.username = "u", .exec = exec}), system) == "no error");
    CHECK(current_error(target_with({.client_certificate = "C", .client_key = "K", .exec = exec}),
                        system) == "no error");
}

TEST_CASE("the kuberc file decides whether a plugin runs") {
    const TemporaryFolder folder;
    FakeMachine machine;
    machine.variables["KUBERC"] = "/rc";
    const std::string head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";
    const auto plugin = folder.script(
        "plugin", "touch " + folder.path() + "/ran\necho " + reply("\"token\":\"t\""));
    machine.files["/rc"] = head + "credentialPluginPolicy: DenyAll\n";
    CHECK(current_error(plugin_target(plugin), system_of(machine)) ==
          "getting credentials: plugin \"" + plugin + "\" not allowed: policy set to \"DenyAll\"");
    machine.files["/rc"] =
        head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: aws}]\n";
    CHECK(current_error(plugin_target(plugin), system_of(machine)) ==
          "getting credentials: plugin path \"" + plugin +
              "\" is not permitted by the credential plugin allowlist");
    CHECK_FALSE(std::filesystem::exists(folder.path() + "/ran"));
    machine.variables["PATH"] = folder.path();
    machine.files["/rc"] =
        head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: plugin}]\n";
    CHECK(current_error(plugin_target(plugin), system_of(machine)) == "no error");
    machine.files["/rc"] = head + "credentialPluginPolicy: Nonsense\n";
    CHECK(current_error(plugin_target(plugin), system_of(machine)) ==
          "kuberc: /rc: unknown plugin policy: \"Nonsense\"");
}

TEST_CASE("an ExecCredential is taken only when it is whole and of the configured version") {
    const auto decode = [](const std::string& status) {
        return decode_exec_credential(
            "{\"apiVersion\":\"" + v1 + "\",\"kind\":\"ExecCredential\"" + status + "}", v1);
    };
    const auto whole = decode(
        ",\"status\":{\"token\":\"t\",\"clientCertificateData\":\"C\",\"clientKeyData\":\"K\","
        "\"expirationTimestamp\":\"1970-01-01T00:00:01Z\"}");
    REQUIRE(whole.ok());
    CHECK(*whole == ExecCredential{"t", "C", "K", Instant(1s)});
    const std::pair<const char*, const char*> rows[] = {
        {"", "exec plugin didn't return a status field"},
        {",\"status\":null", "exec plugin didn't return a status field"},
        {",\"status\":{}", "exec plugin didn't return a token or cert/key pair"},
        {",\"status\":{\"token\":\"\"}", "exec plugin didn't return a token or cert/key pair"},
        {",\"status\":{\"token\":\"t\",\"clientKeyData\":\"K\"}",
         "exec plugin returned only certificate or key, not both"},
        {",\"status\":{\"clientCertificateData\":\"C\"}",
         "exec plugin returned only certificate or key, not both"},
        {",\"status\":{\"token\":7}", "decoding stdout: status.token is no text"},
        {",\"status\":{\"token\":\"t\",\"expirationTimestamp\":\"soon\"}",
         "decoding stdout: status.expirationTimestamp is no time"},
    };
    for (const auto& [status, message] : rows) {
        CAPTURE(std::string(status));
        CHECK(decode(status).error().message == std::string(message));
    }
    CHECK(decode_exec_credential("{\"apiVersion\":\"client.authentication.k8s.io/v1beta1\","
                                 "\"kind\":\"ExecCredential\",\"status\":{\"token\":\"t\"}}",
                                 v1)
              .error()
              .message ==
          "exec plugin is configured to use API version client.authentication.k8s.io/v1, plugin "
          "returned version client.authentication.k8s.io/v1beta1");
    CHECK(decode_exec_credential("{\"kind\":\"Status\"}", v1).error().message ==
          "decoding stdout: the plugin printed no ExecCredential");
}
