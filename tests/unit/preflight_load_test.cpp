#include "preflight/load.hpp"

#include <doctest/doctest.h>

#include <map>

using namespace preflight;
using kubeclient::ErrorKind;

namespace {

constexpr auto web = "apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: web}\n";

std::string node(const std::string& name) {
    return "apiVersion: v1\nkind: Node\nmetadata: {name: " + name + "}\n";
}

facts::Snapshot loaded(const std::string& text, const std::string& name = "vm.yaml") {
    Loader loader;
    const auto added = loader.add(name, text, Loader::Strict::yes);
    CAPTURE(text);
    if (!added.ok()) FAIL(added.error().message);
    return loader.finish("files");
}

kubeclient::Error refused(const std::string& text, const std::string& name = "vm.yaml") {
    Loader loader;
    const auto added = loader.add(name, text, Loader::Strict::yes);
    CAPTURE(text);
    REQUIRE_FALSE(added.ok());
    CHECK(added.error().kind == ErrorKind::protocol);
    return added.error();
}

using Files = std::map<std::string, std::string>;

// Files by path; a folder is whatever begins with its path.
kubeclient::System system_of(const Files& files) {
    kubeclient::System system;
    system.read_file = [files](const std::string& path) -> kubeclient::Result<std::string> {
        const auto found = files.find(path);
        if (found == files.end()) {
            return kubeclient::Error{ErrorKind::not_found, "open " + path + ": no such file"};
        }
        return found->second;
    };
    system.list_files =
        [files](const std::string& path) -> kubeclient::Result<std::vector<std::string>> {
        std::vector<std::string> below;
        for (const auto& [name, text] : files) {
            if (name == path || name.starts_with(path + "/")) below.push_back(name);
        }
        if (below.empty()) {
            return kubeclient::Error{ErrorKind::not_found, "open " + path + ": no such file"};
        }
        return below;
    };
    system.now = [] { return std::chrono::system_clock::time_point(std::chrono::seconds(1000)); };
    return system;
}

std::vector<std::string> nodes_of(const facts::Snapshot& all) {
    std::vector<std::string> names;
    for (const auto& item : all.nodes.items) names.push_back(item.meta.name);
    return names;
}

}  // namespace

TEST_CASE("one document, several, or a list of objects read alike") {
    CHECK(nodes_of(loaded(node("a"))) == std::vector<std::string>{"a"});
    CHECK(nodes_of(loaded("---\n" + node("a") + "---\n" + node("b") + "---\n")) ==
          std::vector<std::string>{"a", "b"});
    CHECK(nodes_of(loaded("apiVersion: v1\nkind: List\nitems:\n- {apiVersion: v1, kind: Node, "
                          "metadata: {name: b}}\n- {apiVersion: v1, kind: Node, metadata: "
                          "{name: a}}\n")) == std::vector<std::string>{"a", "b"});
    CHECK(nodes_of(loaded(R"({"apiVersion":"v1","kind":"Node","metadata":{"name":"a"}})")) ==
          std::vector<std::string>{"a"});
}

TEST_CASE("the items of a typed list need no kind of their own") {
    const auto all = loaded(
        R"({"apiVersion":"kubevirt.io/v1","kind":"VirtualMachineList","metadata":{},
            "items":[{"metadata":{"name":"a","namespace":"x"}},
                     {"metadata":{"name":"b","namespace":"x"}}]})");
    CHECK(all.vms.items.size() == 2);
    CHECK(loaded(R"({"apiVersion":"v1","kind":"NodeList","items":[]})").nodes.items.empty());
}

TEST_CASE("an object without a namespace is in `default`, a cluster-wide one in none") {
    CHECK(loaded(web).vms.items.at(0).meta.ns == "default");
    CHECK(loaded(node("a")).nodes.items.at(0).meta.ns.empty());
    CHECK(loaded("apiVersion: kubevirt.io/v1\nkind: VirtualMachine\nmetadata: {name: web, "
                 "namespace: prod}\n")
              .vms.items.at(0)
              .meta.ns == "prod");
}

TEST_CASE("of one object in several places the newest counts") {
    const auto at = [](const std::string& version, const std::string& unschedulable) {
        return "---\napiVersion: v1\nkind: Node\nmetadata: {name: a, resourceVersion: '" + version +
               "'}\nspec: {unschedulable: " + unschedulable + "}\n";
    };
    const auto cordoned = [&](const std::string& text) {
        const auto all = loaded(text);
        REQUIRE(all.nodes.items.size() == 1);
        return all.nodes.items.front().cordoned;
    };
    CHECK(cordoned(at("9", "false") + at("10", "true")));
    CHECK(cordoned(at("10", "true") + at("9", "false")));
    CHECK(cordoned(at("10", "true") + at("9", "false") + at("2", "false")));
    // Without versions, the one read last.
    CHECK(cordoned(at("", "false") + at("", "true")));
    CHECK_FALSE(cordoned(at("x", "true") + at("y", "false")));
    CHECK(cordoned(at("7", "false") + at("7", "true")));
}

