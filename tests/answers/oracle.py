"""KubeVirt's answer on live migration, written down a second time, to hold the C++ against.

Straight-line checks per release, as virt-handler runs them (kubevirt pkg/virt-handler/vm.go,
pkg/network/vmispec, pkg/virt-controller/watch/topology/tsc.go at v1.4.1 ... v1.9.0). A check gives
None (passes), (reason, message), or UNKNOWN where a needed object was not there.
"""

import copy
import re

UNKNOWN = "unknown"
ANNOTATION = "kubevirt.io/allow-pod-bridge-network-live-migration"
HOST_MODEL = "host-model-cpu.node.kubevirt.io/"
TSC_LABEL = "cpu-timer.node.kubevirt.io/tsc-frequency"
ALL_SHARED = (
    "live migration requires that all PVCs must be shared (using ReadWriteMany access mode)"
)
TSC = (
    "HyperV Reenlightenment VMIs cannot migrate when TSC Frequency is not exposed on the cluster:"
    " guest timers might be inconsistent"
)


def dig(value, *path):
    """The value at the path; null and absent are the same, as for KubeVirt."""
    for key in path:
        if value is None:
            return None
        value = value.get(key)
    return value


def items(value, *path):
    return dig(value, *path) or []


class World:
    """What the machine runs in. kubevirt None: the CR was not there."""

    def __init__(self, kubevirt, nodes):
        self.kubevirt = kubevirt
        self.nodes = {node["metadata"]["name"]: node for node in nodes}
        version = dig(kubevirt, "status", "observedKubeVirtVersion") or ""
        number = re.match(r"v?(\d+)\.(\d+)\.", version)
        found = (int(number[1]), int(number[2])) if number else (1, 9)
        self.release = min(max(found, (1, 4)), (1, 9))

    def configuration(self, *path):
        return dig(self.kubevirt, "spec", "configuration", *path)


def access_modes_of(volume, vmi):
    """(modes, claim name), or None when the volume has no claim information."""
    # The last entry of a name counts, as in a map that is filled in order.
    for status in reversed(items(vmi, "status", "volumeStatus")):
        if status["name"] == volume["name"]:
            info = status.get("persistentVolumeClaimInfo")
            return None if info is None else (items(info, "accessModes"), info.get("claimName") or "")
    return None


def is_migrated(volume, vmi):
    moved = items(vmi, "status", "migratedVolumes")
    return any(entry.get("volumeName") == volume["name"] for entry in moved)


def not_shared(claim):
    return "DisksNotLiveMigratable", f"cannot migrate VMI: PVC {claim} is not shared, {ALL_SHARED}"


def check_claim(volume, claim, vmi, access):
    if access == UNKNOWN:
        return None if is_migrated(volume, vmi) else UNKNOWN
    if access is None:
        why = f"cannot migrate VMI: Unable to determine if PVC {claim} is shared, {ALL_SHARED}"
        return "DisksNotLiveMigratable", why
    if "ReadWriteMany" in access[0] or is_migrated(volume, vmi):
        return None
    return not_shared(claim)


def check_host_disk(volume, vmi, world):
    access = access_modes_of(volume, vmi)
    if world.release >= (1, 6) and access is not None:
        if "ReadWriteMany" in access[0] or is_migrated(volume, vmi):
            return None
        return not_shared(access[1])
    if volume["hostDisk"].get("shared") is True:
        return None
    return "DisksNotLiveMigratable", "cannot migrate VMI with non-shared HostDisk"


def copied_with_guest(volume, vmi, world):
    """Whether a volume without a claim makes it a block migration."""
    devices = vmi["spec"]["domain"].get("devices")
    if world.release >= (1, 5):
        if any(entry["name"] == volume["name"] for entry in items(devices, "filesystems")):
            return False
    for disk in items(devices, "disks"):
        cdrom = disk.get("cdrom")
        if disk["name"] == volume["name"] and cdrom is not None:
            if cdrom.get("readonly") is not False:
                return False
    return True


def check_volumes(vmi, world, claim_access):
    """(check, method): the method is None while it hangs on an unread claim."""
    block = bool(items(vmi, "status", "migratedVolumes"))
    failed, unread = None, False
    for volume in items(vmi, "spec", "volumes"):
        claim = None
        if volume.get("persistentVolumeClaim") is not None:
            claim = volume["persistentVolumeClaim"].get("claimName") or ""
        elif volume.get("dataVolume") is not None:
            claim = volume["dataVolume"].get("name") or ""
        if claim is not None:
            result = check_claim(volume, claim, vmi, claim_access(volume, claim))
        elif volume.get("hostDisk") is not None:
            result = check_host_disk(volume, vmi, world)
        else:
            block = block or copied_with_guest(volume, vmi, world)
            continue
        if result == UNKNOWN:
            unread = True
        elif result is not None:
            failed, block = result, True
            break
    method = "BlockMigration" if block else None if unread else "LiveMigration"
    return failed or (UNKNOWN if unread else None), method


def pod_network(vmi):
    for network in items(vmi, "spec", "networks"):
        if network.get("pod") is not None:
            return network["name"]
    return None


