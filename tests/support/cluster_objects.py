"""Puts objects that were read from one cluster into another one, as they were, and takes them away.

An API server fills in some fields by itself and ignores others on create; what it would do to an
object that already existed is undone, so that a reader sees the object that was given: status is
written too, nodes keep exactly their taints, and whoever names another object by its uid, in a
reference, a label or a status, names the uid that it has now.
"""
import functools
import json

# What others point at comes first. Kinds that are not named come in between.
FIRST = ["Namespace", "PriorityClass", "StorageClass", "CSIDriver", "PersistentVolumeClaim",
         "PersistentVolume", "CSINode", "Node"]
LAST = ["VirtualMachineInstanceMigration", "Pod"]
SET_BY_SERVER = ["uid", "resourceVersion", "generation", "creationTimestamp", "managedFields",
                 "selfLink", "deletionTimestamp", "deletionGracePeriodSeconds"]
MERGE = "application/merge-patch+json"
KEPT = "virt-handoff.test/keeps-what-is-deleted"  # a finalizer, for objects that are being deleted


def rank(item):
    kind = item["kind"]
    if kind in FIRST:
        return FIRST.index(kind)
    return len(FIRST) + (LAST.index(kind) + 1 if kind in LAST else 0)


class Loader:
    """Objects of one cluster, through a `Client` with all rights; remembers what it made."""

    def __init__(self, api):
        self.api = api
        self.made = []  # paths, in order
        self.uids = {}  # as given → as made

    @functools.cache
    def kinds(self, api_version):
        """{kind: (resource, is namespaced, has a status of its own)} by the server's discovery."""
        prefix = "/apis/" if "/" in api_version else "/api/"
        resources = self.api.must("GET", prefix + api_version)["resources"]
        with_status = {resource["name"] for resource in resources}
        return {resource["kind"]: (resource["name"], resource["namespaced"],
                                   resource["name"] + "/status" in with_status)
                for resource in resources if "/" not in resource["name"]}

    def folder_of(self, item):
        resource, namespaced, _ = self.kinds(item["apiVersion"])[item["kind"]]
        prefix = "/apis/" if "/" in item["apiVersion"] else "/api/"
        middle = f"/namespaces/{item['metadata'].get('namespace', 'default')}" * namespaced
        return f"{prefix}{item['apiVersion']}{middle}/{resource}"

    def load(self, objects):
        """All of them; namespaces that are not among them are made as well."""
        named = {item["metadata"]["name"] for item in objects if item["kind"] == "Namespace"}
        used = {item["metadata"].get("namespace", "default") for item in objects}
        missing = [{"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
                   for name in sorted(used - named)]
        for item in sorted(missing + objects, key=rank):
            self.put(item)
        for path in self.made:
            made = self.api.must("GET", path)
            if (renewed := self.with_new_uids(made)) != made:
                self.api.must("PUT", path, renewed)

    def put(self, item):
        path = f"{self.folder_of(item)}/{item['metadata']['name']}"
        fresh = self.fresh(item)
        if item["kind"] == "Namespace" and self.api.send("GET", path)[0] == 200:
            self.api.must("PATCH", path, {"metadata": fresh["metadata"]}, MERGE)
            return
        made = self.api.must("POST", path.rpartition("/")[0], fresh)
        self.made.append(path)
        if "uid" in item["metadata"]:
            self.uids[item["metadata"]["uid"]] = made["metadata"]["uid"]
        if item["kind"] == "Node":
            # Admission marks every new node as not ready.
            self.api.must("PATCH", path,
                          {"spec": {"taints": item.get("spec", {}).get("taints")}}, MERGE)
        if item.get("status") and self.kinds(item["apiVersion"])[item["kind"]][2]:
            self.api.must("PATCH", path + "/status", {"status": fresh["status"]}, MERGE)
        if item["metadata"].get("deletionTimestamp"):
            self.api.must("DELETE", path)

    def fresh(self, item):
        fresh = self.with_new_uids(item)
        metadata = fresh["metadata"]
        if metadata.get("deletionTimestamp"):
            metadata["finalizers"] = metadata.get("finalizers", []) + [KEPT]
        for field in SET_BY_SERVER:
            metadata.pop(field, None)
        if item["kind"] == "Pod" and "priorityClassName" not in item.get("spec", {}):
            fresh["spec"].pop("priority", None)
        return fresh

    def with_new_uids(self, item):
        """A copy that follows the objects made so far."""
        text = json.dumps(item)
        for old, new in self.uids.items():
            text = text.replace(old, new)
        return json.loads(text)

    def clear(self):
        """Takes away what `load` made, at once, except namespaces, which nobody would finish."""
        for path in reversed(self.made):
            if "/api/v1/namespaces/" in path and path.count("/") == 4:
                continue
            self.api.send("DELETE", path + "?gracePeriodSeconds=0")
            if self.api.send("GET", path)[0] == 200:
                self.api.send("PATCH", path, {"metadata": {"finalizers": None}}, MERGE)
        self.made.clear()
        self.uids.clear()
