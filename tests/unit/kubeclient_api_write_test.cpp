#include "kubeclient/api_write.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "kubeclient/api.hpp"
#include "tests/unit/support/fake_transport.hpp"

using namespace kubeclient;
using support::FakeTransport;

namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

const char* const kPath = "/apis/a/v1/namespaces/n/xs/x";
const Query kStored{{"fieldManager", "virt-handoff"}, {"fieldValidation", "Strict"}};
const Query kDry{
    {"fieldManager", "virt-handoff"}, {"fieldValidation", "Strict"}, {"dryRun", "All"}};

// What was asked of a server that answers {"kind":"X"}.
Request asked_by(const std::function<Result<Json>(Api&)>& write) {
    FakeTransport transport;
    transport.then(200, R"({"kind":"X"})");
    Api api(transport);
    const auto done = write(api);
    REQUIRE(done.ok());
    CHECK(text_at(*done, {"kind"}) == "X");
    return transport.asked.at(0);
}

}  // namespace

TEST_CASE("a dry run may be sent again, a real write may not") {
    const Json object{{"a", 1}};
    const auto writes = {
        std::function<Result<Json>(Api&, DryRun)>(
            [&](Api& api, DryRun dry) { return api.create(kPath, object, dry); }),
        {[&](Api& api, DryRun dry) { return api.replace(kPath, object, dry); }},
        {[&](Api& api, DryRun dry) { return api.patch(kPath, PatchKind::merge, object, dry); }}};
    for (const auto& write : writes) {
        const auto real = asked_by([&](Api& api) { return write(api, DryRun::none); });
        CHECK(real.query == kStored);
        CHECK(real.repeatable == Repeatable::no);
        CHECK(real.path == kPath);
        CHECK(real.body == R"({"a":1})");
        const auto dry = asked_by([&](Api& api) { return write(api, DryRun::server); });
        CHECK(dry.query == kDry);
        CHECK(dry.repeatable == Repeatable::yes);
        CHECK(dry.body == real.body);
    }
}

TEST_CASE("each write has its method and content type") {
    const Json object = Json::object();
    const auto created = asked_by([&](Api& a) { return a.create(kPath, object, DryRun::none); });
    CHECK(created.method == Method::post);
    CHECK(created.content_type == "application/json");
    const auto put = asked_by([&](Api& a) { return a.replace(kPath, object, DryRun::none); });
    CHECK(put.method == Method::put);
    CHECK(put.content_type == "application/json");
    const auto type_of = [&](PatchKind kind) {
        const auto request =
            asked_by([&](Api& a) { return a.patch(kPath, kind, object, DryRun::none); });
        CHECK(request.method == Method::patch);
        return request.content_type;
    };
    CHECK(type_of(PatchKind::json) == "application/json-patch+json");
    CHECK(type_of(PatchKind::merge) == "application/merge-patch+json");
    CHECK(type_of(PatchKind::strategic) == "application/strategic-merge-patch+json");
}

TEST_CASE("a lenient write lets unknown fields be dropped with a warning") {
    const auto request = asked_by([](Api& api) {
        return api.create(kPath, Json::object(), DryRun::none, FieldValidation::warn);
    });
    CHECK(request.query == Query{{"fieldManager", "virt-handoff"}, {"fieldValidation", "Warn"}});
}

TEST_CASE("a delete carries its options in the body") {
    const auto body_of = [](const DeleteOptions& options, Repeatable repeatable) {
        const auto request = asked_by([&](Api& api) { return api.remove(kPath, options); });
        CHECK(request.method == Method::del);
        CHECK(request.query.empty());
        CHECK(request.content_type == "application/json");
        CHECK(request.repeatable == repeatable);
        return request.body;
    };
    const std::string start = R"({"apiVersion":"v1",)";
    const std::string end = R"("kind":"DeleteOptions","propagationPolicy":)";
    CHECK(body_of({}, Repeatable::no) == start + end + R"("Background"})");
    DeleteOptions all;
    all.uid = "u";
    all.resource_version = "7";
    all.grace_seconds = 0;
    all.propagation = Propagation::orphan;
    all.dry_run = DryRun::server;
    CHECK(body_of(all, Repeatable::yes) ==
          start + R"("dryRun":["All"],"gracePeriodSeconds":0,)" + R"("kind":"DeleteOptions",)" +
              R"("preconditions":{"resourceVersion":"7","uid":"u"},"propagationPolicy":"Orphan"})");
    DeleteOptions foreground;
    foreground.propagation = Propagation::foreground;
    CHECK(body_of(foreground, Repeatable::no) == start + end + R"("Foreground"})");
}

