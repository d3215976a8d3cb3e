#include <algorithm>
#include <sstream>

#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

// Sends the text as it is: JSON with a field twice cannot be had otherwise.
Error refusal_of(User& user, const std::string& where, const std::string& body) {
    Request request;
    request.method = Method::post;
    request.path = where;
    request.content_type = "application/json";
    request.body = body;
    request.query = {{"fieldValidation", "Strict"}};
    const auto reply = must(user.transport().send(request));
    const auto status = must(parse_json(reply.body, "reply"));
    return {ErrorKind::invalid, text_at(status, {"message"}).value_or(""), "", reply.status};
}

// The server finds what is wrong in no fixed order.
Texts sorted_lines(const std::string& text) {
    std::istringstream stream(text);
    Texts lines;
    for (std::string line; std::getline(stream, line);) lines.push_back(line);
    std::sort(lines.begin(), lines.end());
    return lines;
}

const std::string kBad = "400 BadRequest: Error from server (BadRequest): ";

}  // namespace

TEST_CASE("strict validation refuses unknown fields, and names each") {
    Bench bench;
    Json map = config_map("a");
    map["metadata"]["foo"] = 1;
    map["dta"] = Json::object();
    CHECK(told(bench.admin.api.create(bench.maps(), map, DryRun::none)) ==
          kBad +
              "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding "
              "error: unknown field \"dta\", unknown field \"metadata.foo\"");
    Json wrong = migration("m");
    wrong["spec"]["foo"] = 1;
    wrong["bar"] = 2;
    CHECK(told(bench.admin.api.create(bench.migrations(), wrong, DryRun::none)) ==
          kBad +
              "VirtualMachineInstanceMigration in version \"v1\" cannot be handled as a "
              "VirtualMachineInstanceMigration: strict decoding error: unknown field \"bar\", "
              "unknown field \"spec.foo\"");
    CHECK(must(bench.admin.api.list(bench.maps())).items.empty());
    CHECK(must(bench.admin.api.list(bench.migrations())).items.empty());
}

TEST_CASE("strict validation refuses a field that is there twice") {
    Bench bench;
    const auto map = refusal_of(bench.admin, bench.maps(),
                                R"({"metadata":{"name":"a"},"data":{"k":"1","k":"2"}})");
    CHECK(map.http_status == 400);
    CHECK(map.message ==
          "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: strict decoding error: "
          "duplicate field \"data.k\"");
    const auto moved =
        refusal_of(bench.admin, bench.migrations(),
                   R"({"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineInstanceMigration",)"
                   R"("metadata":{"name":"m"},"spec":{"vmiName":"a","vmiName":"b"}})");
    CHECK(moved.message ==
          "VirtualMachineInstanceMigration in version \"v1\" cannot be handled as a "
          "VirtualMachineInstanceMigration: strict decoding error: duplicate field "
          "\"spec.vmiName\"");
}

TEST_CASE("lenient validation drops unknown fields and warns of each") {
    Bench bench;
    Json wrong = migration("m");
    wrong["spec"]["foo"] = 1;
    wrong["bar"] = 2;
    const auto created = must(
        bench.admin.api.create(bench.migrations(), wrong, DryRun::none, FieldValidation::warn));
    CHECK(created["spec"] == Json{{"vmiName", "web"}});
    CHECK(find(created, "bar") == nullptr);
    CHECK(bench.admin.warnings == Texts{"unknown field \"bar\"", "unknown field \"spec.foo\""});
}

TEST_CASE("a patch is validated in the same way") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.maps(), config_map("a"));
    const Json patch{{"foo", 1}};
    const auto refused = api.patch(bench.maps("a"), PatchKind::merge, patch, DryRun::none);
    CHECK(refused.error().http_status == 422);
    CHECK(refused.error().message.ends_with("strict decoding error: unknown field \"foo\""));
    CHECK(api.patch(bench.maps("a"), PatchKind::merge, patch, DryRun::none, FieldValidation::warn)
              .ok());
    CHECK(bench.admin.warnings == Texts{"unknown field \"foo\""});
    bench.create(bench.machines(), machine_instance("v"));
    const auto custom =
        api.patch(bench.machines("v"), PatchKind::json,
                  Json::array({{{"op", "add"}, {"path", "/foo"}, {"value", 1}}}), DryRun::none);
    CHECK(custom.error().http_status == 422);
    CHECK(custom.error().message.ends_with("strict decoding error: unknown field \"foo\""));
}

