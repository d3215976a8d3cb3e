#!/usr/bin/env python3
"""An unmodified kubectl on the lab: kubectl_test.py PROGRAM."""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys
import threading
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from running_lab import Lab  # noqa: E402

PROGRAM = sys.argv.pop(1)
OLDEST = 28  # kubectl 1.28: before it, discovery is not aggregated


def find_kubectl():
    """That of the assets, else one on the PATH that is new enough; exit 77 without one."""
    cache = pathlib.Path(os.environ.get("XDG_CACHE_HOME") or pathlib.Path.home() / ".cache")
    candidates = [os.environ.get("TEST_ASSET_KUBECTL")]
    folders = [os.environ.get("KUBEBUILDER_ASSETS"), "/usr/local/kubebuilder/bin",
               *sorted((cache / "virt-handoff" / "assets").glob("v*"), reverse=True)]
    candidates += [pathlib.Path(folder) / "kubectl" for folder in folders if folder]
    candidates.append(shutil.which("kubectl"))
    for candidate in candidates:
        if not candidate or not os.access(candidate, os.X_OK):
            continue
        done = subprocess.run([candidate, "version", "--client", "-o", "json"], text=True,
                              capture_output=True, check=False)
        found = re.search(r'"gitVersion": "v1\.(\d+)\.', done.stdout)
        if found and int(found[1]) >= OLDEST:
            return str(candidate)
    print(f"skipped: no kubectl of 1.{OLDEST} or later")
    sys.exit(77)


