#include "tests/contract/contract.hpp"

using namespace contract;

namespace {

const std::string kForbidden = "403 Forbidden: Error from server (Forbidden): ";

User as(const std::string& who, const std::string& user, const Texts& groups = {}) {
    KubeconfigFlags flags;
    flags.as = user;
    flags.as_group = groups;
    return User(who, flags);
}

}  // namespace

TEST_CASE("a viewer reads, and is refused the rest in full sentences") {
    Bench bench;
    User viewer("viewer");
    auto& api = viewer.api;
    bench.create(bench.maps(), config_map("a"));
    CHECK(api.list(bench.pods()).ok());
    CHECK(api.get(bench.maps("a")).ok());
    CHECK(api.list(bench.machines()).ok());
    CHECK(api.list(path(core("", "nodes"))).ok());
    const auto refused = [&](const auto& result) {
        CHECK(result.error().kind == ErrorKind::forbidden);
        return bench.anonymous(told(result));
    };
    const std::string in_ns = " in API group \"\" in the namespace \"<ns>\"";
    CHECK(refused(api.remove(bench.pods("p"))) ==
          kForbidden + "pods \"p\" is forbidden: User \"viewer\" cannot delete resource \"pods\"" +
              in_ns);
    CHECK(refused(api.create(bench.maps(), config_map("b"), DryRun::none)) ==
          kForbidden +
              "configmaps is forbidden: User \"viewer\" cannot create resource \"configmaps\"" +
              in_ns);
    CHECK(refused(api.create(bench.pods("p", "eviction"), Json::object(), DryRun::none)) ==
          kForbidden +
              "pods \"p\" is forbidden: User \"viewer\" cannot create resource \"pods/eviction\"" +
              in_ns);
    CHECK(refused(api.patch(bench.maps("a"), PatchKind::merge, Json::object(), DryRun::none)) ==
          kForbidden +
              "configmaps \"a\" is forbidden: User \"viewer\" cannot patch resource "
              "\"configmaps\"" +
              in_ns);
    CHECK(refused(api.get(path(core(bench.ns, "secrets", "x")))) ==
          kForbidden +
              "secrets \"x\" is forbidden: User \"viewer\" cannot get resource \"secrets\"" +
              in_ns);
    CHECK(refused(api.list(path(core("", "secrets")))) ==
          kForbidden +
              "secrets is forbidden: User \"viewer\" cannot list resource \"secrets\" in API group "
              "\"\" at the cluster scope");
    CHECK(
        refused(api.create(bench.migrations(), migration("m"), DryRun::none)) ==
        kForbidden +
            "virtualmachineinstancemigrations.kubevirt.io is forbidden: User \"viewer\" cannot "
            "create resource \"virtualmachineinstancemigrations\" in API group \"kubevirt.io\" in "
            "the namespace \"<ns>\"");
    CHECK(
        refused(api.invoke("/apis/subresources.kubevirt.io/v1/namespaces/" + bench.ns +
                               "/virtualmachineinstances/v/pause",
                           nullptr, DryRun::none)) ==
        kForbidden +
            "virtualmachineinstances.subresources.kubevirt.io \"v\" is forbidden: User \"viewer\" "
            "cannot update resource \"virtualmachineinstances/pause\" in API group "
            "\"subresources.kubevirt.io\" in the namespace \"<ns>\"");
}

TEST_CASE("nobody may do nothing, not even watch") {
    Bench bench;
    User nobody("nobody");
    const std::string start = "pods is forbidden: User \"nobody\" cannot ";
    const std::string end = " resource \"pods\" in API group \"\" in the namespace \"<ns>\"";
    CHECK(bench.anonymous(told(nobody.api.list(bench.pods()))) ==
          kForbidden + start + "list" + end);
    const auto watched = watch(nobody.api, bench.pods(), {}, 1);
    CHECK(bench.anonymous(told(watched.end)) == kForbidden + start + "watch" + end);
    // Whether a thing is there is not told either.
    CHECK(nobody.api.get(bench.pods("none")).error().kind == ErrorKind::forbidden);
    CHECK(nobody.api.get("/version").ok());
}

TEST_CASE("what one may do can be asked") {
    Bench bench;
    AccessAttributes attributes;
    attributes.verb = "list";
    attributes.resource = "pods";
    attributes.ns = bench.ns;
    User viewer("viewer");
    const auto allowed = must(viewer.api.self_subject_access_review(attributes));
    CHECK(allowed.allowed);
    CHECK(allowed.reason.starts_with("RBAC: allowed by ClusterRoleBinding "));
    attributes.verb = "delete";
    CHECK(must(viewer.api.self_subject_access_review(attributes)) == AccessReview{});
    attributes.subresource = "eviction";
    attributes.verb = "create";
    CHECK(!must(viewer.api.self_subject_access_review(attributes)).allowed);
    CHECK(must(bench.admin.api.self_subject_access_review(attributes)).allowed);
    CHECK(!must(User("nobody").api.self_subject_access_review(attributes)).allowed);
}

TEST_CASE("an admin may act as others, with their rights") {
    Bench bench;
    CHECK(as("admin", "viewer").api.list(bench.pods()).ok());
    CHECK(bench.anonymous(told(as("admin", "jane").api.list(bench.pods()))) ==
          kForbidden +
              "pods is forbidden: User \"jane\" cannot list resource \"pods\" in API group \"\" in "
              "the namespace \"<ns>\"");
    CHECK(as("admin", "jane", {"system:masters"}).api.list(bench.pods()).ok());
    const auto review =
        must(as("admin", "viewer")
                 .api.self_subject_access_review({"delete", "", "pods", "", bench.ns, ""}));
    CHECK(!review.allowed);
}

TEST_CASE("others may act as nobody else") {
    Bench bench;
    for (const std::string who : {"viewer", "nobody"}) {
        const auto refused = as(who, "jane").api.list(bench.pods());
        CHECK(refused.error().kind == ErrorKind::forbidden);
        CHECK(refused.error().message.find("User \"" + who + "\" cannot impersonate") !=
              std::string::npos);
    }
}

TEST_CASE("a token that is none is refused before anything is looked at") {
    Bench bench;
    KubeconfigFlags flags;
    flags.token = "wrong";
    User stranger("viewer", flags);
    const auto refused = stranger.api.list(bench.pods());
    CHECK(told(refused) == "401 Unauthorized: You must be logged in to the server (Unauthorized)");
    CHECK(refused.error().kind == ErrorKind::auth);
    CHECK(watch(stranger.api, bench.pods(), {}, 1).end.error().kind == ErrorKind::auth);
}
