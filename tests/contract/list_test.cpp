#include <algorithm>
#include <set>
#include <thread>

#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

// One page as the server sends it.
Json page(User& user, const std::string& where, const std::string& limit,
          const std::string& token = "") {
    Request request;
    request.path = where;
    if (!limit.empty()) request.query.emplace_back("limit", limit);
    if (!token.empty()) request.query.emplace_back("continue", token);
    const auto reply = must(user.transport().send(request));
    CHECK(reply.status == 200);
    return must(parse_json(reply.body, "page"));
}

std::string token_of(const Json& list) {
    return text_at(list, {"metadata", "continue"}).value_or("");
}

std::uint64_t number(const std::string& version) {
    return std::stoull(version);
}

}  // namespace

TEST_CASE("a list has its kind, its version and its items by name") {
    Bench bench;
    const auto empty = must(bench.admin.api.list(bench.maps()));
    CHECK(empty.kind == "ConfigMap");
    CHECK(empty.api_version == "v1");
    CHECK(empty.items.empty());
    for (const auto* name : {"c", "a", "b"}) bench.create(bench.maps(), config_map(name));
    const auto list = must(bench.admin.api.list(bench.maps()));
    CHECK(names_of(list) == Texts{"a", "b", "c"});
    CHECK(text_at(list.items[0], {"metadata", "namespace"}) == bench.ns);
    CHECK(number(list.resource_version) > number(empty.resource_version));
}

TEST_CASE("a list of a custom kind has its kind too") {
    Bench bench;
    bench.create(bench.migrations(), migration("m"));
    const auto list = must(bench.admin.api.list(bench.migrations()));
    CHECK(list.kind == "VirtualMachineInstanceMigration");
    CHECK(list.api_version == "kubevirt.io/v1");
    CHECK(names_of(list) == Texts{"m"});
}

TEST_CASE("versions of objects and lists only grow") {
    Bench bench;
    std::uint64_t last = 0;
    for (const auto* name : {"a", "b", "c"}) {
        const auto created = bench.create(bench.maps(), config_map(name));
        CHECK(number(version_of(created)) > last);
        last = number(version_of(created));
        CHECK(number(must(bench.admin.api.list(bench.maps())).resource_version) >= last);
    }
    const auto changed = must(bench.admin.api.patch(bench.maps("a"), PatchKind::merge,
                                                    {{"data", {{"key", "new"}}}}, DryRun::none));
    CHECK(number(version_of(changed)) > last);
}

TEST_CASE("pages hold as many as asked for, and together what one list holds") {
    Bench bench;
    for (const auto* name : {"a", "b", "c", "d", "e"}) bench.create(bench.maps(), config_map(name));
    for (const int limit : {1, 2, 5, 500}) {
        ListOptions options;
        options.limit = limit;
        CHECK(names_of(must(bench.admin.api.list(bench.maps(), options))) ==
              Texts{"a", "b", "c", "d", "e"});
    }
    const auto first = page(bench.admin, bench.maps(), "2");
    CHECK(items_at(first, {"items"}).size() == 2);
    CHECK(integer_at(first, {"metadata", "remainingItemCount"}) == 3);
    const auto second = page(bench.admin, bench.maps(), "2", token_of(first));
    CHECK(version_of(second) == version_of(first));
    const auto last = page(bench.admin, bench.maps(), "2", token_of(second));
    CHECK(items_at(last, {"items"}).size() == 1);
    CHECK(token_of(last).empty());
    CHECK(find(last, {"metadata", "remainingItemCount"}) == nullptr);
}

TEST_CASE("pages show one moment, whatever is written meanwhile") {
    Bench bench;
    for (const auto* name : {"a", "b", "c", "d"}) bench.create(bench.maps(), config_map(name));
    const auto first = page(bench.admin, bench.maps(), "2");
    bench.create(bench.maps(), config_map("bb"));
    bench.create(bench.maps(), config_map("e"));
    must(bench.admin.api.remove(bench.maps("c")));
    const auto rest = page(bench.admin, bench.maps(), "", token_of(first));
    Texts names;
    for (const auto& item : items_at(rest, {"items"})) names.push_back(name_of(item));
    CHECK(names == Texts{"c", "d"});
    CHECK(version_of(rest) == version_of(first));
    CHECK(names_of(must(bench.admin.api.list(bench.maps()))) == Texts{"a", "b", "bb", "d", "e"});
}

TEST_CASE("a list from the cache is whole, and not older than what was just written") {
    Bench bench;
    for (const auto* name : {"a", "b", "c"}) bench.create(bench.maps(), config_map(name));
    const auto now = must(bench.admin.api.list(bench.maps()));
    ListOptions options;
    options.source = ListSource::cache;
    const auto cached = must(bench.admin.api.list(bench.maps(), options));
    // A consistent read has just brought the cache up to date.
    CHECK(names_of(cached) == Texts{"a", "b", "c"});
    CHECK(number(cached.resource_version) >= number(now.resource_version));
}

TEST_CASE("a version or a token that is none is refused") {
    Bench bench;
    const auto told_for = [&](const std::string& name, const std::string& value) {
        Request request;
        request.path = bench.maps();
        request.query = {{"limit", "1"}, {name, value}};
        const auto reply = must(bench.admin.transport().send(request));
        CHECK(reply.status == 400);
        return text_at(must(parse_json(reply.body, "reply")), {"message"}).value_or("");
    };
    CHECK(told_for("resourceVersion", "abc") ==
          "invalid resource version: resourceVersion: Invalid value: \"abc\": strconv.ParseUint: "
          "parsing \"abc\": invalid syntax");
    CHECK(told_for("continue", "abc")
              .starts_with("invalid continue token: continue key is not "
                           "valid: "));
}

TEST_CASE("two thousand small objects arrive in pages, each once") {
    constexpr int writers = 4;
    constexpr int each = 500;
    Bench bench;
    std::vector<std::jthread> threads;
    for (int writer = 0; writer < writers; ++writer) {
        threads.emplace_back([&, writer] {
            for (int i = 0; i < each; ++i) {
                bench.create(bench.maps(), config_map("m-" + std::to_string(writer * each + i)));
            }
        });
    }
    threads.clear();  // waits
    const auto list = must(bench.admin.api.list(bench.maps()));
    const auto names = names_of(list);
    CHECK(names.size() == writers * each);
    CHECK(std::set<std::string>(names.begin(), names.end()).size() == names.size());
    CHECK(std::is_sorted(names.begin(), names.end()));
}
