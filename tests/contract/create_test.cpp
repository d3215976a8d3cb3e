#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

const std::string kBad = "400 BadRequest: Error from server (BadRequest): ";

}  // namespace

TEST_CASE("a created object gets an identity, a version and a time") {
    Bench bench;
    const auto created = bench.create(bench.maps(), config_map("a", {{"app", "web"}}));
    CHECK(name_of(created) == "a");
    CHECK(text_at(created, {"metadata", "namespace"}) == bench.ns);
    CHECK(uid_of(created).size() == 36);
    CHECK(!version_of(created).empty());
    CHECK(text_at(created, {"metadata", "creationTimestamp"}).value_or("").ends_with("Z"));
    CHECK(text_at(created, {"metadata", "labels", "app"}) == "web");
    const auto read = must(bench.admin.api.get(bench.maps("a"), "ConfigMap"));
    CHECK(read == created);
    CHECK(text_at(read, {"apiVersion"}) == "v1");
}

TEST_CASE("generateName is completed by five characters") {
    Bench bench;
    const Json object{{"metadata", {{"generateName", "backup-"}}}};
    const auto one = bench.create(bench.maps(), object);
    const auto other = bench.create(bench.maps(), object);
    CHECK(name_of(one).starts_with("backup-"));
    CHECK(name_of(one).size() == 12);
    CHECK(name_of(one) != name_of(other));
    CHECK(text_at(one, {"metadata", "generateName"}) == "backup-");
}

TEST_CASE("a name that is taken is a conflict of its own reason") {
    Bench bench;
    bench.create(bench.maps(), config_map("a"));
    const auto again = bench.admin.api.create(bench.maps(), config_map("a"), DryRun::none);
    CHECK(told(again) ==
          "409 AlreadyExists: Error from server (AlreadyExists): configmaps \"a\" already exists");
    CHECK(again.error().kind == ErrorKind::conflict);
    bench.create(bench.migrations(), migration("m"));
    CHECK(told(bench.admin.api.create(bench.migrations(), migration("m"), DryRun::none)) ==
          "409 AlreadyExists: Error from server (AlreadyExists): "
          "virtualmachineinstancemigrations.kubevirt.io \"m\" already exists");
}

TEST_CASE("a name that breaks the rules is invalid, and so is none") {
    Bench bench;
    const auto bad = bench.admin.api.create(bench.maps(), config_map("A_b"), DryRun::none);
    CHECK(told(bad) ==
          "422 Invalid: The ConfigMap \"A_b\" is invalid: metadata.name: Invalid value: \"A_b\": a "
          "lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or "
          "'.', and must start and end with an alphanumeric character (e.g. 'example.com', regex "
          "used for validation is "
          "'[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')");
    CHECK(bad.error().kind == ErrorKind::invalid);
    const Json nameless{{"metadata", Json::object()}};
    CHECK(told(bench.admin.api.create(bench.maps(), nameless, DryRun::none)) ==
          "422 Invalid: The ConfigMap \"\" is invalid: metadata.name: Required value: name or "
          "generateName is required");
}

TEST_CASE("nothing is created in a namespace that is not there") {
    User admin("admin");
    const auto done =
        admin.api.create(path(core("contract-none", "configmaps")), config_map("a"), DryRun::none);
    CHECK(told(done) ==
          "404 NotFound: Error from server (NotFound): namespaces \"contract-none\" not found");
    CHECK(done.error().kind == ErrorKind::not_found);
}

TEST_CASE("nothing is created in a namespace that is going") {
    Bench bench;
    const auto gone = must(bench.admin.api.remove(path(core("", "namespaces", bench.ns))));
    CHECK(text_at(gone, {"status", "phase"}) == "Terminating");
    const auto late = bench.admin.api.create(bench.maps(), config_map("late"), DryRun::none);
    CHECK(
        bench.anonymous(told(late)) ==
        "403 Forbidden: Error from server (Forbidden): configmaps \"late\" is forbidden: unable to "
        "create new content in namespace <ns> because it is being terminated");
}

TEST_CASE("an object has to say what its path says") {
    Bench bench;
    auto& api = bench.admin.api;
    Json elsewhere = config_map("a");
    elsewhere["metadata"]["namespace"] = "other";
    CHECK(told(api.create(bench.maps(), elsewhere, DryRun::none)) ==
          kBad +
              "the namespace of the provided object does not match the namespace sent on the "
              "request");
    bench.create(bench.maps(), config_map("a"));
    CHECK(told(api.replace(bench.maps("a"), config_map("b"), DryRun::none)) ==
          kBad + "the name of the object (b) does not match the name on the URL (a)");
    Json secret = config_map("s");
    secret["kind"] = "Secret";
    secret.erase("data");
    CHECK(told(api.create(bench.maps(), secret, DryRun::none)) ==
          kBad +
              "Secret in version \"v1\" cannot be handled as a ConfigMap: converting "
              "(v1.Secret) to (core.ConfigMap): unknown conversion");
    Json other_kind = migration("m");
    other_kind["kind"] = "VirtualMachine";
    CHECK(told(api.create(bench.migrations(), other_kind, DryRun::none)) ==
          "422 Invalid: The VirtualMachine \"m\" is invalid: kind: Invalid value: "
          "\"VirtualMachine\": must be VirtualMachineInstanceMigration");
    Json kindless = migration("m");
    kindless.erase("kind");
    const auto refused = told(api.create(bench.migrations(), kindless, DryRun::none));
    CHECK(refused.starts_with(kBad + "the object provided is unrecognized (must be of type "
                                     "VirtualMachineInstanceMigration): Object 'Kind' is missing"));
}

