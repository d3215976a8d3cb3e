#include "lab/api/table.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/api/json_path.hpp"
#include "lab/api/pod_columns.hpp"

namespace {

using kubeclient::Json;

const kubeclient::Instant kNow = kubeclient::parse_time("2026-11-21T10:00:00Z").value();

std::vector<std::string> names_of(const lab::TableLayout& layout) {
    std::vector<std::string> names;
    for (const auto& column : layout.columns) {
        names.push_back(column.name + (column.priority > 0 ? "+" : ""));
    }
    return names;
}

Json cells(const char* group, const char* plural, const char* object) {
    return lab::built_in_layout({group, plural}).cells(Json::parse(object), kNow);
}

Json pod(const char* text) {
    return lab::pod_cells(Json::parse(text), kNow);
}

lab::Kind custom_kind() {
    lab::Kind kind;
    kind.resource = {"kubevirt.io", "virtualmachineinstances"};
    kind.origin = lab::Origin::custom;
    lab::KindVersion version;
    version.name = "v1";
    version.columns = {
        {"Age", "date", "", "", ".metadata.creationTimestamp", 0},
        {"IP", "string", "", "", ".status.interfaces[0].ipAddress", 0},
        {"Ready", "string", "", "", ".status.conditions[?(@.type=='Ready')].status", 0},
        {"Count", "integer", "", "", ".status.count", 1},
    };
    kind.versions = {version};
    return kind;
}

}  // namespace

TEST_CASE("a custom resource shows the columns of its definition") {
    const auto kind = custom_kind();
    const auto layout = lab::table_layout(kind, kind.versions.front());
    CHECK(names_of(layout) == std::vector<std::string>{"Name", "Age", "IP", "Ready", "Count+"});
    const Json object = Json::parse(R"({
        "metadata": {"name": "web", "creationTimestamp": "2026-11-21T09:56:40Z"},
        "status": {"interfaces": [{"ipAddress": "10.0.0.1"}, {"ipAddress": "10.0.0.2"}],
                   "conditions": [{"type": "Paused", "status": "False"},
                                  {"type": "Ready", "status": "True"}], "count": 3}})");
    CHECK(Json(layout.cells(object, kNow)) ==
          Json::parse(R"(["web", "3m20s", "10.0.0.1", "True", 3])"));
    CHECK(Json(layout.cells(Json::parse(R"({"metadata": {"name": "web"}})"), kNow)) ==
          Json::parse(R"(["web", null, null, null, null])"));
}

TEST_CASE("a kind without columns of its own shows name and age") {
    lab::Kind kind;
    kind.resource = {"", "endpoints"};
    kind.versions = {{}};
    CHECK(names_of(lab::table_layout(kind, kind.versions.front())) ==
          std::vector<std::string>{"Name", "Age"});
}

TEST_CASE("paths lead through names, indices, wildcards and filters") {
    const Json object = Json::parse(R"({"a": {"b.c": [1, 2, {"d": "e"}]}, "l": [
        {"k": "x", "v": 1}, {"k": "y", "v": 2}, {"k": "x", "v": 3}]})");
    const auto at = [&](std::string_view path) {
        Json found = Json::array();
        for (const Json* value : lab::at_json_path(object, path)) found.push_back(*value);
        return found.dump();
    };
    CHECK(at(".a['b.c'][1]") == "[2]");
    CHECK(at(".a['b.c'][-1].d") == R"(["e"])");
    CHECK(at(".l[?(@.k=='x')].v") == "[1,3]");
    CHECK(at(".l[*].v") == "[1,2,3]");
    CHECK(at(".l[7]") == "[]");
    CHECK(at(".l[?(@.k=='x'") == "[]");
    CHECK(at("a.b") == "[]");
    CHECK(at(".a[") == "[]");
}

