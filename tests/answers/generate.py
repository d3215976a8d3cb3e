"""Random virtual machines, KubeVirt CRs and nodes, always the same for one seed."""

VERSIONS = ["v1.4.1", "v1.5.3", "v1.6.6", "v1.7.4", "v1.8.4", "v1.9.0"]
SPELLINGS = ["{}", "{}", "{}", "{}-rc.1", "{}-35-gabcdef", "{}+build"]
MODES = ["ReadWriteOnce", "ReadOnlyMany", "ReadWriteMany", "ReadWriteOncePod"]
ANNOTATION = "kubevirt.io/allow-pod-bridge-network-live-migration"
NAMESPACE = "answers"
LOCAL = {
    "ephemeral": {"persistentVolumeClaim": {"claimName": "base"}},
    "memoryDump": {"claimName": "dump", "hotpluggable": True},
    "containerDisk": {"image": "registry.example/os:1"},
    "emptyDisk": {"capacity": "1Gi"},
    "cloudInitNoCloud": {"userData": "#cloud-config"},
    "cloudInitConfigDrive": {"userData": "#cloud-config"},
    "configMap": {"name": "settings"},
    "secret": {"secretName": "hidden"},
    "serviceAccount": {"serviceAccountName": "default"},
    "downwardAPI": {"fields": [{"path": "labels", "fieldRef": {"fieldPath": "metadata.labels"}}]},
    "downwardMetrics": {},
    "sysprep": {"configMap": {"name": "unattend"}},
    "containerPath": {"path": "/data"},
}
BINDINGS = ["masquerade", "bridge", "sriov", "macvtap", "slirp", "passt", "passtBinding"]
PLUGINS = ["moves", "stays", "unregistered"]
# Fields that may as well be null as absent.
NULLABLE = [
    "metadata annotations", "metadata labels", "spec networks", "spec volumes",
    "spec architecture", "spec domain cpu", "spec domain features", "spec domain launchSecurity",
    "spec domain devices disks", "spec domain devices interfaces", "spec domain devices gpus",
    "spec domain devices hostDevices", "spec domain devices filesystems", "spec domain cpu model",
    "spec domain cpu features", "spec domain features hyperv", "spec domain launchSecurity sev",
    "spec domain features hypervPassthrough", "spec domain launchSecurity snp",
    "spec domain launchSecurity tdx", "status volumeStatus", "status migratedVolumes",
    "status topologyHints", "status topologyHints tscFrequency",
    "spec domain features hyperv reenlightenment", "spec evictionStrategy",
]


def kubevirt(rng, version):
    version = rng.choice(SPELLINGS).format(version)
    if rng.random() < 0.05:
        version = rng.choice(["v1.10.0", "v2.0.0", "v1.3.1", "v1.0.0", "devel", "", None])
    gates = rng.sample(["VGPULiveMigration", "HostDisk", "Snapshot", "vgpulivemigration"],
                       rng.randrange(4))
    configuration = {
        "developerConfiguration": {"featureGates": gates},
        "network": {
            "binding": {"moves": {"migration": {}}, "stays": {"domainAttachmentType": "tap"}}
        },
        "permittedHostDevices": {
            "mediatedDevices": [{"mdevNameSelector": "A", "resourceName": "gpu.example/permitted"}],
            "pciHostDevices": [{"pciVendorSelector": "1:2", "resourceName": "gpu.example/pci"}],
        },
    }
    if rng.random() < 0.3 and "VGPULiveMigration" not in gates:
        configuration["developerConfiguration"]["disabledFeatureGates"] = ["VGPULiveMigration"]
    for key in ("developerConfiguration", "network", "permittedHostDevices"):
        if rng.random() < 0.08:
            configuration[key] = rng.choice([None, {}])
    if rng.random() < 0.2:
        configuration["network"] = {"binding": {"stays": {"migration": None}, "moves": {
            "migration": {"method": "link-refresh"}}}}
    if rng.random() < 0.3:
        configuration["cpuModel"] = rng.choice(["Skylake-Server", "host-passthrough", "", None])
    if rng.random() < 0.3 and configuration["network"]:
        configuration["network"]["defaultNetworkInterface"] = rng.choice(["bridge", "masquerade"])
    return {
        "apiVersion": "kubevirt.io/v1", "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": configuration},
        "status": {"observedKubeVirtVersion": version},
    }


