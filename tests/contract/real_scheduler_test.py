#!/usr/bin/env python3
"""tests/support/real_scheduler.py on two small worlds: nothing of one may be left in the next."""
import json
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).resolve().parent.parent / "support" / "real_scheduler.py"


def node(name, **spec):
    return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec,
            "status": {"allocatable": {"cpu": "2", "memory": "4Gi", "pods": "10"}}}


def pod(name, cpu, **spec):
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name, "namespace": "place"},
            "spec": {"containers": [{"name": "c", "image": "i",
                                     "resources": {"requests": {"cpu": cpu}}}], **spec}}


def leaving(item):
    item["metadata"]["deletionTimestamp"] = "2026-01-01T00:00:00Z"
    return item


TAINT = {"key": "maintenance", "effect": "NoSchedule"}
FIRST = {"objects": [node("free"), node("tainted", taints=[TAINT]),
                     node("closed", unschedulable=True), node("full"),
                     leaving(pod("large", "1500m", nodeName="full"))],
         "pod": pod("asked", "1")}
SECOND = {"objects": [node("full")], "pod": pod("asked", "1")}
REASONS = [{"free": "", "tainted": "had untolerated taint", "closed": "were unschedulable",
            "full": "Insufficient cpu"}, {"full": ""}]


def main():
    run = subprocess.run([sys.executable, "-B", SCRIPT], text=True, stdout=subprocess.PIPE,
                         input=f"{json.dumps(FIRST)}\n{json.dumps(SECOND)}\n", check=False)
    if run.returncode != 0:
        print(run.stdout, end="")
        return run.returncode
    answers = [json.loads(line) for line in run.stdout.splitlines()]
    print(json.dumps(answers, indent=1))
    assert [set(answer) for answer in answers] == [set(reasons) for reasons in REASONS]
    for answer, reasons in zip(answers, REASONS):
        for name, said in answer.items():
            assert said["fits"] == (reasons[name] == ""), name
            assert reasons[name] in said["message"], name
            assert said["fits"] or said["message"].startswith(f"0/{len(reasons)} nodes"), name
    return 0


sys.exit(main())