TEST_CASE("the schema of a custom kind is enforced, in its own words") {
    Bench bench;
    auto& api = bench.admin.api;
    Json number = migration("m");
    number["spec"]["vmiName"] = 1;
    const auto refused = api.create(bench.migrations(), number, DryRun::none);
    CHECK(
        told(refused) ==
        "422 Invalid: The VirtualMachineInstanceMigration \"m\" is invalid: spec.vmiName: Invalid "
        "value: \"integer\": spec.vmiName in body must be of type string: \"integer\"");
    CHECK(refused.error().kind == ErrorKind::invalid);

    Json empty = machine_instance("v");
    empty["spec"] = Json::object();
    CHECK(told(api.create(bench.machines(), empty, DryRun::none)) ==
          "422 Invalid: The VirtualMachineInstance \"v\" is invalid:\n"
          "* spec.domain: Required value\n"
          "* <nil>: Invalid value: null: some validation rules were not checked because the object "
          "was invalid; correct the existing errors to complete validation");
    Json two = machine_instance("v");
    two["spec"]["terminationGracePeriodSeconds"] = "x";
    two["spec"]["volumes"] = Json::array({Json::object()});
    CHECK(sorted_lines(told(api.create(bench.machines(), two, DryRun::none))) ==
          sorted_lines("422 Invalid: The VirtualMachineInstance \"v\" is invalid:\n"
                       "* spec.volumes[0].name: Required value\n"
                       "* spec.terminationGracePeriodSeconds: Invalid value: \"string\": "
                       "spec.terminationGracePeriodSeconds in body must be of type integer: "
                       "\"string\"\n"
                       "* <nil>: Invalid value: null: some validation rules were not checked "
                       "because the object was invalid; correct the existing errors to complete "
                       "validation"));
}

TEST_CASE("a built-in kind is validated too") {
    Bench bench;
    Json map = config_map("a");
    map["data"] = {{"a/b", "x"}};
    CHECK(
        told(bench.admin.api.create(bench.maps(), map, DryRun::none)) ==
        "422 Invalid: The ConfigMap \"a\" is invalid: data[a/b]: Invalid value: \"a/b\": a valid "
        "config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or "
        "'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')");
    map["data"] = {{"a", 1}};
    CHECK(told(bench.admin.api.create(bench.maps(), map, DryRun::none)) ==
          kBad +
              "ConfigMap in version \"v1\" cannot be handled as a ConfigMap: json: cannot "
              "unmarshal number into Go struct field ConfigMap.data of type string");
}

TEST_CASE("a dry run answers like the real thing and changes nothing") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto dry = must(api.create(bench.maps(), config_map("dry"), DryRun::server));
    CHECK(uid_of(dry).size() == 36);
    CHECK(version_of(dry).empty());
    CHECK(api.get(bench.maps("dry")).error().kind == ErrorKind::not_found);

    const auto before = bench.create(bench.maps(), config_map("a"));
    const Json change{{"data", {{"key", "new"}}}};
    const auto patched = must(api.patch(bench.maps("a"), PatchKind::merge, change, DryRun::server));
    CHECK(text_at(patched, {"data", "key"}) == "new");
    CHECK(version_of(patched) == version_of(before));
    Json next = before;
    next["data"]["key"] = "new";
    CHECK(text_at(must(api.replace(bench.maps("a"), next, DryRun::server)), {"data", "key"}) ==
          "new");
    DeleteOptions options;
    options.dry_run = DryRun::server;
    CHECK(text_at(must(api.remove(bench.maps("a"), options)), {"status"}) == "Success");
    CHECK(must(api.get(bench.maps("a"))) == before);
}

TEST_CASE("a dry run is refused like the real thing") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.maps(), config_map("a"));
    CHECK(api.create(bench.maps(), config_map("a"), DryRun::server).error().reason ==
          "AlreadyExists");
    CHECK(api.create(bench.maps(), config_map("A"), DryRun::server).error().http_status == 422);
    DeleteOptions options;
    options.dry_run = DryRun::server;
    options.uid = "another";
    CHECK(api.remove(bench.maps("a"), options).error().kind == ErrorKind::conflict);
    User viewer("viewer");
    CHECK(viewer.api.create(bench.maps(), config_map("b"), DryRun::server).error().kind ==
          ErrorKind::forbidden);
}
