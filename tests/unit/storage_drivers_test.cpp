#include "storage/drivers.hpp"

#include <doctest/doctest.h>

#include <string>

using storage::driver_of;
using storage::Sharing;

TEST_CASE("a driver is known by its whole name") {
    CHECK(driver_of("rbd.csi.ceph.com").sharing == Sharing::block_only);
    CHECK(driver_of("cephfs.csi.ceph.com").sharing == Sharing::shared_filesystem);
    CHECK(driver_of("nfs.csi.k8s.io").title == "NFS");
    CHECK(driver_of("io.openebs.csi-mayastor").sharing == Sharing::block_only);
    CHECK(driver_of("kubernetes.io/local").sharing == Sharing::node_local);
    CHECK(driver_of("rancher.io/local-path").sharing == Sharing::node_local);
}

TEST_CASE("Rook's names carry its namespace in front") {
    CHECK(driver_of("rook-ceph.rbd.csi.ceph.com").title == "Ceph RBD");
    CHECK(driver_of("openshift-storage.cephfs.csi.ceph.com").title == "CephFS");
}

TEST_CASE("a driver that only looks like a known one stays unknown") {
    for (const std::string name : {"", "rbd", "xrbd.csi.ceph.com", "rbd.csi.ceph.com.evil",
                                   "a.nfs.csi.k8s.io", "NFS.csi.k8s.io", "csi.ceph.com"}) {
        CAPTURE(name);
        CHECK(driver_of(name).sharing == Sharing::unknown);
        CHECK(driver_of(name).title == name);
    }
}
