#include "kubeclient/trace.hpp"

#include <doctest/doctest.h>

#include "kubeclient/redact.hpp"
#include "tests/unit/support/fake_transport.hpp"

using namespace kubeclient;
using namespace std::chrono_literals;
using support::FakeTransport;

namespace {

struct Traced {
    int level = 9;
    Request request{};
    Headers headers{};
    Response response{200, {}, ""};
    std::optional<Error> error{};

    std::vector<std::string> lines() const {
        auto fake = std::make_unique<FakeTransport>();
        if (error) {
            fake->then(*error);
        } else {
            fake->then(response.status, response.body, response.headers);
        }
        std::vector<std::string> seen;
        TraceOptions options;
        options.level = level;
        options.server = {true, "api.example", 6443, "/k8s"};
        options.headers = headers;
        options.sink = [&](const std::string& line) { seen.push_back(line); };
        auto now = std::make_shared<std::chrono::steady_clock::time_point>();
        options.now = [now] { return *now += 5ms; };
        const auto result = with_trace(std::move(fake), options)->send(request);
        CHECK(result.ok() == !error);
        return seen;
    }
    std::string text() const {
        std::string all;
        for (const auto& line : lines()) all += line + "\n";
        return all;
    }
};

const std::string s = "HUNTER2";  // must never be seen
const std::string jwt = "eyJhbGciOi.eyJzdWIiOiJ" + s + ".c2ln";

std::vector<std::string> bodies_with_secrets() {
    return {
        R"({"kind":"Secret","data":{"a":")" + s + R"(","b":")" + s + R"("},"stringData":{"c":")" +
            s + R"("}})",
        R"({"kind":"SecretList","items":[{"data":{"a":")" + s + R"("}},{"stringData":{"a":")" + s +
            R"("}}]})",
        R"({"kind":"List","items":[{"kind":"Secret","data":{"a":")" + s + R"("}}]})",
        R"({"kind":"ConfigMap","data":{"x":")" + s + R"("}})",
        R"({"kind":"Secret","metadata":{"annotations":{)"
        R"("kubectl.kubernetes.io/last-applied-configuration":"{\"data\":{\"a\":\")" +
            s + R"(\"}}"}}})",
        R"({"kind":"TokenRequest","status":{"token":")" + s + R"("}})",
        R"({"kind":"TokenReview","spec":{"token":")" + s + R"("}})",
        R"({"kind":"ExecCredential","status":{"token":")" + s + R"(","clientKeyData":")" + s +
            R"("}})",
        R"({"users":[{"user":{"password":")" + s + R"(","client-key-data":")" + s +
            R"(","auth-provider":{"config":{"id-token":")" + s + R"(","refresh-token":")" + s +
            R"(","client-secret":")" + s + R"("}}}}]})",
        R"({"cloudInitNoCloud":{"userData":"#cloud-config\npassword: )" + s +
            R"(","userDataBase64":")" + s + R"(","networkData":")" + s + R"("}})",
        R"({"env":[{"name":"DB_PASSWORD","value":")" + s + R"("}]})",
        R"({"args":["--password=)" + s + R"(","--token )" + s + R"( token: )" + s + R"("]})",
        R"({"args":["--token",")" + s + R"("]})",
        R"({"any":"https://user:)" + s + R"(@host/path"})",
        R"({"any":")" + jwt + R"("})",
        R"({"any":"see )" + jwt + R"( there"})",
        R"({"any":"-----BEGIN EC PRIVATE KEY-----\n)" + s + R"("})",
        R"({"any":"{\"password\":\")" + s + R"(\"}"})",
        R"({"any":"{\"x\":{\"token\":[\")" + s + R"(\"]}}"})",
        R"({"passwords":[")" + s + R"("],"apiKey":")" + s + R"("})",
        R"([{"token":")" + s + R"("}])",
        "\"" + s + "\"",
        "token: " + s,
        "<html>" + s + "</html>",
        R"({"token":")" + s,
    };
}

}  // namespace

