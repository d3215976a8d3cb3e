"""Small random clusters with a pod in question, to ask two schedulers about. The same seed gives the
same worlds. Every rule of the scheduler is met often enough to matter, and most pods ask for few
things, so that some nodes fit."""
import random

ZONES = ["z1", "z2", "z3"]
NAMESPACES = ["place", "other"]
APPS = ["web", "db"]
TAINTS = [{"key": "maintenance", "value": "yes", "effect": "NoSchedule"},
          {"key": "gpu", "effect": "PreferNoSchedule"},
          {"key": "lost", "effect": "NoExecute"}]
TOLERATIONS = [{"operator": "Exists"}, {"key": "maintenance", "operator": "Exists"},
               {"key": "maintenance", "operator": "Equal", "value": "no", "effect": "NoSchedule"},
               {"key": "maintenance", "value": "yes", "effect": "NoSchedule"},
               {"key": "lost", "operator": "Exists", "effect": "NoExecute"},
               {"key": "node.kubernetes.io/unschedulable", "operator": "Exists"}]
REFUSED = ["now", "gone", "dead"]  # claims that keep a pod from all nodes
DEVICES = ["devices.kubevirt.io/kvm", "hugepages-2Mi", "ephemeral-storage"]


class Worlds:
    def __init__(self, seed):
        self.random = random.Random(seed)

    def sometimes(self, share, value, otherwise=None):
        return value if self.random.random() < share else otherwise

    def some(self, values, share=0.4):
        return [value for value in values if self.random.random() < share]

    def node(self, number):
        labels = {"kubernetes.io/hostname": f"node-{number}", "cores": str(self.random.randint(1, 9))}
        if self.random.random() < 0.85:
            labels["topology.kubernetes.io/zone"] = self.random.choice(ZONES)
        if self.random.random() < 0.6:
            labels["disk"] = self.random.choice(["ssd", "hdd"])
        room = {"cpu": self.random.choice(["3", "5500m", "8"]), "pods": self.random.choice(["3", "4", "20"]),
                "memory": self.random.choice(["4Gi", "8589934592", "16G"]), "ephemeral-storage": "10Gi"}
        for device in self.some(DEVICES[:2], 0.7):
            room[device] = self.random.choice(["2Mi", "1Gi"]) if "huge" in device else "2"
        return {"apiVersion": "v1", "kind": "Node",
                "metadata": {"name": f"node-{number}", "labels": labels},
                "spec": {"unschedulable": self.random.random() < 0.1, "taints": self.some(TAINTS, 0.12)},
                "status": {"capacity": room, "allocatable": room}}

    def container(self, name):
        requests = {}
        for resource, amounts in {"cpu": ["100m", "1", "1500m", "0"], "memory": ["64Mi", "1Gi", "2G"]}.items():
            if self.random.random() < 0.7:
                requests[resource] = self.random.choice(amounts)
        limits = {}
        for device in self.some(DEVICES, 0.04):
            amount = {"hugepages-2Mi": "4Mi", "ephemeral-storage": "6Gi"}.get(device, "1")
            requests[device] = limits[device] = amount
            if "huge" in device:
                requests.setdefault("memory", "64Mi")
        container = {"name": name, "image": "x", "resources": {"requests": requests, "limits": limits}}
        if self.random.random() < 0.1:
            container["ports"] = [{"containerPort": 80, "hostPort": self.random.choice([80, 81]),
                                   "protocol": self.random.choice(["TCP", "UDP"]),
                                   "hostIP": self.random.choice(["", "10.0.0.1"])}]
        return container

    def selector(self):
        kind = self.random.randrange(5)
        if kind == 0:
            return {}
        if kind == 1:
            return None
        if kind == 2:
            return {"matchExpressions": [{"key": "tier", "operator": self.random.choice(["Exists", "DoesNotExist"])}]}
        if kind == 3:
            return {"matchExpressions": [{"key": "app", "operator": self.random.choice(["In", "NotIn"]),
                                          "values": [self.random.choice(APPS)]}]}
        return {"matchLabels": {"app": self.random.choice(APPS)}}

    def affinity_term(self):
        term = {"topologyKey": self.random.choice(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
                "labelSelector": self.selector()}
        if self.random.random() < 0.2:
            term["namespaces"] = [self.random.choice(NAMESPACES)]
        if self.random.random() < 0.25:
            term["namespaceSelector"] = self.random.choice([{}, {"matchLabels": {"team": "a"}}])
        if self.random.random() < 0.15 and term["labelSelector"] is not None:
            term[self.random.choice(["matchLabelKeys", "mismatchLabelKeys"])] = ["revision"]
        return term

    def node_term(self):
        expressions = self.random.choice([
            {"key": "disk", "operator": "In", "values": ["ssd"]},
            {"key": "disk", "operator": "NotIn", "values": ["ssd"]},
            {"key": "disk", "operator": "Exists"},
            {"key": "disk", "operator": "DoesNotExist"},
            {"key": "cores", "operator": "Gt", "values": ["4"]},
            {"key": "cores", "operator": "Lt", "values": ["6"]},
            {"key": "topology.kubernetes.io/zone", "operator": "In", "values": ["z1", "z2"]}])
        return {"matchExpressions": [expressions]}

    def affinity(self, share):
        affinity = {}
        required = "requiredDuringSchedulingIgnoredDuringExecution"
        if self.random.random() < share:
            affinity["podAffinity"] = {required: [self.affinity_term()]}
        if self.random.random() < share:
            affinity["podAntiAffinity"] = {required: [self.affinity_term() for _ in range(self.random.randint(1, 2))]}
        if self.random.random() < share:
            affinity["nodeAffinity"] = {required: {"nodeSelectorTerms": [
                self.node_term() for _ in range(self.random.randint(1, 2))]}}
        return affinity

    def spread(self):
        constraint = {"maxSkew": self.random.randint(1, 2),
                      "topologyKey": self.random.choice(["kubernetes.io/hostname", "topology.kubernetes.io/zone"]),
                      "whenUnsatisfiable": self.random.choice(["DoNotSchedule"] * 3 + ["ScheduleAnyway"]),
                      "labelSelector": self.selector()}
        if self.random.random() < 0.3 and constraint["whenUnsatisfiable"] == "DoNotSchedule":
            constraint["minDomains"] = self.random.randint(1, 4)
        for key in ("nodeAffinityPolicy", "nodeTaintsPolicy"):
            if self.random.random() < 0.3:
                constraint[key] = self.random.choice(["Honor", "Ignore"])
        if self.random.random() < 0.2 and constraint["labelSelector"] is not None:
            constraint["matchLabelKeys"] = ["revision"]
        return constraint

    def pod(self, name, share):
        labels = {"app": self.random.choice(APPS), "revision": self.random.choice(["1", "2"])}
        if self.random.random() < 0.4:
            labels["tier"] = self.random.choice(["front", "back"])
        spec = {"containers": [self.container(f"c{i}") for i in range(self.random.randint(1, 2))],
                "tolerations": self.some(TOLERATIONS[1:], 0.15) + self.sometimes(0.05, TOLERATIONS[:1], []),
                "affinity": self.affinity(share), "terminationGracePeriodSeconds": 30}
        if self.random.random() < 0.3:
            spec["initContainers"] = [self.container(f"i{i}") for i in range(2)]
            if self.random.random() < 0.6:
                spec["initContainers"][0]["restartPolicy"] = "Always"
        else:
            spec["initContainers"] = []
        for container in spec["initContainers"]:
            if container.get("restartPolicy") != "Always":
                container.pop("ports", None)
        return {"apiVersion": "v1", "kind": "Pod",
                "metadata": {"name": name, "namespace": self.sometimes(0.7, "place", "other"), "labels": labels},
                "spec": spec, "status": {"phase": "Pending"}}

    def asked(self):
        pod = self.pod("asked", 0.25)
        pod["metadata"]["namespace"] = "place"
        spec = pod["spec"]
        if self.random.random() < 0.2:
            spec["nodeSelector"] = {"disk": self.random.choice(["ssd", "hdd"])}
        if self.random.random() < 0.4:
            pairs = [self.spread() for _ in range(2)]
            seen = {}
            for pair in pairs:  # each key and action may stand once
                seen[pair["topologyKey"], pair["whenUnsatisfiable"]] = pair
            spec["topologySpreadConstraints"] = list(seen.values())
        claims = self.sometimes(0.4, list(self.claims), [])
        spec["volumes"] = [{"name": name, "persistentVolumeClaim": {"claimName": name}}
                           for name in self.some(claims, 0.2)
                           if name not in REFUSED or self.random.random() < 0.3]
        if self.random.random() < 0.03:
            spec["volumes"].append({"name": "lost", "persistentVolumeClaim": {"claimName": "nowhere"}})
        return pod

    def storage(self):
        """Claims of all sorts, and the volumes and classes that they need.

        Those that wait for a pod find no volume: the scheduler would wait for it to be bound."""
        self.claims = {}
        objects = [{"apiVersion": "storage.k8s.io/v1", "kind": "StorageClass", "metadata": {"name": name},
                    "provisioner": provisioner, "volumeBindingMode": mode, **more}
                   for name, provisioner, mode, more in [
                       ("now", "csi.example.com", "Immediate", {}),
                       ("local", "kubernetes.io/no-provisioner", "WaitForFirstConsumer", {}),
                       ("zonal", "csi.example.com", "WaitForFirstConsumer",
                        {"allowedTopologies": [{"matchLabelExpressions": [
                            {"key": "topology.kubernetes.io/zone", "values": ["z9"]}]}]})]]
        for name in ["bound", "single", "pinned", "zoned", "now", "local", "zonal", "gone", "dead"]:
            storage_class = name if name in ("local", "zonal") else "now"
            modes = ["ReadWriteOncePod"] if name == "single" else ["ReadWriteMany"]
            claim = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                     "metadata": {"name": name, "namespace": "place"},
                     "spec": {"accessModes": modes, "storageClassName": storage_class,
                              "resources": {"requests": {"storage": "3Gi"}}}, "status": {"phase": "Pending"}}
            self.claims[name] = claim
            objects.append(claim)
            if name in ("bound", "single", "pinned", "zoned", "gone", "dead"):
                claim["metadata"]["annotations"] = {"pv.kubernetes.io/bind-completed": "yes"}
                claim["spec"]["volumeName"] = "pv-" + name
                claim["status"] = {"phase": "Lost" if name == "dead" else "Bound"}
            if name in ("bound", "single", "pinned", "zoned"):
                objects.append(self.volume("pv-" + name, "now", modes, name))
        for number in range(2):
            objects.append(self.volume(f"free-{number}", "local", ["ReadWriteMany"], None))
            objects[-1]["spec"]["nodeAffinity"] = self.on_nodes(
                {"matchExpressions": [{"key": "kubernetes.io/hostname", "operator": "In",
                                       "values": [f"node-{self.random.randrange(4)}"]}]})
        return objects

    @staticmethod
    def on_nodes(term):
        return {"required": {"nodeSelectorTerms": [term]}}

    def volume(self, name, storage_class, modes, claim):
        volume = {"apiVersion": "v1", "kind": "PersistentVolume", "metadata": {"name": name, "labels": {}},
                  "spec": {"capacity": {"storage": self.random.choice(["1Gi", "2Gi"])}, "accessModes": modes,
                           "storageClassName": storage_class, "persistentVolumeReclaimPolicy": "Retain",
                           "csi": {"driver": "csi.example.com", "volumeHandle": name}},
                  "status": {"phase": "Bound" if claim else "Available"}}
        if claim:
            volume["spec"]["claimRef"] = {"apiVersion": "v1", "kind": "PersistentVolumeClaim",
                                          "namespace": "place", "name": claim}
        if claim == "pinned":
            volume["spec"]["nodeAffinity"] = self.on_nodes(self.node_term())
        if claim == "zoned":
            volume["metadata"]["labels"]["topology.kubernetes.io/zone"] = self.random.choice(["z1", "z2__z3"])
        return volume

    def csi_nodes(self, nodes):
        for node in nodes:
            if self.random.random() < 0.5:
                yield {"apiVersion": "storage.k8s.io/v1", "kind": "CSINode", "metadata": {"name": node},
                       "spec": {"drivers": [{"name": "csi.example.com", "nodeID": node,
                                             "allocatable": {"count": self.random.randint(1, 2)}}]}}

    def world(self):
        nodes = [self.node(number) for number in range(self.random.randint(3, 6))]
        names = [node["metadata"]["name"] for node in nodes]
        objects = [{"apiVersion": "v1", "kind": "Namespace",
                    "metadata": {"name": name, "labels": {"team": team}}}
                   for name, team in zip(NAMESPACES, "ab")]
        objects += [{"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                     "metadata": {"name": name}, "value": value, "preemptionPolicy": policy}
                    for name, value, policy in (("polite", 5, "Never"), ("high", 10, "PreemptLowerPriority"))]
        values = {item["metadata"]["name"]: item for item in objects if item["kind"] == "PriorityClass"}
        objects += nodes + self.storage() + list(self.csi_nodes(names))
        for number in range(self.random.randint(0, 10)):
            pod = self.pod(f"old-{number}", 0.12)
            pod["spec"]["nodeName"] = self.random.choice(names)
            pod["status"]["phase"] = self.random.choice(["Running"] * 5 + ["Succeeded"])
            if pod["metadata"]["namespace"] == "place" and self.random.random() < 0.3:
                pod["spec"]["volumes"] = [{"name": "d", "persistentVolumeClaim": {
                    "claimName": self.random.choice(["bound", "single"])}}]
            objects.append(pod)
        # Nobody may be preempted: that would change the world while it is asked about.
        for item in objects:
            if item["kind"] == "Pod" and self.random.random() < 0.2:
                item["spec"]["priorityClassName"] = "high"
        asked = self.asked()
        if self.random.random() < 0.15:
            asked["spec"]["priorityClassName"] = "polite"
        for pod in [item for item in objects if item["kind"] == "Pod"] + [asked]:
            chosen = values.get(pod["spec"].get("priorityClassName"))
            pod["spec"]["priority"] = chosen["value"] if chosen else 0
            pod["spec"]["preemptionPolicy"] = (chosen or {}).get("preemptionPolicy", "PreemptLowerPriority")
        return {"objects": objects, "pod": asked}
