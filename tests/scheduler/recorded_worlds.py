#!/usr/bin/env python3
"""The scheduler's rules against recorded worlds: what the real kube-scheduler said about a pod
pinned to each node in turn must be what we say, word for word."""

import copy
import gzip
import json
import os
import subprocess
import sys
from pathlib import Path


def target_of(objects, expected):
    """The launcher of the source node, changed as virt-controller changes it for the target."""
    launcher = next(o for o in objects
                    if o["kind"] == "Pod" and o["metadata"]["name"].startswith("virt-launcher-"))
    pod = copy.deepcopy(launcher)
    pod["metadata"]["name"] += "-target"
    pod["metadata"]["uid"] += "-target"
    del pod["spec"]["nodeName"]
    pod["status"] = {"phase": "Pending"}
    target = expected["targetPod"]
    pod["spec"]["nodeSelector"] = target["nodeSelector"]
    pod["spec"]["affinity"] = target["affinity"]
    for container, resources in zip(pod["spec"]["containers"], target["requests"]):
        container["resources"] = resources
    return pod


def differences(binary, world, expected):
    objects = json.load(gzip.open(world))["items"]
    question = {"objects": objects, "pod": target_of(objects, expected)}
    run = subprocess.run([binary], input=json.dumps(question), capture_output=True, text=True, check=True)
    ours = json.loads(run.stdout)
    for node, theirs in expected["nodes"].items():
        said = ours[node]
        if said["fits"] != theirs["fits"] or said["message"] != theirs.get("message", ""):
            yield f"{world.name}: {node}\n  kube-scheduler: {theirs}\n  ours:           {said}"


def main():
    binary, folder = sys.argv[1], Path(os.environ.get("PLACEMENT_WORLDS", sys.argv[2]))
    worlds = sorted(folder.glob("world-*.json.gz"))
    if not worlds:
        print(f"no recorded worlds in {folder}; PLACEMENT_WORLDS names another folder")
        sys.exit(77)
    problems, nodes = [], 0
    for world in worlds:
        expected = json.loads(Path(str(world).replace(".json.gz", ".expected.json")).read_text())
        nodes += len(expected["nodes"])
        problems += differences(binary, world, expected)
    print("\n".join(problems) or f"{len(worlds)} worlds, {nodes} nodes: all as kube-scheduler said")
    sys.exit(1 if problems else 0)


main()