TEST_CASE("each level shows what client-go's does") {
    Traced traced;
    traced.request.path = "/api/v1/pods";
    traced.request.query = {{"labelSelector", "a=b"}};
    traced.headers = {{"User-Agent", "kubectl-virt-handoff/1"}};
    traced.response.body = R"({"kind":"PodList"})";
    using Lines = std::vector<std::string>;
    const std::string url =
        "GET https://api.example:6443/k8s/api/v1/pods?labelSelector=a%3Db 200 in 5 milliseconds";
    traced.level = 5;
    CHECK(traced.lines() == Lines{});
    traced.level = 6;
    CHECK(traced.lines() == Lines{url});
    traced.level = 7;
    const Lines with_headers{"Request Headers:", "    Accept: application/json",
                             "    User-Agent: kubectl-virt-handoff/1", url};
    CHECK(traced.lines() == with_headers);
    traced.level = 8;
    Lines with_bodies = with_headers;
    with_bodies.insert(with_bodies.end(),
                       {"Response Headers:", "    content-type: application/json",
                        "Response Body: {\"kind\":\"PodList\"}"});
    CHECK(traced.lines() == with_bodies);
    traced.level = 9;
    Lines with_curl = with_bodies;
    with_curl.insert(with_curl.begin(),
                     "curl -v -XGET -H 'Accept: application/json' -H 'User-Agent: "
                     "kubectl-virt-handoff/1' "
                     "'https://api.example:6443/k8s/api/v1/pods?labelSelector=a%3Db'");
    CHECK(traced.lines() == with_curl);
}

TEST_CASE("bodies are cut at level 8 and whole at 9") {
    Traced traced;
    traced.response.body = "{\"a\":\"" + std::string(5000, 'x') + "\"}";
    traced.level = 8;
    CHECK(traced.lines().back().ends_with("xxx [truncated 3984 chars]"));
    traced.level = 9;
    CHECK(traced.lines().back().ends_with("xxx\"}"));
}

TEST_CASE("a failure is traced with its reason") {
    Traced traced;
    traced.level = 6;
    traced.request.path = "/x";
    traced.error = Error{ErrorKind::transport, "connection\nreset"};
    CHECK(traced.lines() ==
          std::vector<std::string>{
              "GET https://api.example:6443/k8s/x in 5 milliseconds: connection?reset"});
}

TEST_CASE("no secret appears at any level, wherever it stands") {
    for (int level = 0; level <= 10; ++level) {
        for (const auto& body : bodies_with_secrets()) {
            CAPTURE(level);
            CAPTURE(body);
            Traced traced;
            traced.level = level;
            traced.request.body = body;
            traced.response.body = body;
            CHECK(traced.text().find(s) == std::string::npos);
        }
        Traced traced;
        traced.level = level;
        traced.headers = {{"Authorization", "Bearer " + s},
                          {"Proxy-Authorization", "Basic " + s},
                          {"Cookie", s},
                          {"X-Api-Key", s},
                          {"X-Other", jwt}};
        traced.response.headers = {{"set-cookie", "session=" + s}, {"x-auth-token", s}};
        traced.request.query = {{"token", s},
                                {"access_token", s},
                                {"proxy", "http://user:" + s + "@proxy:3128"},
                                {"q", jwt}};
        CHECK(traced.text().find(s) == std::string::npos);
    }
}

TEST_CASE("what is no secret is still shown") {
    CHECK(redacted_body(R"({"kind":"VirtualMachine","spec":{"secretName":"tls","running":true,)"
                        R"("automountServiceAccountToken":false,"url":"https://host/x"}})") ==
          R"({"kind":"VirtualMachine","spec":{"automountServiceAccountToken":false,"running":true,)"
          R"("secretName":"tls","url":"https://host/x"}})");
    CHECK(redacted_body(R"({"kind":"Secret","data":{"a":"x"},"metadata":{"name":"n"}})") ==
          R"({"data":{"a":"<masked>"},"kind":"Secret","metadata":{"name":"n"}})");
    CHECK(redacted_body("<html>") == "<6 bytes, no JSON: not shown>");
}