TEST_CASE("what is not there, or not served, is not found") {
    Bench bench;
    auto& api = bench.admin.api;
    const std::string start = "404 NotFound: Error from server (NotFound): ";
    CHECK(told(api.get(bench.maps("none"))) == start + "configmaps \"none\" not found");
    CHECK(api.get(bench.maps("none")).error().kind == ErrorKind::not_found);
    CHECK(told(api.get(bench.machines("none"))) ==
          start + "virtualmachineinstances.kubevirt.io \"none\" not found");
    CHECK(told(api.get("/api/v1/foos")) ==
          start + "the server could not find the requested resource");
    for (const std::string nowhere :
         {"/api/v1/foos", "/apis/none.example.com/v1/foos", "/apis/kubevirt.io/v1/foos",
          "/apis/kubevirt.io/v9/virtualmachines", "/none"}) {
        CAPTURE(nowhere);
        const auto error = api.get(nowhere).error();
        CHECK(error.kind == ErrorKind::not_served);
        CHECK(error.http_status == 404);
    }
}

TEST_CASE("what cannot be done to a resource is refused as a method") {
    Bench bench;
    auto& api = bench.admin.api;
    bench.create(bench.maps(), config_map("a"));
    const std::string refused =
        "405 MethodNotAllowed: Error from server (MethodNotAllowed): the server does not allow "
        "this "
        "method on the requested resource";
    CHECK(told(api.create(bench.maps("a"), config_map("a"), DryRun::none)) == refused);
    CHECK(told(api.replace(bench.maps(), config_map("a"), DryRun::none)) == refused);
    CHECK(api.create(bench.maps("a") + "/eviction", Json::object(), DryRun::none).error().kind ==
          ErrorKind::not_served);
}

TEST_CASE("a replacement needs the version it replaces, if it names one") {
    Bench bench;
    auto& api = bench.admin.api;
    const auto first = bench.create(bench.maps(), config_map("a"));
    Json next = first;
    next["data"]["key"] = "two";
    const auto second = must(api.replace(bench.maps("a"), next, DryRun::none));
    CHECK(text_at(second, {"data", "key"}) == "two");
    CHECK(uid_of(second) == uid_of(first));
    CHECK(version_of(second) != version_of(first));

    next["data"]["key"] = "three";
    const auto stale = api.replace(bench.maps("a"), next, DryRun::none);
    CHECK(
        told(stale) ==
        "409 Conflict: Error from server (Conflict): Operation cannot be fulfilled on configmaps "
        "\"a\": the object has been modified; please apply your changes to the latest version and "
        "try again");
    CHECK(stale.error().kind == ErrorKind::conflict);
    next["metadata"].erase("resourceVersion");
    CHECK(text_at(must(api.replace(bench.maps("a"), next, DryRun::none)), {"data", "key"}) ==
          "three");
    CHECK(told(api.replace(bench.maps("none"), config_map("none"), DryRun::none)) ==
          "404 NotFound: Error from server (NotFound): configmaps \"none\" not found");
}

TEST_CASE("a replacement may not change the identity") {
    Bench bench;
    const auto first = bench.create(bench.maps(), config_map("a"));
    Json other = first;
    other["metadata"]["uid"] = "another";
    other["metadata"].erase("resourceVersion");
    const auto refused = bench.admin.api.replace(bench.maps("a"), other, DryRun::none);
    CHECK(refused.error().http_status == 409);
    CHECK(replaced(refused.error().message, uid_of(first), "<uid>")
              .ends_with("Precondition failed: UID in precondition: another, UID in object meta: "
                         "<uid>"));
}

TEST_CASE("a replacement that changes nothing keeps the version") {
    Bench bench;
    const auto first = bench.create(bench.maps(), config_map("a"));
    CHECK(version_of(must(bench.admin.api.replace(bench.maps("a"), first, DryRun::none))) ==
          version_of(first));
}

TEST_CASE("managed fields name us") {
    Bench bench;
    const auto created = bench.create(bench.maps(), config_map("a"));
    const auto& fields = items_at(created, {"metadata", "managedFields"});
    // A server may leave them out; where they are, they carry our name.
    for (const auto& entry : fields) CHECK(text_at(entry, {"manager"}) == "virt-handoff");
}