class Kubectl(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        cls.kubectl = find_kubectl()
        cls.lab = cls.enterClassContext(Lab(PROGRAM, "healthy"))

    def run_kubectl(self, *arguments, stdin=None):
        return subprocess.run([self.kubectl, "--kubeconfig", self.lab.kubeconfig, *arguments],
                              input=stdin, env=self.lab.environment, text=True, timeout=60,
                              capture_output=True, check=False)

    def ask(self, *arguments, stdin=None):
        """Standard output; anything but success fails the test."""
        done = self.run_kubectl(*arguments, stdin=stdin)
        self.assertEqual(done.returncode, 0, f"kubectl {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def refused(self, *arguments, stdin=None):
        done = self.run_kubectl(*arguments, stdin=stdin)
        self.assertNotEqual(done.returncode, 0, done.stdout)
        return done.stderr

    def get(self, *arguments):
        return json.loads(self.ask("get", *arguments, "-o", "json"))

    def headers(self, *arguments):
        return self.ask("get", *arguments).splitlines()[0].split()

    def test_wide_lists_have_the_columns_of_kubevirt(self):
        self.assertEqual(self.headers("vmi", "-A", "-o", "wide"),
                         "NAMESPACE NAME AGE PHASE IP NODENAME READY LIVE-MIGRATABLE PAUSED".split())
        rows = self.ask("get", "vmi", "-A", "-o", "wide").splitlines()
        self.assertEqual(len(rows), 7)
        self.assertRegex(rows[1], r"^prod +vm-1 +26h +Running +10\.\S+ +node-1 +True +True")

    def test_built_in_kinds_have_the_columns_of_kube_apiserver(self):
        for kind, columns in {
                "nodes": "NAME STATUS ROLES AGE VERSION",
                "pods": "NAME READY STATUS RESTARTS AGE",
                "pvc": "NAME STATUS VOLUME CAPACITY ACCESS MODES STORAGECLASS "
                       "VOLUMEATTRIBUTESCLASS AGE",
                "pv": "NAME CAPACITY ACCESS MODES RECLAIM POLICY STATUS CLAIM STORAGECLASS "
                      "VOLUMEATTRIBUTESCLASS REASON AGE",
                "volumeattachments": "NAME ATTACHER PV NODE ATTACHED AGE",
                "sc": "NAME PROVISIONER RECLAIMPOLICY VOLUMEBINDINGMODE ALLOWVOLUMEEXPANSION AGE",
                "clusterroles": "NAME CREATED AT"}.items():
            with self.subTest(kind):
                self.assertEqual(self.headers(kind), columns.split())
        self.assertEqual(self.headers("leases", "-n", "kube-node-lease"), ["NAME", "HOLDER", "AGE"])

    def test_describe(self):
        self.assertIn("LiveMigratable", self.ask("describe", "vmi", "vm-1"))
        self.assertIn("Kubelet Version:", self.ask("describe", "node", "node-1"))
        pod = self.get("pods")["items"][0]["metadata"]["name"]
        self.assertIn("virt-launcher", self.ask("describe", "pod", pod))

    def test_create_and_delete(self):
        migration = json.dumps({"apiVersion": "kubevirt.io/v1", "metadata": {"name": "m"},
                                "kind": "VirtualMachineInstanceMigration", "spec": {"vmiName": "vm-2"}})
        self.assertIn("created (server dry run)",
                      self.ask("create", "--dry-run=server", "-f", "-", stdin=migration))
        self.assertIn("created", self.ask("create", "-f", "-", stdin=migration))
        self.assertIn("in-flight migration detected",
                      self.refused("create", "-f", "-", stdin=migration))
        self.ask("create", "configmap", "taken")
        self.assertIn("already exists", self.refused("create", "configmap", "taken"))
        self.assertIn("deleted", self.ask("delete", "vmim", "m", "--wait=false"))
        self.assertIn("(NotFound)", self.refused("get", "vmim", "none"))

    def test_unknown_fields_are_refused_by_the_server(self):
        wrong = json.dumps({"apiVersion": "kubevirt.io/v1", "metadata": {"name": "w"},
                            "kind": "VirtualMachineInstanceMigration", "specs": {}})
        self.assertIn('unknown field "specs"', self.refused("create", "-f", "-", stdin=wrong))

    def test_typed_objects_and_namespaces(self):
        self.ask("create", "namespace", "dev")
        self.ask("create", "configmap", "c", "--from-literal=a=b", "-n", "dev")
        self.assertEqual(self.get("configmap", "c", "-n", "dev")["data"], {"a": "b"})

    def test_patches(self):
        self.ask("create", "configmap", "p", "--from-literal=a=b")
        self.ask("patch", "cm", "p", "--type", "merge", "-p", '{"data": {"a": "c"}}')
        self.ask("patch", "cm", "p", "--type", "json", "-p",
                 '[{"op": "test", "path": "/data/a", "value": "c"},'
                 ' {"op": "add", "path": "/data/d", "value": "e"}]')
        self.ask("patch", "cm", "p", "-p", '{"metadata": {"labels": {"x": "y"}}}')
        self.assertEqual(self.get("cm", "p")["data"], {"a": "c", "d": "e"})
        self.assertEqual(self.get("cm", "p")["metadata"]["labels"], {"x": "y"})

    def test_labels_and_annotations(self):
        self.ask("label", "vm", "vm-3", "tier=test")
        self.ask("annotate", "vm", "vm-3", "note=here")
        self.assertIn("vm-3", self.ask("get", "vm", "-l", "tier=test", "-o", "name"))
        self.assertEqual(self.get("vm", "vm-3")["metadata"]["annotations"]["note"], "here")

    def test_selectors(self):
        pods = self.get("pods", "-A", "--field-selector", "spec.nodeName=node-2")["items"]
        self.assertEqual({pod["spec"]["nodeName"] for pod in pods}, {"node-2"})

    def test_client_side_apply(self):
        config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "applied"},
                  "data": {"a": "1"}}
        self.assertIn("created", self.ask("apply", "-f", "-", stdin=json.dumps(config)))
        config["data"] = {"b": "2"}
        self.assertIn("configured", self.ask("apply", "-f", "-", stdin=json.dumps(config)))
        self.assertEqual(self.get("cm", "applied")["data"], {"b": "2"})
        policy = {"apiVersion": "migrations.kubevirt.io/v1alpha1", "kind": "MigrationPolicy",
                  "metadata": {"name": "p"}, "spec": {"allowPostCopy": True, "selectors": {}}}
        self.assertIn("created", self.ask("apply", "-f", "-", stdin=json.dumps(policy)))
        policy["spec"]["allowPostCopy"] = False
        self.assertIn("configured", self.ask("apply", "-f", "-", stdin=json.dumps(policy)))

    def test_server_side_apply_is_not_there(self):
        config = json.dumps({"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "s"}})
        self.assertIn("415: Unsupported Media Type",
                      self.refused("apply", "--server-side", "-f", "-", stdin=config))

    def test_watch(self):
        self.ask("create", "configmap", "before", "--from-literal=a=b")
        watch = subprocess.Popen([self.kubectl, "--kubeconfig", self.lab.kubeconfig, "get", "cm",
                                  "-w", "--no-headers"], env=self.lab.environment, text=True,
                                 stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        limit = threading.Timer(60, watch.kill)
        limit.start()
        try:
            lines = iter(watch.stdout.readline, "")
            self.assertTrue(any(re.match(r"before +1 +\d+s", line) for line in lines))
            # The list is through, so this comes by the watch.
            self.ask("create", "configmap", "seen", "--from-literal=a=b")
            self.assertTrue(any(re.match(r"seen +1 +\d+s", line) for line in lines))
        finally:
            limit.cancel()
            watch.kill()
            watch.communicate()

    def test_discovery(self):
        kinds = self.ask("api-resources", "--no-headers")
        self.assertRegex(kinds, r"virtualmachineinstances +vmi,vmis +kubevirt.io/v1 +true ")
        self.assertIn("kubevirt.io/v1\n", self.ask("api-versions"))
        self.assertIn("Server Version: v1.36", self.ask("version"))
        self.assertEqual(json.loads(self.ask("get", "--raw", "/version"))["minor"], "36")
        self.assertEqual(self.ask("get", "--raw", "/readyz"), "ok")
        self.assertIn("FIELD: spec", self.ask("explain", "vmim.spec"))

    def test_rights(self):
        self.assertEqual(self.ask("auth", "can-i", "create", "vmim"), "yes\n")
        self.assertIn("Username", self.ask("auth", "whoami"))
        viewer = ("--context", "lab-viewer")
        self.assertEqual(self.run_kubectl(*viewer, "auth", "can-i", "create", "vmim").stdout, "no\n")
        self.assertIn("virtualmachines.kubevirt.io", self.ask(*viewer, "auth", "can-i", "--list"))
        self.assertEqual(
            self.refused(*viewer, "get", "secrets", "-A"),
            'Error from server (Forbidden): secrets is forbidden: User "viewer" cannot list resource '
            '"secrets" in API group "" at the cluster scope\n')
        self.assertIn('User "nobody" cannot list',
                      self.refused("get", "vmi", "--as", "nobody"))
        self.assertIn("(Unauthorized)", self.refused("get", "vmi", "--token", "x"))


class Log(unittest.TestCase):
    def test_a_log_is_followed_line_by_line(self):
        """kubectl takes gzip, which would hold lines back until they fill a block."""
        kubectl = find_kubectl()
        with Lab(PROGRAM, "slow-network", "--speed=20x") as lab:
            logs = subprocess.Popen(
                [kubectl, "--kubeconfig", lab.kubeconfig, "logs", "-f", "--tail=1",
                 "-l", "kubevirt.io=virt-launcher,vm.kubevirt.io/name=vm-1"],
                env=lab.environment, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            limit = threading.Timer(60, logs.kill)
            limit.start()
            try:
                for _ in range(3):
                    self.assertIn("Migration info for", logs.stdout.readline())
            finally:
                limit.cancel()
                logs.kill()
                logs.communicate()


if __name__ == "__main__":
    unittest.main()