def node(name, labels):
    return {
        "apiVersion": "v1", "kind": "Node",
        "metadata": {"name": name, "labels": {"kubernetes.io/hostname": name, **labels}},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def nodes():
    """`node-gone` is a node of some machines too, and never among the objects."""
    return [
        node("node-a", {"host-model-cpu.node.kubevirt.io/Skylake-Server": "true",
                        "cpu-model.node.kubevirt.io/Skylake-Server": "true"}),
        node("node-b", {"cpu-model.node.kubevirt.io/Skylake-Server": "true",
                        "host-model-required-features.node.kubevirt.io/vmx": "true"}),
    ]


def some_nodes(rng):
    both = nodes()
    if rng.random() < 0.2:
        both[1]["metadata"]["labels"]["cpu-timer.node.kubevirt.io/tsc-frequency"] = "2112000000"
    return rng.choices([both, both[1:], []], [8, 1, 1])[0]


class Machine:
    """One VirtualMachineInstance in the making. `odd`: how often it is out of the ordinary."""

    def __init__(self, rng, name):
        self.rng, self.odd = rng, rng.choice([0.02, 0.1, 0.3])
        self.devices, self.domain, self.spec = {}, {}, {}
        self.status = {"phase": "Running"}
        self.metadata = {"name": name, "namespace": NAMESPACE, "uid": f"uid-{name}"}

    def seldom(self, factor=1.0):
        return self.rng.random() < self.odd * factor

    def volume(self, name):
        rng, kind = self.rng, self.rng.random()
        status = {"name": name, "target": "vda"}
        self.status["volumeStatus"].append(status)
        if self.seldom(0.1):
            return {"name": name}
        if kind < 0.5:
            claim = f"claim-of-{name}"
            self.claim(status, claim)
            source = {"claimName": claim, "hotpluggable": self.seldom()}
            if rng.random() < 0.5:
                return {"name": name, "persistentVolumeClaim": source}
            return {"name": name, "dataVolume": {"name": claim, "hotpluggable": True}}
        if kind < 0.6:
            disk = {"path": "/disks/disk.img", "type": "DiskOrCreate"}
            shared = rng.choice([True, True, True, False, None, "absent"])
            if shared != "absent":
                disk["shared"] = shared
            if rng.random() < 0.4:
                self.claim(status, f"claim-of-{name}")
            return {"name": name, "hostDisk": disk}
        local = rng.choice(list(LOCAL))
        if local in ("ephemeral", "memoryDump") and rng.random() < 0.5:
            self.claim(status, "base")
        volume = {"name": name, local: LOCAL[local]}
        if self.seldom(0.5):
            volume[rng.choice(["persistentVolumeClaim", "dataVolume", "hostDisk"])] = None
        return volume

    def claim(self, status, claim):
        rng = self.rng
        modes = ["ReadWriteMany"]
        if self.seldom():
            modes = rng.choice([[mode] for mode in MODES] + [
                [], None, "absent", ["ReadWriteOnce", "ReadOnlyMany"],
                ["ReadWriteOnce", "ReadWriteMany"], ["ReadWriteMany", "ReadOnlyMany"]])
        info = {"claimName": claim, "accessModes": modes, "volumeMode": "Block"}
        if modes == "absent":
            del info["accessModes"]
        if self.seldom(0.1):
            del info["claimName"]
        if not self.seldom(0.3):
            status["persistentVolumeClaimInfo"] = info
        elif rng.random() < 0.3:
            status["persistentVolumeClaimInfo"] = None

    def disk(self, name):
        rng, kind = self.rng, self.rng.random()
        disk = {"name": name}
        if kind < 0.55:
            disk["disk"] = {"bus": rng.choice(["virtio", "scsi", "sata"])}
        elif kind < 0.85:
            disk["cdrom"] = rng.choice([{}, {"bus": "sata"}, {"readonly": True},
                                        {"readonly": False}, {"readonly": None}])
        else:
            disk["lun"] = {"bus": "scsi"}
            if self.seldom(2):
                disk["lun"]["reservation"] = rng.choice([True, True, False, None])
        if self.seldom():
            disk["shareable"] = True
        if self.seldom(0.5):
            disk.setdefault(rng.choice(["disk", "cdrom", "lun"]), None)
        return disk

    def storage(self):
        rng = self.rng
        self.status["volumeStatus"] = []
        self.spec["volumes"], disks, filesystems = [], [], []
        for number in range(rng.choice([0, 1, 1, 2, 2, 3, 5])):
            name = f"vol{number}"
            self.spec["volumes"].append(self.volume(name))
            used = rng.random()
            if used < 0.8:
                disks.append(self.disk(name))
            elif used < 0.8 + self.odd:
                filesystems.append({"name": name, "virtiofs": {}})
        if self.seldom(0.5):
            disks.append({"name": "elsewhere", "cdrom": {}})
        if filesystems:
            self.devices["filesystems"] = filesystems
        self.devices["disks"] = disks
        rng.shuffle(self.status["volumeStatus"])
        if self.seldom(0.3) and self.status["volumeStatus"]:
            self.status["volumeStatus"].pop()
        if self.seldom(0.1):
            del self.status["volumeStatus"]
        elif self.seldom(0.1) and self.status["volumeStatus"]:
            self.status["volumeStatus"].append({"name": "vol0", "target": "vdz"})
        self.moving()

    def moving(self):
        if self.seldom(0.5):
            names = [f"vol{number}" for number in range(6)]
            moved = self.rng.sample(names, self.rng.randrange(4))
            self.status["migratedVolumes"] = [{"volumeName": name} for name in moved]

    def interface(self, name):
        rng = self.rng
        if self.seldom(2):
            if rng.random() < 0.4:
                return {"name": name, "binding": {"name": rng.choice(PLUGINS)}}
            binding = rng.choice(BINDINGS)
        else:
            binding = rng.choice(["masquerade", "masquerade", "bridge"])
        interface = {"name": name, binding: {}}
        if self.seldom(0.3):
            interface[rng.choice([other for other in BINDINGS if other != binding])] = None
        return interface

    def network(self):
        rng = self.rng
        networks, interfaces = [], []
        for number in range(rng.choice([0, 1, 1, 1, 1, 2, 3])):
            name = f"net{number}"
            if number == 0 and rng.random() < 0.85:
                networks.append({"name": name, "pod": {}})
            else:
                networks.append({"name": name, "multus": {"networkName": f"nad{number}"}})
                if self.seldom():
                    networks[-1]["pod"] = None
            if not self.seldom(0.5):
                interfaces.append(self.interface(name))
        rng.shuffle(networks)
        if self.seldom(0.3):
            rng.shuffle(interfaces)
        self.spec["networks"], self.devices["interfaces"] = networks, interfaces
        if rng.random() < 0.5:
            value = rng.choice(["", "true", "false", "no", "0", "null", "~", None])
            self.metadata["annotations"] = {ANNOTATION: value, "other": "x"}

    def processor(self):
        rng, cpu = self.rng, {"cores": 1}
        self.status["nodeName"] = rng.choices(["node-a", "node-b", "node-gone"], [90, 5, 5])[0]
        model = rng.choice(["host-model", "host-passthrough", "Skylake-Server", "", "Host-Model",
                            "absent"])
        if model != "absent":
            cpu["model"] = model
        if self.seldom(2):
            policies = ["require", "force", "optional", "disable", "forbid", "", None, "absent"]
            cpu["features"] = []
            for name in rng.sample(["invtsc", "vmx", "pcid"], rng.randrange(4)):
                policy = rng.choice(policies)
                cpu["features"].append({"name": name} if policy == "absent" else
                                       {"name": name, "policy": policy})
        if rng.random() < 0.8:
            self.domain["cpu"] = cpu
        self.clocks()

    def clocks(self):
        rng, features = self.rng, {}
        if self.seldom(2):
            flag = rng.choice([{"enabled": True}, {"enabled": True}, {"enabled": False}, {},
                               {"enabled": None}])
            features["hyperv"] = {"relaxed": {}, "reenlightenment": flag}
        if self.seldom():
            features["hypervPassthrough"] = {"enabled": rng.random() < 0.7}
        if features or rng.random() < 0.2:
            self.domain["features"] = features
        if rng.random() < 0.6:
            frequency = rng.choice([0, -1, 1, 2112000000, None, "absent"])
            hints = {} if frequency == "absent" else {"tscFrequency": frequency}
            self.status["topologyHints"] = hints

    def hardware(self):
        rng = self.rng
        if self.seldom(0.5):
            self.devices["hostDevices"] = [{"name": "d0", "deviceName": "nic.example/x"}]
        if self.seldom():
            names = ["gpu.example/permitted", "gpu.example/permitted", "gpu.example/pci", "absent"]
            self.devices["gpus"] = []
            for number in range(rng.choice([0, 1, 1, 1, 1, 2])):
                gpu, name = {"name": f"gpu{number}"}, rng.choice(names)
                if name != "absent":
                    gpu["deviceName"] = name
                elif rng.random() < 0.5:
                    gpu.update({"claimName": "gpus", "requestName": "one", "deviceName": None})
                self.devices["gpus"].append(gpu)
        if self.seldom():
            kinds = rng.choice([[], ["sev"], ["snp"], ["tdx"], ["sev", "snp"], ["sev", "tdx"],
                                ["snp", "tdx"], ["sev"], ["tdx"]])
            self.domain["launchSecurity"] = {kind: {} for kind in kinds}
        self.spec["architecture"] = rng.choices(["amd64", "arm64", "s390x"], [6, 1, 2])[0]
        if rng.random() < 0.1:
            del self.spec["architecture"]

    def nulls(self, instance):
        for path in self.rng.sample(NULLABLE, 3):
            *parents, last = path.split()
            place = instance
            for key in parents:
                place = (place or {}).get(key)
            if isinstance(place, dict) and (last not in place or self.seldom(0.2)):
                place[last] = None

    def object(self):
        for part in (self.storage, self.network, self.processor, self.hardware):
            part()
        self.domain["devices"] = self.devices
        self.spec["domain"] = self.domain
        instance = {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstance",
            "metadata": self.metadata, "spec": self.spec, "status": self.status,
        }
        if self.seldom():
            self.nulls(instance)
        if self.seldom(0.1):
            instance.pop("status")
        return instance


def machine(rng, name):
    return Machine(rng, name).object()


def claim_object(name, info):
    return {
        "apiVersion": "v1", "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": NAMESPACE},
        "spec": {"accessModes": info.get("accessModes"), "volumeMode": "Block"},
    }


