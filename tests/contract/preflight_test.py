#!/usr/bin/env python3
"""preflight_test.py PROGRAM: `preflight` judges a real cluster and files of it alike.

The objects of examples/ are put into a real API server, and `preflight -A` is asked about it and
about what the server's own kubectl prints of them; each judgement must be the same, except those
below. Who may read everything and change nothing is told the same.
"""
import datetime
import itertools
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(PROJECT / "tests" / "support"))
import assets  # noqa: E402
from cluster_objects import Loader  # noqa: E402
from real_apiserver import ControlPlane  # noqa: E402

# What files cannot carry. There these checks say that they do not know, never another answer.
ONLY_LIVE = {"NODE-002": "how old a heartbeat is: files do not tell the time",
             "POD-001": "that there is no pod: it may just not be in the files"}


class Cluster:
    def __init__(self, program, server, kubectl):
        self.program, self.server, self.kubectl = program, server, kubectl

    def environment(self, user):
        return dict(os.environ, KUBECONFIG=str(self.server.kubeconfig(user)),
                    HOME=str(self.server.folder))

    def run_kubectl(self, *arguments):
        return subprocess.run([self.kubectl, *arguments], env=self.environment("admin"), check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def preflight(self, *arguments, user="admin"):
        run = subprocess.run([self.program, "preflight", "-A", "-o", "json", *arguments],
                             env=self.environment(user), capture_output=True, text=True, check=False)
        report = json.loads(run.stdout)
        assert report["exitCode"] == run.returncode, run.stderr
        return report

    def what_nobody_is_told(self):
        """What is wrong with it."""
        run = subprocess.run([self.program, "preflight", "-A"], env=self.environment("nobody"),
                             capture_output=True, text=True, check=False)
        expected = ('error: Error from server (Forbidden): virtualmachines.kubevirt.io is forbidden: '
                    'User "nobody" cannot list resource "virtualmachines"')
        is_right = run.returncode == 1 and not run.stdout and run.stderr.startswith(expected)
        return [] if is_right else [f"nobody: {run}"]

    def examples(self):
        """kubectl reads the YAML; nothing is sent."""
        text = self.run_kubectl("create", "--dry-run=client", "--validate=false", "-o", "json",
                                "-f", str(PROJECT / "examples"))
        decoder, position = json.JSONDecoder(), 0
        while position < len(text.rstrip()):
            item, end = decoder.raw_decode(text, position)
            yield from item["items"] if item["kind"] == "List" else [item]
            position = len(text) - len(text[end:].lstrip())


def differences(live, files):
    """Of everything but where and when it was read, one line each."""
    for field in ("kubevirtVersion", "rules", "exitCode"):
        if live[field] != files[field]:
            yield f"{field}: {live[field]} / {files[field]}"
    names = [[(item["namespace"], item["name"]) for item in report["items"]]
             for report in (live, files)]
    assert names[0] == names[1] and names[0], names
    for one, other in zip(live["items"], files["items"]):
        name = f"{one['namespace']}/{one['name']}"
        for field in sorted((one.keys() | other.keys()) - {"checks"}):
            if one.get(field) != other.get(field):
                yield f"{name}: {field}: {one.get(field)} / {other.get(field)}"
        for check, twin in itertools.zip_longest(one["checks"], other["checks"], fillvalue={}):
            without_answer = twin.get("verdict") in ("skipped", "unknown")
            if check != twin and not (without_answer and check.get("id") in ONLY_LIVE):
                yield f"{name}: {json.dumps(check)}\n  in files: {json.dumps(twin)}"


def main():
    program = sys.argv[1]
    with tempfile.TemporaryDirectory() as folder:
        server = ControlPlane(f"{folder}/control-plane")
        try:
            kubectl, = assets.find("kubectl")
            server.start()
        except assets.Missing as reason:
            print(f"skipped: {reason}")
            return 77
        try:
            return judge(Cluster(program, server, kubectl), Path(folder) / "objects.yaml")
        finally:
            server.stop()


def judge(cluster, file):
    objects = list(cluster.examples())
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for item in objects:
        if item["kind"] == "Node":
            item["metadata"].setdefault("annotations", {})["kubevirt.io/heartbeat"] = now
    Loader(cluster.server.client()).load(objects)
    kinds = ",".join(sorted({item["kind"] for item in objects}))
    file.write_text(cluster.run_kubectl("get", kinds, "-A", "-o", "yaml"), encoding="utf-8")
    live, files = cluster.preflight(), cluster.preflight("--from", str(file))
    found = list(differences(live, files))
    found += [f"viewer: {line}" for line in differences(live, cluster.preflight(user="viewer"))]
    found += cluster.what_nobody_is_told()
    print("\n".join(found) or f"{len(live['items'])} virtual machines are judged alike")
    return 1 if found else 0


sys.exit(main())
