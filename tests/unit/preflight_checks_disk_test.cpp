// DISK-001 … DISK-011.
#include "tests/unit/preflight_builders.hpp"

using namespace preflight;
using namespace preflight::builders;
using facts::Snapshot;
using facts::VolumeKind;

namespace {

facts::ClaimStatus& reported_claim(Snapshot& all) {
    return *vmi_of(all).volumes.front().claim;
}
void add_host_disk(Snapshot& all, bool shared) {
    guest_of(all).volumes.push_back({"scratch", VolumeKind::host_disk, "hostDisk", {}, shared});
}
void add_scratch(Snapshot& all, VolumeKind kind, std::vector<std::string> modes) {
    guest_of(all).volumes.push_back({"scratch", kind, "ephemeral", "scratch", false});
    all.claims.items.push_back({meta("prod", "scratch"), std::move(modes), "Block", "ceph", {}});
}
void add_reservation(Snapshot& all, facts::DiskKind kind) {
    guest_of(all).disks.push_back({.name = "lun", .kind = kind, .reservation = true});
}
void share_filesystem(Snapshot& all, const std::string& driver) {
    reported_claim(all).volume_mode = "Filesystem";
    all.claims.items.front().volume_mode = "Filesystem";
    all.volumes.items.front().driver = driver;
}
facts::NodeTerm on_node(const std::string& name) {
    return {{}, {{"metadata.name", "In", {name}}}};
}

}  // namespace

TEST_CASE("DISK-001 asks for ReadWriteMany on every claim") {
    expect("DISK-001",
           {{"RWX", unchanged, Verdict::pass},
            {"RWO", [](Snapshot& all) { reported_claim(all).access_modes = {"ReadWriteOnce"}; },
             Verdict::fail},
            {"RWO and RWX",
             [](Snapshot& all) {
                 reported_claim(all).access_modes = {"ReadWriteOnce", "ReadWriteMany"};
             },
             Verdict::pass},
            {"many readers are no many writers",
             [](Snapshot& all) { reported_claim(all).access_modes = {"ReadOnlyMany"}; },
             Verdict::fail},
            {"letter case counts",
             [](Snapshot& all) { reported_claim(all).access_modes = {"readwritemany"}; },
             Verdict::fail},
            {"no access modes at all",
             [](Snapshot& all) { reported_claim(all).access_modes.clear(); }, Verdict::fail},
            {"the status tells of no claim",
             [](Snapshot& all) { vmi_of(all).volumes.front().claim.reset(); }, Verdict::fail},
            {"the status has another volume only",
             [](Snapshot& all) { vmi_of(all).volumes.front().name = "other"; }, Verdict::fail},
            {"RWO, but its data moves, too",
             [](Snapshot& all) {
                 reported_claim(all).access_modes = {"ReadWriteOnce"};
                 vmi_of(all).migrated_volumes = {{"root", "data", "new", {}, {}}};
             },
             Verdict::pass},
            {"another volume's data moves",
             [](Snapshot& all) {
                 reported_claim(all).access_modes = {"ReadWriteOnce"};
                 vmi_of(all).migrated_volumes = {{"other", "data", "new", {}, {}}};
             },
             Verdict::fail},
            {"no claim", [](Snapshot& all) { guest_of(all).volumes.clear(); }, Verdict::skipped},
            {"the claim object says RWO, the status RWX: the status counts",
             [](Snapshot& all) { all.claims.items.front().access_modes = {"ReadWriteOnce"}; },
             Verdict::pass}});
}

TEST_CASE("DISK-001 judges a stopped VM by its claims") {
    expect(
        "DISK-001",
        {{"RWX", unchanged, Verdict::pass},
         {"RWO", [](Snapshot& all) { all.claims.items.front().access_modes = {"ReadWriteOnce"}; },
          Verdict::fail},
         {"a claim of that name in another namespace",
          [](Snapshot& all) { all.claims.items.front().meta.ns = "test"; }, Verdict::unknown,
          "persistentvolumeclaims/prod/data"},
         {"claims unread", [](Snapshot& all) { unread(all, all.claims, "claims"); },
          Verdict::unknown, "claims"}},
        stopped);
}

