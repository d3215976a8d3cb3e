#include "commands/version.hpp"

#include <doctest/doctest.h>

#include <map>
#include <nlohmann/json.hpp>
#include <sstream>
#include <string>

#include "kubeclient/json.hpp"
#include "tests/unit/support/fake_transport.hpp"

namespace {

using kubeclient::Error;
using kubeclient::ErrorKind;
using kubeclient::Response;

class FakeTransport : public support::NoStreams {
public:
    explicit FakeTransport(std::map<std::string, Response> replies)
        : replies_(std::move(replies)) {}

    kubeclient::Result<Response> send(const kubeclient::Request& request) override {
        const auto reply = replies_.find(request.path);
        if (reply == replies_.end()) {
            return Error{ErrorKind::transport, "unexpected request for " + request.path};
        }
        return reply->second;
    }

private:
    std::map<std::string, Response> replies_;
};

Response reply(int status, std::string body) {
    return {status, {{"content-type", "application/json"}}, std::move(body)};
}

const std::string version_body = R"({"major":"1","minor":"32","gitVersion":"v1.32.4"})";
const std::string kubevirt_body =
    R"({"apiVersion":"kubevirt.io/v1","kind":"KubeVirtList","metadata":{},"items":[)"
    R"({"metadata":{"name":"kubevirt"},"status":{"observedKubeVirtVersion":"v1.5.0"}}]})";
const std::string status_404 =
    R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"NotFound","code":404,)"
    R"("message":"the server could not find the requested resource"})";
const std::string status_403 =
    R"({"kind":"Status","apiVersion":"v1","status":"Failure","reason":"Forbidden","code":403,)"
    R"("message":"kubevirts.kubevirt.io is forbidden: User \"me\" cannot list"})";

struct Outcome {
    commands::ExitCode code;
    std::string out;
    std::string err;
};

Outcome run(const commands::VersionOptions& options,
            const std::map<std::string, Response>& replies) {
    std::istringstream in;
    std::ostringstream out;
    std::ostringstream err;
    commands::Environment environment{.io = {in, out, err}};
    environment.connect = [&](const auto&) -> kubeclient::Result<commands::Connection> {
        if (replies.empty()) return Error{ErrorKind::config, "no cluster here", "set a context"};
        return commands::Connection{{}, std::make_unique<FakeTransport>(replies)};
    };
    const auto code = commands::run_version(options, environment);
    return {code, out.str(), err.str()};
}

const std::string client_line = "Client Version: v" + std::string(commands::tool_version()) + "\n";
const std::string kubevirts = "/apis/kubevirt.io/v1/kubevirts";

}  // namespace

TEST_CASE("version --client needs no cluster") {
    const auto outcome = run({.client_only = true}, {});
    CHECK(outcome.code == commands::ExitCode::done);
    CHECK(outcome.out == client_line);
    CHECK(outcome.err.empty());
}

TEST_CASE("version tells the Kubernetes and KubeVirt versions of the cluster") {
    const auto outcome =
        run({}, {{"/version", reply(200, version_body)}, {kubevirts, reply(200, kubevirt_body)}});
    CHECK(outcome.code == commands::ExitCode::done);
    CHECK(outcome.out == client_line + "Server Version: v1.32.4\nKubeVirt Version: v1.5.0\n");
}

TEST_CASE("a cluster without KubeVirt is no error") {
    const auto outcome =
        run({}, {{"/version", reply(200, version_body)}, {kubevirts, reply(404, status_404)}});
    CHECK(outcome.code == commands::ExitCode::done);
    CHECK(outcome.out == client_line + "Server Version: v1.32.4\nKubeVirt Version: none\n");
}

TEST_CASE("without the right to read KubeVirt the Kubernetes version still stands") {
    const auto outcome =
        run({}, {{"/version", reply(200, version_body)}, {kubevirts, reply(403, status_403)}});
    CHECK(outcome.code == commands::ExitCode::error);
    CHECK(outcome.out == client_line + "Server Version: v1.32.4\nKubeVirt Version: unknown\n");
    CHECK(outcome.err.find("forbidden") != std::string::npos);
}

TEST_CASE("an unreachable cluster is an error after the client's own version") {
    const auto outcome = run({}, {});
    CHECK(outcome.code == commands::ExitCode::error);
    CHECK(outcome.out == client_line);
    CHECK(outcome.err == "error: no cluster here\nhint: set a context\n");
}

TEST_CASE("version -o json is one document, also when the cluster cannot be reached") {
    const commands::VersionOptions options{.output = commands::OutputFormat::json};
    const auto reached = run(
        options, {{"/version", reply(200, version_body)}, {kubevirts, reply(200, kubevirt_body)}});
    const auto document = kubeclient::parse_json(reached.out, "out").value();
    CHECK(document["kind"] == "Version");
    CHECK(document["serverVersion"]["gitVersion"] == "v1.32.4");
    CHECK(document["kubevirtVersion"] == "v1.5.0");
    CHECK(document["exitCode"] == 0);
    CHECK(document["error"].is_null());

    const auto failed = kubeclient::parse_json(run(options, {}).out, "out").value();
    CHECK(failed["clientVersion"]["gitVersion"] == "v" + std::string(commands::tool_version()));
    CHECK(failed["serverVersion"].is_null());
    CHECK(failed["exitCode"] == 1);
    CHECK(failed["error"]["kind"] == "config");
    CHECK(failed["error"]["hint"] == "set a context");
}