def plugin_migrates(interface, world):
    if interface.get("binding") is None:
        return False
    if world.kubevirt is None:
        return UNKNOWN
    plugin = dig(world.configuration("network", "binding"), interface["binding"]["name"])
    return dig(plugin, "migration") is not None


def check_interfaces(vmi, world):
    interfaces = items(vmi, "spec", "domain", "devices", "interfaces")
    network = pod_network(vmi)
    if interfaces == UNKNOWN:
        return UNKNOWN
    if not interfaces or network is None:
        return None
    interface = next((entry for entry in interfaces if entry["name"] == network), None)
    modern = world.release >= (1, 8)
    if interface is None:
        if not modern:
            return None
        why = f"no primary interface found for network {network}"
        return "InterfaceNotLiveMigratable", why
    if interface.get("masquerade") is not None:
        return None
    if modern and interface.get("passtBinding") is not None:
        return None
    annotated = ANNOTATION in (dig(vmi, "metadata", "annotations") or {})
    if interface.get("bridge") is not None and annotated:
        return None
    migrates = plugin_migrates(interface, world)
    if migrates:
        return UNKNOWN if migrates == UNKNOWN else None
    bridge = "" if modern else f", bridge with {ANNOTATION} VM annotation"
    return "InterfaceNotLiveMigratable", (
        f"cannot migrate VMI which does not use masquerade{bridge} or a migratable plugin"
        " to connect to the pod network"
    )


def offers_host_model(node):
    return any(label.startswith(HOST_MODEL) for label in dig(node, "metadata", "labels") or {})


def check_host_model(vmi, world):
    if dig(vmi, "spec", "domain", "cpu", "model") != "host-model":
        return None
    if vmi.get("foreseen"):
        return foresee_host_model(world)
    name = dig(vmi, "status", "nodeName") or ""
    if name not in world.nodes:
        return UNKNOWN
    if offers_host_model(world.nodes[name]):
        return None
    return "CPUModeLiveMigratable", f'the node "{name}" does not allow migration with host-model'


def foresee_host_model(world):
    """Of a machine that does not run: one node that could migrate it is enough, and only a full
    list of nodes without any would be a refusal. Files never hold a list that is known as full."""
    return None if any(offers_host_model(node) for node in world.nodes.values()) else UNKNOWN


def check_virtiofs(vmi, world):
    if items(vmi, "spec", "domain", "devices", "filesystems"):
        return "VirtIOFSNotLiveMigratable", "VMI uses virtiofs"
    return None


def check_devices(vmi, world):
    devices = dig(vmi, "spec", "domain", "devices")
    host_devices, gpus = items(devices, "hostDevices"), items(devices, "gpus")
    if world.release < (1, 9):
        if host_devices or gpus:
            return "HostDeviceNotLiveMigratable", "VMI uses a PCI host devices"
        return None
    if host_devices:
        why = "VMI specifies non-migratable generic PCI host device"
        return "HostDeviceNotLiveMigratable", why
    if len(gpus) > 1:
        return "HostDeviceNotLiveMigratable", "VMI specifies too many GPUs"
    if gpus:
        return check_gpu(gpus[0], world)
    return None


def check_gpu(gpu, world):
    if world.kubevirt is None:
        return UNKNOWN
    if "VGPULiveMigration" not in items(
        world.configuration("developerConfiguration"), "featureGates"
    ):
        why = "VMI specifies a GPU but feature gate VGPULiveMigration is not enabled"
        return "HostDeviceNotLiveMigratable", why
    mediated = items(world.configuration("permittedHostDevices"), "mediatedDevices")
    if any(entry.get("resourceName") == gpu.get("deviceName") for entry in mediated):
        return None
    return "HostDeviceNotLiveMigratable", "VMI specifies non-migratable GPU device"


def launch_security(vmi):
    return dig(vmi, "spec", "domain", "launchSecurity")


def is_sev(vmi, world):
    security = launch_security(vmi)
    if dig(security, "sev") is not None:
        return True
    return world.release >= (1, 7) and dig(security, "snp") is not None


def check_sev(vmi, world):
    return ("SEVNotLiveMigratable", "VMI uses SEV") if is_sev(vmi, world) else None


def check_tdx(vmi, world):
    if dig(launch_security(vmi), "tdx") is None:
        return None
    return "TDXNotLiveMigratable", "VMI uses TDX"


def check_tdx_unless_sev(vmi, world):
    """As the storage condition asks: SEV or TDX, never both."""
    return None if is_sev(vmi, world) else check_tdx(vmi, world)


def check_secure_execution(vmi, world):
    if launch_security(vmi) is not None and dig(vmi, "spec", "architecture") == "s390x":
        return "SecureExecutionNotLiveMigratable", "VMI uses Secure Execution"
    return None


def check_reservation(vmi, world):
    for disk in items(vmi, "spec", "domain", "devices", "disks"):
        if dig(disk, "lun", "reservation") is True:
            spelled = "persitent" if world.release < (1, 7) else "persistent"
            return "PersistentReservationNotLiveMigratable", f"VMI uses SCSI {spelled} reservation"
    return None