TEST_CASE("DISK-001 names every bad claim, not the first only") {
    auto all = healthy();
    reported_claim(all).access_modes = {"ReadWriteOnce"};
    guest_of(all).volumes.push_back({"logs", VolumeKind::data_volume, "dataVolume", "logs", false});
    vmi_of(all).volumes.push_back(
        {"logs", facts::ClaimStatus{"logs", {"ReadWriteOnce"}, "Block", {}}});
    const auto findings = run(all, "DISK-001");
    REQUIRE(findings.size() == 2);
    CHECK(findings[0].subject.name == "data");
    CHECK(findings[1].subject.name == "logs");
    CHECK(findings[0].verdict == Verdict::fail);
    CHECK(findings[1].verdict == Verdict::fail);
}

TEST_CASE("DISK-002 asks for shared hostDisks") {
    expect("DISK-002",
           {{"none", unchanged, Verdict::skipped},
            {"shared", [](Snapshot& all) { add_host_disk(all, true); }, Verdict::pass},
            {"not shared", [](Snapshot& all) { add_host_disk(all, false); }, Verdict::fail},
            {"not shared, but it stands for a claim",
             [](Snapshot& all) {
                 add_host_disk(all, false);
                 vmi_of(all).volumes.push_back(
                     {"scratch", facts::ClaimStatus{"c", {"ReadWriteMany"}, "Block", {}}});
             },
             Verdict::pass},
            {"1.5 does not look at the claim it stands for",
             [](Snapshot& all) {
                 kubevirt_in(all).observed_version = "v1.5.0";
                 add_host_disk(all, true);
                 vmi_of(all).volumes.push_back(
                     {"scratch", facts::ClaimStatus{"c", {"ReadWriteOnce"}, "Block", {}}});
             },
             Verdict::pass}});
}

TEST_CASE("DISK-002 fails a hostDisk before 1.6 also where it stands for a claim") {
    auto all = healthy();
    kubevirt_in(all).observed_version = "v1.5.0";
    add_host_disk(all, false);
    vmi_of(all).volumes.push_back(
        {"scratch", facts::ClaimStatus{"c", {"ReadWriteMany"}, "Block", {}}});
    const auto item = judge_one(all);
    CHECK(item.recomputed.live_migratable.status == "False");
    CHECK(item.verdict == Verdict::fail);
    CHECK(findings_of(item, "DISK-002").front().verdict == Verdict::fail);
}

TEST_CASE("DISK-003 warns of ephemeral and dump claims that only one node can attach") {
    for (const auto kind : {VolumeKind::ephemeral, VolumeKind::memory_dump}) {
        const auto with = [kind](std::vector<std::string> modes) {
            return [kind, modes](Snapshot& all) { add_scratch(all, kind, modes); };
        };
        expect("DISK-003", {{"none", unchanged, Verdict::skipped},
                            {"RWX", with({"ReadWriteMany"}), Verdict::pass},
                            {"ROX", with({"ReadOnlyMany"}), Verdict::pass},
                            {"RWO", with({"ReadWriteOnce"}), Verdict::warn},
                            {"one pod only", with({"ReadWriteOncePod"}), Verdict::warn},
                            {"claims unread",
                             [&](Snapshot& all) {
                                 with({})(all);
                                 unread(all, all.claims, "claims");
                             },
                             Verdict::unknown, "claims"}});
    }
}

TEST_CASE("DISK-004 refuses virtiofs in 1.4 only") {
    const auto add = [](Snapshot& all) { guest_of(all).filesystems = {{"share", true}}; };
    expect("DISK-004", {{"1.9 has no such rule", add, Verdict::skipped},
                        {"1.4",
                         [&](Snapshot& all) {
                             add(all);
                             kubevirt_in(all).observed_version = "v1.4.1";
                         },
                         Verdict::fail},
                        {"1.5",
                         [&](Snapshot& all) {
                             add(all);
                             kubevirt_in(all).observed_version = "v1.5.0";
                         },
                         Verdict::skipped},
                        {"1.4 and another filesystem",
                         [](Snapshot& all) {
                             guest_of(all).filesystems = {{"share", false}};
                             kubevirt_in(all).observed_version = "v1.4.1";
                         },
                         Verdict::pass}});
}