TEST_CASE("a node's row has its state, roles and addresses") {
    CHECK(cells("", "nodes", R"({
        "metadata": {"name": "n1", "labels": {"node-role.kubernetes.io/worker": ""},
                     "creationTimestamp": "2026-11-20T10:00:00Z"},
        "spec": {"unschedulable": true},
        "status": {"conditions": [{"type": "Ready", "status": "Unknown"}],
                   "addresses": [{"type": "InternalIP", "address": "10.0.0.1"}],
                   "nodeInfo": {"kubeletVersion": "v1.36.3", "osImage": "os"}}})") ==
          Json::parse(R"(["n1", "NotReady,SchedulingDisabled", "worker", "24h", "v1.36.3",
                          "10.0.0.1", "<none>", "os", "<unknown>", "<unknown>"])"));
    CHECK(cells("", "nodes", R"({"metadata": {"name": "n1"}})").at(1) == "Unknown");
}

TEST_CASE("a claim's row hides capacity until it is bound") {
    CHECK(cells("", "persistentvolumeclaims", R"({
        "metadata": {"name": "d", "creationTimestamp": "2026-11-21T09:00:00Z"},
        "spec": {"volumeName": "pv", "storageClassName": "s", "volumeMode": "Block"},
        "status": {"phase": "Bound", "accessModes": ["ReadWriteMany", "ReadOnlyMany"],
                   "capacity": {"storage": "1Gi"}}})") ==
          Json::parse(R"(["d", "Bound", "pv", "1Gi", "RWX,ROX", "s", "<unset>", "60m", "Block"])"));
    CHECK(
        cells("", "persistentvolumeclaims", R"({"metadata": {"name": "d",
        "deletionTimestamp": "2026-11-21T09:00:00Z"}, "status": {"phase": "Pending"}})") ==
        Json::parse(R"(["d", "Terminating", "", "", "", "", "<unset>", "<unknown>", "<unset>"])"));
}

TEST_CASE("an event's row says when it was last seen, and about what") {
    CHECK(cells("", "events", R"({"metadata": {"name": "e"}, "type": "Normal", "reason": "R",
        "message": "m", "count": 3, "firstTimestamp": "2026-11-21T09:00:00Z",
        "lastTimestamp": "2026-11-21T09:59:00Z", "source": {"component": "c", "host": "n1"},
        "involvedObject": {"kind": "VirtualMachineInstance", "name": "web"}})") ==
          Json::parse(R"(["60s", "Normal", "R", "virtualmachineinstance/web", "", "c, n1", "m",
                          "60m", 3, "e"])"));
}

TEST_CASE("a pod is what its containers are") {
    const std::string spec = R"("spec": {"containers": [{"name": "a"}, {"name": "b"}]})";
    const auto row = [&](const std::string& status, const std::string& metadata = "") {
        return pod(("{\"metadata\": {\"name\": \"p\"" + metadata + "}, " + spec +
                    ", \"status\": " + status + "}")
                       .c_str());
    };
    const Json running = row(R"({"phase": "Running", "podIP": "10.1.1.1", "containerStatuses": [
        {"name": "a", "ready": true, "state": {"running": {}}, "restartCount": 2,
         "lastState": {"terminated": {"finishedAt": "2026-11-21T09:55:00Z"}}},
        {"name": "b", "ready": false, "state": {"running": {}}, "restartCount": 0}]})");
    CHECK(running.at(1) == "1/2");
    CHECK(running.at(2) == "Running");
    CHECK(running.at(3) == "2 (5m ago)");
    CHECK(running.at(5) == "10.1.1.1");
    CHECK(row(R"({"phase": "Pending"})").at(2) == "Pending");
    CHECK(row(R"({"phase": "Pending", "containerStatuses": [
        {"name": "a", "state": {"waiting": {"reason": "ImagePullBackOff"}}}]})")
              .at(2) == "ImagePullBackOff");
    CHECK(row(R"({"phase": "Failed", "containerStatuses": [
        {"name": "a", "state": {"terminated": {"exitCode": 137}}}]})")
              .at(2) == "ExitCode:137");
    CHECK(
        row(R"({"phase": "Running"})", R"(, "deletionTimestamp": "2026-11-21T09:55:00Z")").at(2) ==
        "Terminating");
    CHECK(row(R"({"phase": "Succeeded"})", R"(, "deletionTimestamp": "2026-11-21T09:55:00Z")")
              .at(2) == "Succeeded");
}

