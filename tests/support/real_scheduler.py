#!/usr/bin/env python3
"""Asks the real kube-scheduler, node by node, where a pod may run.

Reads worlds from standard input, one JSON document a line, and answers each with one line:
  {"objects": [...], "pod": {...}}    nodes, pods, claims and volumes, and the pod in question
  {"node-a": {"fits": true, "message": ""}, "node-b": {"fits": false, "message": "0/2 nodes ..."}}
The question is asked with a copy of the pod that only this node may run, so a message counts the
other nodes as "[NodeAffinity]". Objects that the scheduler does not read are left out.

The servers run in a temporary folder, or in FOLDER (see real_apiserver.py), which is kept.
Exit code 77, with the reason on standard output: they cannot run on this machine.
"""
import argparse
import copy
import json
import sys
import tempfile

import assets
from cluster_objects import Loader
from real_apiserver import ControlPlane, Failure, wait_until

READ = {"Namespace", "Node", "Pod", "PersistentVolumeClaim", "PersistentVolume", "StorageClass",
        "CSINode", "CSIDriver", "VolumeAttachment", "PriorityClass", "Service", "ReplicaSet",
        "StatefulSet", "ReplicationController", "PodDisruptionBudget"}
LAST_NODE = "scheduler-has-seen-all"


def pinned(pod, name, node):
    """A copy of the pod which may run on this node only, besides what it asks for itself."""
    pod = copy.deepcopy(pod)
    metadata = pod["metadata"]
    pod["metadata"] = {"name": name, "namespace": metadata.get("namespace", "default"),
                       "labels": metadata.get("labels", {}),
                       "annotations": metadata.get("annotations", {})}
    pod.pop("status", None)
    pod["spec"].pop("nodeName", None)
    if "priorityClassName" not in pod["spec"]:
        pod["spec"].pop("priority", None)
    affinity = pod["spec"].setdefault("affinity", {}).setdefault("nodeAffinity", {})
    required = affinity.setdefault("requiredDuringSchedulingIgnoredDuringExecution", {})
    for term in required.setdefault("nodeSelectorTerms", [{}]):
        term.setdefault("matchFields", []).append(
            {"key": "metadata.name", "operator": "In", "values": [node]})
    return {"apiVersion": "v1", "kind": "Pod", **pod}


class Scheduler:
    def __init__(self, server):
        self.api = server.client()

    def decision(self, pod):
        """("node", "") or ("", message); the pod is gone again afterwards."""
        folder = f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods"
        path = f"{folder}/{pod['metadata']['name']}"
        self.api.must("POST", folder, pod)
        decided = []

        def is_decided():
            now = self.api.must("GET", path)
            if now["spec"].get("nodeName"):
                decided.append((now["spec"]["nodeName"], ""))
            for condition in now["status"].get("conditions", []):
                if condition["type"] == "PodScheduled" and condition["status"] == "False":
                    if condition["reason"] != "Unschedulable":
                        raise Failure(f"{condition['reason']}: {condition['message']}")
                    decided.append(("", condition["message"]))
            return decided
        try:
            wait_until(is_decided, f"a decision about {pod['metadata']['name']}",
                       seconds=30, pause=0.005)
        finally:
            self.api.send("DELETE", path + "?gracePeriodSeconds=0")
        return decided[0]

    def wait_until_seen(self):
        """The scheduler hears of nodes in order: one that came last, and was chosen, proves all.

        Pods need no such proof: it hears of the probes after those that were there before.
        """
        self.loader.put({"apiVersion": "v1", "kind": "Node", "metadata": {"name": LAST_NODE},
                         "status": {"allocatable": {"cpu": "1", "memory": "1Gi", "pods": "9"}}})
        pod = {"metadata": {}, "spec": {"containers": [{"name": "c", "image": "i"}]}}
        wait_until(lambda: self.decision(pinned(pod, "last", LAST_NODE))[0], "the last node's turn")
        self.api.must("DELETE", f"/api/v1/nodes/{LAST_NODE}")

    def answer(self, world):
        self.loader = Loader(self.api)
        objects = [item for item in world["objects"] if item["kind"] in READ]
        nodes = [item["metadata"]["name"] for item in objects if item["kind"] == "Node"]
        if world["pod"]["metadata"].get("namespace", "default") != "default":
            objects.append({"apiVersion": "v1", "kind": "Namespace", "metadata": {
                "name": world["pod"]["metadata"]["namespace"]}})
        try:
            self.loader.load(objects)
            self.wait_until_seen()
            return {node: self.ask(world["pod"], node, len(nodes)) for node in nodes}
        finally:
            self.loader.clear()

    def ask(self, pod, node, count):
        while True:
            chosen, message = self.decision(pinned(pod, "probe", node))
            # Until it has heard that the last node is gone, it counts one more.
            if chosen or not message.startswith(f"0/{count + 1} "):
                return {"fits": bool(chosen), "message": message}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", nargs="?")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        server = ControlPlane(options.folder or f"{temporary}/control-plane")
        try:
            server.start(with_scheduler=True)
        except assets.Missing as reason:
            print(f"skipped: {reason}")
            return 77
        try:
            scheduler = Scheduler(server)
            for line in sys.stdin:
                print(json.dumps(scheduler.answer(json.loads(line))), flush=True)
        finally:
            server.stop()
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except Failure as problem:
        sys.exit(f"error: {problem}")