TEST_CASE("DISK-005 refuses SCSI reservations up to 1.8 and warns since 1.9") {
    const auto lun = [](Snapshot& all) { add_reservation(all, facts::DiskKind::lun); };
    expect("DISK-005",
           {{"none", unchanged, Verdict::pass},
            {"1.9", lun, Verdict::warn},
            {"1.8",
             [&](Snapshot& all) {
                 lun(all);
                 kubevirt_in(all).observed_version = "v1.8.4";
             },
             Verdict::fail},
            {"a disk is no LUN", [](Snapshot& all) { add_reservation(all, facts::DiskKind::disk); },
             Verdict::pass}});
}

TEST_CASE("DISK-006 asks for a file system that libvirt knows as shared") {
    expect(
        "DISK-006",
        {{"Block", unchanged, Verdict::skipped},
         {"CephFS", [](Snapshot& all) { share_filesystem(all, "cephfs.csi.ceph.com"); },
          Verdict::pass},
         {"RBD", [](Snapshot& all) { share_filesystem(all, "rbd.csi.ceph.com"); }, Verdict::warn},
         {"a driver nobody knows", [](Snapshot& all) { share_filesystem(all, "x.example"); },
          Verdict::warn},
         {"the override is set",
          [](Snapshot& all) {
              share_filesystem(all, "x.example");
              kubevirt_in(all).migrations.unsafe_override = true;
          },
          Verdict::pass},
         {"neither volume nor class known",
          [](Snapshot& all) {
              share_filesystem(all, "x.example");
              unread(all, all.volumes, "pv");
              unread(all, all.storage_classes, "sc");
          },
          Verdict::unknown, "pv"},
         {"volume unread, class known",
          [](Snapshot& all) {
              share_filesystem(all, "x.example");
              unread(all, all.volumes, "pv");
              all.storage_classes.items.front().provisioner = "nfs.csi.k8s.io";
          },
          Verdict::pass},
         {"RWO is another check's matter",
          [](Snapshot& all) {
              share_filesystem(all, "x.example");
              reported_claim(all).access_modes = {"ReadWriteOnce"};
          },
          Verdict::skipped}});
}

TEST_CASE("DISK-007 warns of host caches") {
    const auto cache = [](std::string mode) {
        return [mode](Snapshot& all) { guest_of(all).disks.front().cache = mode; };
    };
    expect("DISK-007", {{"not set", unchanged, Verdict::pass},
                        {"none", cache("none"), Verdict::pass},
                        {"directsync", cache("directsync"), Verdict::pass},
                        {"writethrough", cache("writethrough"), Verdict::warn},
                        {"writeback", cache("writeback"), Verdict::warn},
                        {"of a disk without a claim",
                         [](Snapshot& all) {
                             guest_of(all).disks.push_back({.name = "other", .cache = "writeback"});
                         },
                         Verdict::pass}});
}

TEST_CASE("DISK-008 wants block storage shared as block devices") {
    expect(
        "DISK-008",
        {{"RBD as Block", unchanged, Verdict::pass},
         {"RBD as Filesystem", [](Snapshot& all) { share_filesystem(all, "rbd.csi.ceph.com"); },
          Verdict::warn},
         {"NFS", [](Snapshot& all) { share_filesystem(all, "nfs.csi.k8s.io"); }, Verdict::skipped},
         {"a driver nobody knows", [](Snapshot& all) { share_filesystem(all, "x.example"); },
          Verdict::skipped}});
}

TEST_CASE("DISK-009 wants volumes that another node can reach") {
    const auto pin = [](std::vector<std::string> names) {
        return [names](Snapshot& all) {
            auto& terms = all.volumes.items.front().node_terms.emplace();
            for (const auto& name : names) terms.push_back(on_node(name));
        };
    };
    expect("DISK-009",
           {{"not pinned", unchanged, Verdict::pass},
            {"pinned to both", pin({"n1", "n2"}), Verdict::pass},
            {"pinned to the source", pin({"n1"}), Verdict::warn},
            {"pinned to a node that is gone", pin({"n1", "n9"}), Verdict::warn},
            {"pinned to nothing", pin({}), Verdict::warn},
            {"pinned, nodes unread",
             [&](Snapshot& all) {
                 pin({"n1"})(all);
                 unread(all, all.nodes, "nodes");
             },
             Verdict::unknown, "nodes"},
            {"volumes unread",
             [](Snapshot& all) {
                 unread(all, all.volumes, "pv");
                 unread(all, all.storage_classes, "sc");
             },
             Verdict::unknown, "pv"},
            {"no shared claim",
             [](Snapshot& all) { reported_claim(all).access_modes = {"ReadWriteOnce"}; },
             Verdict::skipped}});
}