TEST_CASE("a pod that starts says how far its init containers are") {
    CHECK(pod(R"({"metadata": {"name": "p"}, "spec": {"initContainers": [{"name": "i"},
        {"name": "j"}], "containers": [{"name": "a"}]}, "status": {"phase": "Pending",
        "initContainerStatuses": [{"name": "i", "state": {"terminated": {"exitCode": 0}}},
        {"name": "j", "state": {"waiting": {"reason": "PodInitializing"}}}]}})")
              .at(2) == "Init:1/2");
}

TEST_CASE("the first clause of Accept that is known decides the shape") {
    using lab::Shape;
    CHECK(lab::shape_asked("application/json;as=Table;v=v1;g=meta.k8s.io,application/json;as=Table;"
                           "v=v1beta1;g=meta.k8s.io,application/json") == Shape::table);
    CHECK(lab::shape_asked("application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1") ==
          Shape::metadata_only);
    CHECK(lab::shape_asked("application/vnd.kubernetes.protobuf,application/json") ==
          Shape::object);
    CHECK(lab::shape_asked("application/json;as=Table;v=v1beta1;g=meta.k8s.io,application/json") ==
          Shape::object);
    CHECK(lab::shape_asked("") == Shape::object);
}

TEST_CASE("a list becomes a table that can be paged on") {
    const Json list = Json::parse(R"({"kind": "NamespaceList", "apiVersion": "v1",
        "metadata": {"resourceVersion": "7", "continue": "c", "remainingItemCount": 4},
        "items": [{"metadata": {"name": "a", "labels": {"x": "y"}},
                   "status": {"phase": "Active"}}]})");
    const auto layout = lab::built_in_layout({"", "namespaces"});
    const Json table = lab::as_table(list, layout, lab::RowObject::metadata, kNow);
    CHECK(table.at("metadata") == list.at("metadata"));
    CHECK(table.at("columnDefinitions").size() == 3);
    CHECK(table.at("rows").at(0).at("cells") == Json::parse(R"(["a", "Active", "<unknown>"])"));
    CHECK(table.at("rows").at(0).at("object") == Json::parse(R"({"kind": "PartialObjectMetadata",
        "apiVersion": "meta.k8s.io/v1", "metadata": {"name": "a", "labels": {"x": "y"}}})"));
    CHECK_FALSE(lab::as_table(list, layout, lab::RowObject::none, kNow)
                    .at("rows")
                    .at(0)
                    .contains("object"));
    const Json whole = lab::as_table(list, layout, lab::RowObject::whole, kNow);
    CHECK(whole.at("rows").at(0).at("object").at("kind") == "Namespace");
    CHECK(whole.at("rows").at(0).at("object").at("apiVersion") == "v1");
    CHECK(lab::as_metadata(list).at("items").at(0).at("metadata").at("name") == "a");
}

namespace {

class Lines final : public lab::WatchCursor {
public:
    explicit Lines(std::string lines) : lines_(std::move(lines)) {}
    std::string next() override { return std::exchange(lines_, ""); }
    bool ended() const override { return lines_.empty(); }

private:
    std::string lines_;
};

}  // namespace

TEST_CASE("events of a watch are shaped one by one, errors left alone") {
    const auto events =
        lab::reshaped(std::make_unique<Lines>(
                          "{\"type\":\"ADDED\",\"object\":{\"metadata\":{\"name\":\"a\"}}}\n"
                          "{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n"),
                      lab::as_metadata);
    const std::string lines = events->next();
    CHECK(lines.find("PartialObjectMetadata") != std::string::npos);
    CHECK(lines.find("{\"type\":\"ERROR\",\"object\":{\"kind\":\"Status\",\"code\":410}}\n") !=
          std::string::npos);
    CHECK(events->ended());
}