def check_tsc(vmi, world):
    for feature in items(vmi, "spec", "domain", "cpu", "features"):
        if feature["name"] == "invtsc" and feature.get("policy") in ("require", "force"):
            return None
    if dig(vmi, "spec", "domain", "features", "hyperv", "reenlightenment", "enabled") is not True:
        return None
    if (dig(vmi, "status", "topologyHints", "tscFrequency") or 0) > 0:
        return None
    if vmi.get("foreseen"):
        # One node that exposes it is enough; files may hold some of the nodes only.
        labels = [dig(node, "metadata", "labels") for node in world.nodes.values()]
        return None if any(TSC_LABEL in each for each in labels) else UNKNOWN
    return "NoTSCFrequencyNotLiveMigratable", TSC


def check_hyperv_passthrough(vmi, world):
    if dig(vmi, "spec", "domain", "features", "hypervPassthrough", "enabled") is True:
        return "HypervPassthroughNotLiveMigratable", "VMI uses hyperv passthrough"
    return None


def storage_checks(release):
    checks = [check_interfaces, check_host_model]
    if release == (1, 4):
        checks.append(check_virtiofs)
    checks += [check_devices, check_sev]
    if release >= (1, 7):
        checks.append(check_tdx_unless_sev)
    return checks + [check_reservation, check_tsc, check_hyperv_passthrough]


def live_checks(release):
    """All but the disks, in order."""
    checks = storage_checks(release)
    if release >= (1, 7):
        checks[checks.index(check_tdx_unless_sev)] = check_tdx
    if release >= (1, 6):
        checks.insert(checks.index(check_reservation), check_secure_execution)
    if release >= (1, 9):
        checks.remove(check_reservation)
    return checks


def condition(status, reason=None, message=None):
    return {"status": status, "reason": reason, "message": message}


def live_migratable(results):
    failures = [result for result in results if result not in (None, UNKNOWN)]
    if failures:
        return condition("False", *failures[0])
    return condition("Unknown" if UNKNOWN in results else "True")


def storage_live_migratable(results):
    failures = [result for result in results if result not in (None, UNKNOWN)]
    if failures:
        listed = ", ".join(f"{reason}: {message}" for reason, message in failures)
        return condition("False", "NotMigratable", listed)
    return condition("Unknown" if UNKNOWN in results else "True")


def answer(vmi, world):
    """`recomputed` of a running VMI."""
    disks, method = check_volumes(vmi, world, lambda volume, claim: access_modes_of(volume, vmi))
    return combine(vmi, world, disks, method)


def template_answer(machine, world, claims):
    """`recomputed` of a VirtualMachine that does not run; `claims`: its PVC objects by name."""
    vmi = started(machine, world)

    def from_objects(volume, claim):
        if claim in claims:
            return items(claims[claim], "spec", "accessModes"), claim
        for template in items(machine, "spec", "dataVolumeTemplates"):
            storage = dig(template, "spec", "storage") or dig(template, "spec", "pvc")
            if volume.get("dataVolume") and template["metadata"]["name"] == claim:
                return (items(storage, "accessModes"), claim) if storage else UNKNOWN
        return UNKNOWN

    disks, method = check_volumes(vmi, world, from_objects)
    return combine(vmi, world, disks, method)


def started(machine, world):
    """The VMI of the template, with what KubeVirt's webhook fills in; it has no status."""
    template = copy.deepcopy(machine["spec"]["template"])
    spec, domain = template["spec"], template["spec"]["domain"]
    cpu = domain["cpu"] = domain.get("cpu") or {}
    if not cpu.get("model"):
        arm = spec.get("architecture") == "arm64"
        own = "host-passthrough" if arm else "host-model"
        cpu["model"] = world.configuration("cpuModel") or own
    reenlightenment = dig(domain, "features", "hyperv", "reenlightenment")
    if reenlightenment is not None and reenlightenment.get("enabled") is None:
        reenlightenment["enabled"] = True
    devices = domain.get("devices") or {}
    attached = devices.get("autoattachPodInterface") is not False
    if attached and not spec.get("networks") and not devices.get("interfaces"):
        network = world.configuration("network", "defaultNetworkInterface") or "bridge"
        spec["networks"] = [{"name": "default", "pod": {}}]
        devices["interfaces"] = [{"name": "default", network: {}}] if world.kubevirt else UNKNOWN
        domain["devices"] = devices
    return {"metadata": template.get("metadata") or {}, "spec": spec, "foreseen": True}


def combine(vmi, world, disks, method):
    results = [check(vmi, world) for check in live_checks(world.release)]
    results = [disks] + results if world.release < (1, 6) else results + [disks]
    storage = [check(vmi, world) for check in storage_checks(world.release)]
    return {
        "LiveMigratable": live_migratable(results),
        "StorageLiveMigratable": storage_live_migratable(storage),
        "migrationMethod": method,
        "reasons": [result[0] for result in results if result not in (None, UNKNOWN)],
    }