TEST_CASE("DISK-010 compares the sizes of a volume migration") {
    const auto move = [](std::optional<std::int64_t> from, std::optional<std::int64_t> to) {
        return [from, to](Snapshot& all) {
            vmi_of(all).migrated_volumes = {{"root", "data", "new", from, to}};
        };
    };
    expect("DISK-010",
           {{"none", unchanged, Verdict::skipped},
            {"equal", move(gibibyte, gibibyte), Verdict::pass},
            {"larger", move(gibibyte, 2 * gibibyte), Verdict::pass},
            {"one byte smaller", move(gibibyte, gibibyte - 1), Verdict::warn},
            {"sizes unknown", move({}, {}), Verdict::unknown, "persistentvolumeclaims"},
            {"source unknown", move({}, gibibyte), Verdict::unknown, "persistentvolumeclaims"},
            {"destination unknown", move(gibibyte, {}), Verdict::unknown, "persistentvolumeclaims"},
            {"sizes unknown, claims unread",
             [&](Snapshot& all) {
                 move({}, {})(all);
                 unread(all, all.claims, "claims");
             },
             Verdict::unknown, "claims"}});
}

TEST_CASE("DISK-011 warns of what holds the disks") {
    expect("DISK-011",
           {{"idle", unchanged, Verdict::pass},
            {"backup", [](Snapshot& all) { vmi_of(all).backup_running = true; }, Verdict::warn},
            {"utility volume", [](Snapshot& all) { guest_of(all).utility_volumes = {"dump"}; },
             Verdict::warn}});
}

TEST_CASE("DISK-001 judges the claim behind a hostDisk since 1.6, DISK-002 up to 1.5") {
    const auto verdicts = [](const std::string& version, bool shared, const std::string& mode) {
        auto all = healthy();
        kubevirt_in(all).observed_version = version;
        add_host_disk(all, shared);
        vmi_of(all).volumes.push_back({"scratch", facts::ClaimStatus{"c", {mode}, "Block", {}}});
        std::vector<std::string> failed;
        for (const auto& [check, finding] : judge_one(all).checks) {
            const bool disk = check->id == "DISK-001" || check->id == "DISK-002";
            if (disk && finding.verdict == Verdict::fail) failed.emplace_back(check->id);
        }
        return failed;
    };
    using Ids = std::vector<std::string>;
    for (const auto* old : {"v1.4.1", "v1.5.3"}) {
        CHECK(verdicts(old, false, "ReadWriteMany") == Ids{"DISK-002"});
        CHECK(verdicts(old, false, "ReadWriteOnce") == Ids{"DISK-002"});
        CHECK(verdicts(old, true, "ReadWriteOnce").empty());
    }
    for (const auto* later : {"v1.6.0", "v1.9.0"}) {
        CHECK(verdicts(later, false, "ReadWriteMany").empty());
        CHECK(verdicts(later, true, "ReadWriteOnce") == Ids{"DISK-001"});
        CHECK(verdicts(later, false, "ReadWriteOnce") == Ids{"DISK-001"});
    }
}

TEST_CASE("DISK-009 wants two nodes that reach the volume of a stopped VM") {
    const auto pin = [](std::vector<std::string> names) {
        return [names](Snapshot& all) {
            auto& terms = all.volumes.items.front().node_terms.emplace();
            for (const auto& name : names) terms.push_back(on_node(name));
        };
    };
    expect("DISK-009",
           {{"not pinned", unchanged, Verdict::pass},
            {"two nodes", pin({"n1", "n2"}), Verdict::pass},
            {"one node", pin({"n2"}), Verdict::warn},
            {"one node and one that is gone", pin({"n2", "n9"}), Verdict::warn}},
           stopped);
}