def stopped(rng, name):
    """(VirtualMachine, its PVC objects by name): the same machine as a template that does not run.

    A claim without claim information has no object either.
    """
    instance = machine(rng, name)
    spec, claims = instance["spec"], {}
    if rng.random() < 0.1:
        spec["domain"].setdefault("devices", {})["autoattachPodInterface"] = rng.random() < 0.5
    virtual_machine = {
        "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine",
        "metadata": {"name": name, "namespace": NAMESPACE, "uid": f"vm-{name}"},
        "spec": {"runStrategy": "Halted", "template": {
            "metadata": {"annotations": instance["metadata"].get("annotations")}, "spec": spec}},
    }
    for status in instance.get("status", {}).get("volumeStatus") or []:
        info = status.get("persistentVolumeClaimInfo")
        if info is None:
            continue
        claim = info["claimName"] = f"{name}-{info.get('claimName', 'unused')}"
        is_template = rng.random() < 0.1
        if is_template:
            virtual_machine["spec"].setdefault("dataVolumeTemplates", []).append({
                "metadata": {"name": claim},
                "spec": {rng.choice(["storage", "pvc"]): {"accessModes": ["ReadWriteMany"]}}})
        else:
            claims[claim] = claim_object(claim, info)
    for volume in spec.get("volumes") or []:
        for source, key in (("persistentVolumeClaim", "claimName"), ("dataVolume", "name")):
            if volume.get(source):
                volume[source] = {**volume[source], key: f"{name}-{volume[source][key]}"}
    return virtual_machine, claims
