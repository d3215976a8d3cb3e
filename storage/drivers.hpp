// What is known of storage drivers without asking them: whether two nodes may write through their
// file system at once, and whether they share raw devices only. Pure; unknown drivers stay unknown.
//
// Source: libvirt src/util/virfile.c (virFileIsSharedFSType: NFS, GFS2, OCFS2, AFS, SMB, CIFS,
// CephFS, GPFS, Quobyte, ACFS, GlusterFS FUSE, Lustre); each driver's own documentation for its
// access modes.
#pragma once

#include <string_view>

namespace storage {

enum class Sharing {
    shared_filesystem,  // libvirt knows the file system as shared
    block_only,         // shares raw block devices between nodes, but no file system
    node_local,         // the volume lives on one node, whatever the claim says
    unknown,
};

struct Driver {
    std::string_view name;  // CSI driver or in-tree provisioner
    std::string_view title;
    Sharing sharing;
};

// Of a CSI driver name or a StorageClass provisioner; Sharing::unknown with the name itself as
// title for drivers that are not in the table.
Driver driver_of(std::string_view name);

}  // namespace storage
