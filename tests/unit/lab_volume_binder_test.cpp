#include "lab/controllers/volume_binder.hpp"

#include <doctest/doctest.h>

#include <nlohmann/json.hpp>

#include "lab/world.hpp"

using kubeclient::Json;

namespace {

const lab::ResourceId volumes{"", "persistentvolumes"};
const lab::ResourceId claims{"", "persistentvolumeclaims"};

struct Binding {
    lab::World world{{.seed = 1, .start = {}}};

    Binding() { world.add(std::make_unique<lab::VolumeBinder>(), {"binder", {}}); }

    void volume(const std::string& claim) {
        world.server().seed({{"apiVersion", "v1"},
                             {"kind", "PersistentVolume"},
                             {"metadata", {{"name", "pv"}}},
                             {"spec",
                              {{"capacity", {{"storage", "1Gi"}}},
                               {"accessModes", Json::array({"ReadWriteMany"})},
                               {"claimRef", {{"namespace", "default"}, {"name", claim}}}}},
                             {"status", {{"phase", "Available"}}}});
    }
    void claim(const std::string& volume_name) {
        Json spec{{"accessModes", Json::array({"ReadWriteMany"})}};
        if (!volume_name.empty()) spec["volumeName"] = volume_name;
        world.server().seed({{"apiVersion", "v1"},
                             {"kind", "PersistentVolumeClaim"},
                             {"metadata", {{"name", "claim"}, {"namespace", "default"}}},
                             {"spec", spec},
                             {"status", {{"phase", "Pending"}}}});
    }
    Json stored_claim() { return *world.objects().get(claims, {"default", "claim"}); }
    Json stored_volume() { return *world.objects().get(volumes, {"", "pv"}); }
};

}  // namespace

TEST_CASE("a claim and the volume that names it are bound to each other, whichever comes first") {
    for (const bool claim_first : {true, false}) {
        Binding binding;
        if (claim_first) binding.claim("");
        binding.volume("claim");
        if (!claim_first) binding.claim("pv");
        binding.world.settle();
        const Json claim = binding.stored_claim();
        CHECK(claim["spec"]["volumeName"] == "pv");
        CHECK(claim["metadata"]["annotations"]["pv.kubernetes.io/bind-completed"] == "yes");
        CHECK(claim["status"]["phase"] == "Bound");
        CHECK(claim["status"]["capacity"]["storage"] == "1Gi");
        CHECK(binding.stored_volume()["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"]);
        CHECK(binding.stored_volume()["status"]["phase"] == "Bound");
    }
}

TEST_CASE("a volume for somebody else, or of a claim that is gone, is left alone") {
    Binding binding;
    binding.volume("other");
    binding.claim("pv");
    binding.world.settle();
    CHECK(binding.stored_claim()["status"]["phase"] == "Pending");
    CHECK(binding.stored_volume()["status"]["phase"] == "Available");
}