TEST_CASE("a Status that reports success answers a write, not a read") {
    const std::string success = R"({"kind":"Status","status":"Success","details":{"uid":"u"}})";
    FakeTransport transport;
    transport.then(200, success).then(201, success).then(200, success);
    Api api(transport);
    CHECK(text_at(*api.remove(kPath), {"details", "uid"}) == "u");
    CHECK(api.create(std::string(kPath) + "/eviction", Json::object(), DryRun::none).ok());
    CHECK(api.get(kPath).error().kind == ErrorKind::protocol);
}

TEST_CASE("a refused write has the kind and the reason of the refusal") {
    const auto error_for = [](int code, const std::string& reason) {
        FakeTransport transport;
        transport.then(code, R"({"kind":"Status","status":"Failure","message":"m","reason":")" +
                                 reason + "\"}");
        return Api(transport).create(kPath, Json::object(), DryRun::none).error();
    };
    CHECK(error_for(409, "AlreadyExists").kind == ErrorKind::conflict);
    CHECK(error_for(409, "AlreadyExists").reason == "AlreadyExists");
    CHECK(error_for(409, "Conflict").reason == "Conflict");
    CHECK(error_for(422, "Invalid").kind == ErrorKind::invalid);
    CHECK(error_for(429, "TooManyRequests").kind == ErrorKind::throttled);
    CHECK(error_for(200, "Odd").kind == ErrorKind::unknown_outcome);  // its code says the contrary
}

TEST_CASE("a write that was done but cannot be read has an unknown outcome") {
    FakeTransport transport;
    transport.then(201, "<html>").then(201, "<html>").then(200, "");
    Api api(transport);
    const auto error = api.create(kPath, Json::object(), DryRun::none).error();
    CHECK(error.kind == ErrorKind::unknown_outcome);
    CHECK(error.hint.find("read the object") != std::string::npos);
    CHECK(api.create(kPath, Json::object(), DryRun::server).error().kind == ErrorKind::protocol);
    CHECK(api.remove(kPath).error().kind == ErrorKind::unknown_outcome);
}

TEST_CASE("a subresource that acts takes an empty body and answers with none") {
    const std::string path =
        "/apis/subresources.kubevirt.io/v1/namespaces/n/virtualmachineinstances/x/evacuate/cancel";
    FakeTransport transport;
    transport.then(202, "").then(202, "").then(200, "x").then(500, "no");
    Api api(transport);
    CHECK(api.invoke(path, nullptr, DryRun::none).ok());
    CHECK(api.invoke(path, nullptr, DryRun::server).ok());
    CHECK(api.invoke(path, Json{{"evacuationNodeName", "n1"}}, DryRun::none).ok());
    CHECK(api.invoke(path, nullptr, DryRun::none).error().kind == ErrorKind::server);
    const auto& asked = transport.asked;
    CHECK(asked[0].method == Method::put);
    CHECK(asked[0].accept == "application/json, */*");
    CHECK(asked[0].body.empty());
    CHECK(asked[0].content_type.empty());
    CHECK(asked[0].repeatable == Repeatable::no);
    CHECK(asked[1].body == R"({"dryRun":["All"]})");
    CHECK(asked[1].repeatable == Repeatable::yes);
    CHECK(asked[2].body == R"({"evacuationNodeName":"n1"})");
    CHECK(asked[2].content_type == "application/json");
    CHECK(asked[2].query.empty());
}
