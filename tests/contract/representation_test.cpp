#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

Json as_table(User& user, const std::string& where) {
    Request request;
    request.path = where;
    request.accept = "application/json;as=Table;v=v1;g=meta.k8s.io,application/json";
    const auto reply = must(user.transport().send(request));
    CHECK(reply.status == 200);
    return must(parse_json(reply.body, "table"));
}

Texts columns_of(const Json& table) {
    Texts names;
    for (const auto& column : items_at(table, {"columnDefinitions"})) {
        names.push_back(text_at(column, {"name"}).value_or(""));
    }
    return names;
}

}  // namespace

TEST_CASE("pods come as a table with kubectl's columns") {
    Bench bench;
    bench.create(bench.pods(), pod("p", "node-of-" + bench.ns));
    for (const auto& where : {bench.pods(), bench.pods("p")}) {
        const auto table = as_table(bench.admin, where);
        CHECK(text_at(table, {"kind"}) == "Table");
        CHECK(text_at(table, {"apiVersion"}) == "meta.k8s.io/v1");
        CHECK(columns_of(table) == Texts{"Name", "Ready", "Status", "Restarts", "Age", "IP", "Node",
                                         "Nominated Node", "Readiness Gates"});
        REQUIRE(items_at(table, {"rows"}).size() == 1);
        const Json& row = table["rows"][0];
        CHECK(row["cells"][0] == "p");
        CHECK(row["cells"][1] == "0/1");
        CHECK(row["cells"][2] == "Pending");
        CHECK(row["cells"][6] == "node-of-" + bench.ns);
        CHECK(text_at(row, {"object", "kind"}) == "PartialObjectMetadata");
        CHECK(name_of(row["object"]) == "p");
    }
    DeleteOptions now;
    now.grace_seconds = 0;
    must(bench.admin.api.remove(bench.pods("p"), now));
}

TEST_CASE("custom objects come as a table with the columns of their definition") {
    Bench bench;
    bench.create(bench.migrations(), migration("m"));
    must(bench.admin.api.patch(bench.migrations("m", "status"), PatchKind::merge,
                               {{"status", {{"phase", "Running"}}}}, DryRun::none));
    const auto table = as_table(bench.admin, bench.migrations());
    CHECK(columns_of(table) == Texts{"Name", "Phase", "VMI"});
    REQUIRE(items_at(table, {"rows"}).size() == 1);
    CHECK(table["rows"][0]["cells"] == Json::array({"m", "Running", "web"}));

    bench.create(bench.machines(), machine_instance("v"));
    const auto machines = as_table(bench.admin, bench.machines());
    const auto columns = columns_of(machines);
    REQUIRE(columns.size() >= 6);
    CHECK(Texts(columns.begin(), columns.begin() + 6) ==
          Texts{"Name", "Age", "Phase", "IP", "NodeName", "Ready"});
    CHECK(machines["rows"][0]["cells"][0] == "v");
    CHECK(machines["rows"][0]["cells"][2].is_null());
}

TEST_CASE("a watch of tables has the columns once") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    bench.create(bench.maps(), config_map("b"));
    static_cast<void>(must(bench.admin.api.list(bench.maps())));
    Request request;
    request.path = bench.maps();
    request.accept = "application/json;as=Table;v=v1;g=meta.k8s.io";
    request.query = {{"watch", "true"}, {"resourceVersion", "0"}, {"timeoutSeconds", "60"}};
    std::string body;
    const auto two_lines = [&](const Response&, std::string_view piece) {
        body += piece;
        const auto first = body.find('\n');
        return first != std::string::npos && body.find('\n', first + 1) != std::string::npos
                   ? Flow::stop
                   : Flow::go_on;
    };
    CHECK(bench.admin.transport().stream(request, two_lines, {}).ok());
    const auto end = body.find('\n');
    const auto first = must(parse_json(body.substr(0, end), "event"))["object"];
    const auto second = must(
        parse_json(body.substr(end + 1, body.find('\n', end + 1) - end - 1), "event"))["object"];
    CHECK(text_at(first, {"kind"}) == "Table");
    CHECK(columns_of(first) == Texts{"Name", "Data", "Age"});
    CHECK(columns_of(second).empty());
    CHECK(second["rows"][0]["cells"][0] == "b");
}

TEST_CASE("a representation that nobody has is refused") {
    Bench bench;
    Request request;
    request.path = bench.maps();
    request.accept = "text/html";
    CHECK(must(bench.admin.transport().send(request)).status == 406);
}

TEST_CASE("an old version of a kind is served with a warning") {
    Bench bench;
    const auto old = replaced(bench.migrations(), "/v1/", "/v1alpha3/");
    bench.create(bench.migrations(), migration("m"));
    CHECK(bench.admin.warnings.empty());
    const auto list = must(bench.admin.api.list(old));
    CHECK(list.api_version == "kubevirt.io/v1alpha3");
    CHECK(names_of(list) == Texts{"m"});
    CHECK(text_at(list.items[0], {"apiVersion"}) == "kubevirt.io/v1alpha3");
    CHECK(bench.admin.warnings ==
          Texts{"kubevirt.io/v1alpha3 is now deprecated and will be removed in a future release."});
    static_cast<void>(must(bench.admin.api.get(old + "/m")));
    CHECK(bench.admin.warnings.size() == 1);  // each is told once
}
