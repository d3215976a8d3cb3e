"""A real API server, scheduler and controller-manager, with the lab's KubeVirt and nodes as their
clients, for as long as a `with` lasts.

What the controller-manager does here: it attaches volumes and collects garbage. It watches no
nodes, so that a test that is held up loses none.
"""
import contextlib
import http.client
import json
import os
import pathlib
import subprocess
import tempfile
import threading

import assets
from cluster_objects import Loader
from real_apiserver import ControlPlane, Failure, wait_until

CONTROLLERS = "persistentvolume-attach-detach-controller,garbage-collector-controller"
MARK = {"apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": "virt-handoff-lab", "namespace": "kube-public"},
        "data": {"mark": "this cluster may be played with"}}
# What the cluster has to do itself, and what is another server's.
LEFT_OUT = {"VirtualMachineInstance", "VolumeAttachment", "CustomResourceDefinition",
            "ClusterRole", "ClusterRoleBinding", "Role", "RoleBinding"}
MIGRATIONS = "virtualmachineinstancemigrations"


def of_kind(objects, kind):
    return [item for item in objects if item["kind"] == kind]


class RealKubevirt:
    def __init__(self, server, kubectl, program):
        self.server, self.kubectl, self.program = server, kubectl, program
        self.api = server.client()
        self.played = None
        self.said = []  # lines of the lab's controllers

    # ---- start

    def begin(self, nodes, machines):
        self.fill(nodes, machines)
        self.refuses_without_mark()
        self.api.must("POST", "/api/v1/namespaces/kube-public/configmaps", MARK)
        self.played = subprocess.Popen(
            [self.program, "--kubeconfig", str(self.server.kubeconfig("admin"))],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        ready = threading.Event()
        self.listener = threading.Thread(target=self.listen, args=(ready,), daemon=True)
        self.listener.start()
        if not ready.wait(120) or "ready" not in self.said:
            raise Failure("the lab's controllers did not start: " + "\n".join(self.said))
        wait_until(self.webhooks_are_asked, "the webhooks' turn")
        wait_until(lambda: self.api.is_ok("/apis/subresources.kubevirt.io/v1"),
                   "serving of KubeVirt's subresources")

    def listen(self, ready):
        for line in self.played.stdout:
            self.said.append(line.rstrip("\n"))
            if self.said[-1] == "ready":
                ready.set()
        ready.set()

    def fill(self, nodes, machines):
        printed = subprocess.run([self.program, "objects", str(nodes), str(machines)], check=True,
                                 stdout=subprocess.PIPE, text=True).stdout
        objects = [item for item in json.loads(printed)["items"] if self.is_wanted(item)]
        for number, claim in enumerate(of_kind(objects, "PersistentVolumeClaim")):
            # Named after the claim's uid, which will be another one.
            volume, = (volume for volume in of_kind(objects, "PersistentVolume")
                       if volume["spec"]["claimRef"]["uid"] == claim["metadata"]["uid"])
            volume["metadata"]["name"] = claim["spec"]["volumeName"] = f"volume-{number}"
        for item in objects:
            if item["kind"] == "VirtualMachine":
                del item["status"]
            if item["kind"] == "CSINode":
                # Comes before its node, and who owns nothing is garbage.
                del item["metadata"]["ownerReferences"]
        critical = {"apiVersion": "scheduling.k8s.io/v1", "kind": "PriorityClass",
                    "metadata": {"name": "kubevirt-cluster-critical"}, "value": 1000000000}
        self.machines = of_kind(objects, "VirtualMachine")
        rest = [item for item in objects if item["kind"] != "VirtualMachine"]
        Loader(self.api).load([critical, *rest])

    @staticmethod
    def is_wanted(item):
        labels = item["metadata"].get("labels", {})
        builtin = item["kind"] == "Namespace" and item["metadata"]["name"].startswith(
            ("kube-", "default"))
        return not (item["kind"] in LEFT_OUT or builtin
                    or labels.get("kubevirt.io") == "virt-launcher")

    def refuses_without_mark(self):
        run = subprocess.run([self.program, "--kubeconfig", self.server.kubeconfig("admin")],
                             stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if run.returncode != 3 or "does not carry the lab's mark" not in run.stderr:
            raise Failure(f"played with a cluster that does not carry the mark: {run}")

    def webhooks_are_asked(self):
        status, reply = self.send_migration("probe", "absent", "default", "?dryRun=All")
        return status == 400 and "does not exist" in reply["message"]

    def end(self):
        if self.played:
            self.played.terminate()
            self.played.wait()
            self.listener.join()

    # ---- objects

    def environment(self, user="admin"):
        return dict(os.environ, KUBECONFIG=str(self.server.kubeconfig(user)),
                    HOME=str(self.server.folder))

    def run_kubectl(self, *arguments, text=None):
        run = subprocess.run([self.kubectl, *arguments], env=self.environment(), input=text,
                             capture_output=True, text=True, check=False)
        if run.returncode != 0:
            raise Failure(f"kubectl {' '.join(arguments)}: {run.stderr.strip()}")
        return run.stdout

    @staticmethod
    def path(namespace, resource, name=""):
        group = "/api/v1" if resource == "pods" else "/apis/kubevirt.io/v1"
        return f"{group}/namespaces/{namespace}/{resource}" + (name and f"/{name}")

    def get(self, namespace, resource, name):
        """None: there is no such object."""
        status, reply = self.api.send("GET", self.path(namespace, resource, name))
        return reply if status == 200 else None

    def send_migration(self, name, vmi, namespace, query=""):
        return self.api.send("POST", self.path(namespace, MIGRATIONS) + query, {
            "apiVersion": "kubevirt.io/v1", "kind": "VirtualMachineInstanceMigration",
            "metadata": {"name": name}, "spec": {"vmiName": vmi}})

    def start_machine(self, machine, **annotations):
        """Creates the VM and waits until its guest runs; annotations are those of its VMI."""
        machine = json.loads(json.dumps(machine))
        metadata = machine["metadata"]
        for field in ("uid", "resourceVersion", "creationTimestamp", "generation"):
            metadata.pop(field, None)
        template = machine["spec"]["template"].setdefault("metadata", {})
        template["annotations"] = annotations
        self.run_kubectl("create", "-f", "-", text=json.dumps(machine))
        return self.wait_for(metadata["namespace"], "virtualmachineinstances", metadata["name"],
                             lambda vmi: vmi and vmi.get("status", {}).get("phase") == "Running",
                             "Running")

    def wait_for_migration(self, namespace, vmi):
        """The first migration of the instance that is still on its way."""
        found = []

        def is_there():
            found[:] = [item for item in self.api.must("GET", self.path(namespace, MIGRATIONS))
                        ["items"] if item["spec"]["vmiName"] == vmi and
                        item.get("status", {}).get("phase") not in ("Succeeded", "Failed")]
            return found
        wait_until(is_there, f"a migration of {namespace}/{vmi}", 60)
        return found[0]

    def states_until_gone(self, item, seconds=60):
        """Every later state of the object, the last one included, as a watch tells them."""
        metadata = item["metadata"]
        path = self.path(metadata["namespace"], f"{item['kind'].lower()}s")
        connection = http.client.HTTPSConnection("127.0.0.1", self.api.port, timeout=seconds + 10,
                                                 context=self.api.context)
        try:
            connection.request("GET", f"{path}?watch=true&timeoutSeconds={seconds}"
                               f"&fieldSelector=metadata.name={metadata['name']}"
                               f"&resourceVersion={metadata['resourceVersion']}")
            for line in connection.getresponse():
                event = json.loads(line)
                yield event["object"]
                if event["type"] == "DELETED":
                    return
        finally:
            connection.close()
        raise Failure(f"{path}/{metadata['name']} is still there after {seconds} seconds")

    def wait_for(self, namespace, resource, name, condition, what, seconds=60):
        """The object, once `condition` holds for it; it is asked about None as well."""
        found = []

        def holds():
            found[:] = [self.get(namespace, resource, name)]
            return condition(found[0])
        try:
            wait_until(holds, f"{resource} {namespace}/{name}: {what}", seconds)
        except Failure as problem:
            raise Failure(f"{problem}; it is {json.dumps(found[0])}") from problem
        return found[0]


@contextlib.contextmanager
def real_kubevirt(program, nodes=3, machines=2):
    """Raises assets.Missing where it cannot run."""
    with tempfile.TemporaryDirectory() as folder:
        kubectl, = assets.find("kubectl")
        server = ControlPlane(f"{folder}/control-plane")
        server.start(with_scheduler=True, controllers=CONTROLLERS)
        cluster = RealKubevirt(server, kubectl, program)
        try:
            cluster.begin(nodes, machines)
            yield cluster
        finally:
            cluster.end()
            server.stop()