TEST_CASE("objects of one name in two namespaces are two") {
    const std::string text =
        "apiVersion: v1\nkind: List\nitems:\n"
        "- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: x}}\n"
        "- {apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: a, namespace: y}}\n";
    CHECK(loaded(text).claims.items.size() == 2);
}

TEST_CASE("every kind that the files do not hold is a gap") {
    const auto all = loaded(web);
    CHECK_FALSE(all.live);
    CHECK(all.vms.gap.empty());
    CHECK_FALSE(all.vms.complete);
    CHECK(all.nodes.gap == "nodes");
    CHECK(all.gaps.size() == 16);
    for (const auto& gap : all.gaps) {
        CHECK(gap.verb == "list");
        CHECK(gap.reason.starts_with("the files hold no "));
    }
}

TEST_CASE("an error names the file, and the line where it is") {
    CHECK(refused("apiVersion: v1\nkind: Node\nmetadata: [\n").message.starts_with("vm.yaml:"));
    CHECK(refused(node("a") + "---\nkind: Node\nmetadata: {name: b}\n").message ==
          "vm.yaml:5: Node has no apiVersion");
    CHECK(refused("\n\napiVersion: v1\nkind: Node\nmetadata: {name: a}\nspec: 3\n").message ==
          "vm.yaml:3: Node a: spec: expected an object");
    CHECK(refused("{\"kind\": }", "x.json").message.starts_with("x.json:"));
    CHECK(refused("just text\n").message == "vm.yaml:1: the object has no kind");
    CHECK(refused("- a\n").message == "vm.yaml:1: the object has no kind");
}

TEST_CASE("a list inside a list is refused, and so is an item that is no object") {
    CHECK(refused(R"({"kind":"List","apiVersion":"v1","items":[
        {"kind":"List","apiVersion":"v1","items":[]}]})")
              .message == "vm.yaml:1: a list inside a list");
    CHECK(refused(R"({"kind":"List","apiVersion":"v1","items":[null]})").message ==
          "vm.yaml:1: the object has no kind");
    CHECK(refused(R"({"kind":"NodeList","apiVersion":"v1","items":["x"]})").message ==
          "vm.yaml:1: the object has no kind");
}

TEST_CASE("too deep is refused, in YAML as in JSON") {
    CHECK(refused(std::string(5000, '[')).message.starts_with("vm.yaml:"));
    CHECK(refused(R"({"a":)" + std::string(5000, '['), "x.json").message.starts_with("x.json:"));
}

TEST_CASE("flow style that only looks like JSON is YAML") {
    CHECK(nodes_of(loaded("{apiVersion: v1, kind: Node, metadata: {name: a}}\n")) ==
          std::vector<std::string>{"a"});
}

TEST_CASE("a file that holds nothing holds no objects") {
    for (const auto* text : {"", "\n", "# only a comment\n", "---\n---\n", "null\n"}) {
        CHECK(nodes_of(loaded(text)).empty());
    }
}

TEST_CASE("in a folder other files and other documents are passed over") {
    const auto all = load_path("dump", "",
                               system_of({{"dump/vm.yaml", std::string("a: 1\n---\n") + web},
                                          {"dump/nodes/a.yml", node("a")},
                                          {"dump/b.json", R"({"settings":[1,2]})"},
                                          {"dump/pod.log", "][ no YAML"},
                                          {"dump/list.yaml", "- a\n- b\n"}}));
    REQUIRE(all.ok());
    CHECK(all->vms.items.size() == 1);
    CHECK(nodes_of(*all) == std::vector<std::string>{"a"});
    CHECK(all->source == "files dump");
    CHECK(all->taken_at == std::chrono::sys_seconds(std::chrono::seconds(1000)));
}

TEST_CASE("a file that is named is read whatever its name, and strictly") {
    const auto all = load_path("dump.txt", "", system_of({{"dump.txt", web}}));
    REQUIRE(all.ok());
    CHECK(all->vms.items.size() == 1);
    const auto broken = load_path("x.txt", "", system_of({{"x.txt", "a: 1\n"}}));
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().message == "x.txt:1: the object has no kind");
}

TEST_CASE("standard input is called so") {
    const auto all = load_path("-", web, system_of({}));
    REQUIRE(all.ok());
    CHECK(all->source == "files standard input");
    const auto broken = load_path("-", "a: [", system_of({}));
    REQUIRE_FALSE(broken.ok());
    CHECK(broken.error().message.starts_with("standard input:"));
}

TEST_CASE("files without a VM, and no files, are errors with a next step") {
    for (const auto& [path, files] : std::map<std::string, Files>{
             {"nodes.yaml", {{"nodes.yaml", node("a")}}}, {"dump", {{"dump/readme.txt", "x"}}}}) {
        const auto none = load_path(path, "", system_of(files));
        REQUIRE_FALSE(none.ok());
        CHECK(none.error().kind == ErrorKind::not_found);
        CHECK(none.error().message ==
              path + " holds no VirtualMachine and no VirtualMachineInstance");
        CHECK_FALSE(none.error().hint.empty());
    }
    const auto missing = load_path("gone", "", system_of({}));
    REQUIRE_FALSE(missing.ok());
    CHECK(missing.error().message == "open gone: no such file");
}
