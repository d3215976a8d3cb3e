#include "kubeclient/plugin_policy.hpp"

#include <doctest/doctest.h>

#include "kubeclient_fake_system.hpp"

using namespace kubeclient;
using Rule = PluginPolicy::Rule;

namespace {

const std::string head = "apiVersion: kubectl.config.k8s.io/v1beta1\nkind: Preference\n";

Result<PluginPolicy> policy_of(const std::string& text) {
    FakeMachine machine;
    machine.variables["HOME"] = "/home/me";
    machine.files["/home/me/.kube/kuberc"] = text;
    return load_plugin_policy(system_of(machine));
}

std::string error_of(const std::string& text) {
    const auto policy = policy_of(text);
    return policy.ok() ? "no error" : policy.error().message;
}

Result<std::string> look_up(const std::string& name) {
    if (name == "aws" || name == "/bin/aws") return std::string("/bin/aws");
    return Error{ErrorKind::not_found, "no"};
}

}  // namespace

TEST_CASE("the kuberc file is found where kubectl finds it") {
    FakeMachine machine;
    const auto system = system_of(machine);
    CHECK(*load_plugin_policy(system) == PluginPolicy{});
    machine.variables["HOME"] = "/home/me";
    CHECK(*load_plugin_policy(system) == PluginPolicy{});
    machine.files["/home/me/.kube/kuberc"] = head + "credentialPluginPolicy: DenyAll\n";
    CHECK(load_plugin_policy(system)->rule == Rule::deny_all);
    machine.variables["KUBERC"] = "/mine";
    CHECK(load_plugin_policy(system).error().message ==
          "kuberc: /mine: open /mine: no such file or directory");
    machine.files["/mine"] = head;
    CHECK(load_plugin_policy(system)->rule == Rule::allow_all);
    machine.variables["KUBERC"] = "off";
    CHECK(*load_plugin_policy(system) == PluginPolicy{});
}

TEST_CASE("a policy is read in the old and the new spelling") {
    const auto policy = policy_of(head +
                                  "credentialPluginPolicy: Allowlist\n"
                                  "credentialPluginAllowlist:\n- name: aws\n- command: /opt/id\n");
    REQUIRE(policy.ok());
    CHECK(policy->rule == Rule::allow_listed);
    CHECK(policy->allowed == std::vector<std::string>{"aws", "/opt/id"});
    CHECK(policy_of("")->rule == Rule::allow_all);
    CHECK(policy_of("---\n# other\n---\n" + head + "credentialPluginPolicy: DenyAll")->rule ==
          Rule::deny_all);
    CHECK(policy_of(head + "credentialPluginPolicy: AllowAll\naliases: []")->rule ==
          Rule::allow_all);
}

TEST_CASE("a policy that makes no sense never passes for one that allows everything") {
    const std::string where = "kuberc: /home/me/.kube/kuberc: ";
    const std::pair<std::string, std::string> rows[] = {
        {head + "credentialPluginPolicy: Allowlist",
         "credential plugin policy set to \"Allowlist\", but allowlist is unspecified"},
        {head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: []",
         "credential plugin policy set to \"Allowlist\", but allowlist is empty; use \"DenyAll\" "
         "policy instead"},
        {head + "credentialPluginAllowlist: [{name: a}]",
         "credentialPluginAllowlist needs credentialPluginPolicy: Allowlist"},
        {head + "credentialPluginPolicy: Denyall", "unknown plugin policy: \"Denyall\""},
        {head + "credentialPluginPolicy: 7", "unknown plugin policy: not a text"},
        {head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{}]",
         "misconfigured credential plugin allowlist: empty entry #1"},
        {head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: [{name: ./a}]",
         "non-normalized file path: \"./a\" vs \"a\""},
        {head + "credentialPluginPolicy: Allowlist\ncredentialPluginAllowlist: a",
         "credentialPluginAllowlist is no list"},
        {"kind: Pod\n", "holds no Preference of kubectl.config.k8s.io"},
        {"a: [\n", "/home/me/.kube/kuberc:2: did not find expected node content"},
    };
    for (const auto& [text, message] : rows) {
        CAPTURE(text);
        CHECK(error_of(text) == where + message);
    }
}

TEST_CASE("an allow list matches the command, its path, or what an entry is found to be") {
    PluginPolicy policy{Rule::allow_listed, {"aws"}, "/rc"};
    CHECK(check_plugin(policy, "aws", "/bin/aws", look_up).ok());
    CHECK(check_plugin(policy, "/bin/aws", "/bin/aws", look_up).ok());
    CHECK(check_plugin(policy, "/tmp/aws", "/tmp/aws", look_up).error().message ==
          "plugin path \"/tmp/aws\" is not permitted by the credential plugin allowlist");
    policy.allowed = {"/bin/aws"};
    CHECK(check_plugin(policy, "aws", "/bin/aws", look_up).ok());
    CHECK_FALSE(check_plugin(policy, "gcp", "/bin/gcp", look_up).ok());
    policy.rule = Rule::deny_all;
    const auto denied = check_plugin(policy, "aws", "/bin/aws", look_up);
    CHECK(denied.error().message == "plugin \"aws\" not allowed: policy set to \"DenyAll\"");
    CHECK(denied.error().hint == "the credential plugin policy is in /rc");
    CHECK(check_plugin({}, "aws", "/bin/aws", look_up).ok());
}
