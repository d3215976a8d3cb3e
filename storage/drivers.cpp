#include "storage/drivers.hpp"

#include <algorithm>
#include <array>

namespace storage {
namespace {

constexpr std::array<Driver, 22> drivers{{
    {"cephfs.csi.ceph.com", "CephFS", Sharing::shared_filesystem},
    {"nfs.csi.k8s.io", "NFS", Sharing::shared_filesystem},
    {"kubernetes.io/nfs", "NFS", Sharing::shared_filesystem},
    {"kubernetes.io/cephfs", "CephFS", Sharing::shared_filesystem},
    {"spectrumscale.csi.ibm.com", "GPFS", Sharing::shared_filesystem},
    {"lustre.csi.hpe.com", "Lustre", Sharing::shared_filesystem},
    {"efs.csi.aws.com", "Amazon EFS (NFS)", Sharing::shared_filesystem},
    {"file.csi.azure.com", "Azure Files", Sharing::shared_filesystem},
    {"filestore.csi.storage.gke.io", "Filestore (NFS)", Sharing::shared_filesystem},
    {"driver.longhorn.io", "Longhorn (NFS share manager)", Sharing::shared_filesystem},
    {"csi.quobyte.com", "Quobyte", Sharing::shared_filesystem},
    {"rbd.csi.ceph.com", "Ceph RBD", Sharing::block_only},
    {"kubernetes.io/rbd", "Ceph RBD", Sharing::block_only},
    {"kubernetes.io/iscsi", "iSCSI", Sharing::block_only},
    {"kubernetes.io/fc", "Fibre Channel", Sharing::block_only},
    {"io.openebs.csi-mayastor", "OpenEBS Mayastor", Sharing::block_only},
    {"linstor.csi.linbit.com", "LINSTOR", Sharing::block_only},
    {"kubevirt.io.hostpath-provisioner", "hostpath provisioner", Sharing::node_local},
    {"rancher.io/local-path", "local-path provisioner", Sharing::node_local},
    {"kubernetes.io/hostPath", "hostPath", Sharing::node_local},
    {"kubernetes.io/local", "local volume", Sharing::node_local},
    {"topolvm.io", "TopoLVM", Sharing::node_local},
}};

// Rook puts its namespace in front of Ceph's names: "rook-ceph.rbd.csi.ceph.com".
bool names(const Driver& driver, std::string_view name) {
    if (name == driver.name) return true;
    return driver.name.ends_with("csi.ceph.com") && name.ends_with(driver.name) &&
           name[name.size() - driver.name.size() - 1] == '.';
}

}  // namespace

Driver driver_of(std::string_view name) {
    const auto found = std::find_if(drivers.begin(), drivers.end(),
                                    [&](const auto& driver) { return names(driver, name); });
    return found == drivers.end() ? Driver{name, name, Sharing::unknown} : *found;
}

}  // namespace storage
