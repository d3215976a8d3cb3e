#!/usr/bin/env python3
"""preflight_test.py PROGRAM: `preflight` judges a real cluster and files of it alike.

The objects of examples/ are put into a real API server, and `preflight -A` is asked about it and
about what the server's own kubectl prints of them; each judgement must be the same, except those
below. Who may read everything and change nothing is told the same.
"""
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
import assets  # noqa: E402
from example_cluster import example_cluster  # noqa: E402

# What files cannot carry. There these checks say that they do not know, never another answer.
ONLY_LIVE = {"NODE-002": "how old a heartbeat is: files do not tell the time",
             "POD-001": "that there is no pod: it may just not be in the files"}


def preflight(program, cluster, *arguments, user="admin", text=None):
    command = [program, "preflight", "-A", "-o", "json", *arguments]
    run = subprocess.run(command, env=cluster.environment(user), input=text, capture_output=True,
                         text=True, check=False)
    # The clock goes on between two reports.
    report = json.loads(re.sub(r"heartbeat \d+s ago", "heartbeat just now", run.stdout))
    assert report["exitCode"] == run.returncode, run.stderr
    return report


def differences(live, other):
    """Of everything but where and when it was read, one line each."""
    for field in ("kubevirtVersion", "rules", "exitCode"):
        if live[field] != other[field]:
            yield f"{field}: {live[field]} / {other[field]}"
    names = [[(item["namespace"], item["name"]) for item in report["items"]]
             for report in (live, other)]
    assert names[0] == names[1] and names[0], names
    for one, twin in zip(live["items"], other["items"]):
        name = f"{one['namespace']}/{one['name']}"
        for field in sorted((one.keys() | twin.keys()) - {"checks"}):
            if one.get(field) != twin.get(field):
                yield f"{name}: {field}: {one.get(field)} / {twin.get(field)}"
        yield from different_checks(name, one["checks"], twin["checks"])


def different_checks(name, live, other):
    for check, twin in itertools.zip_longest(live, other, fillvalue={}):
        without_answer = twin.get("verdict") in ("skipped", "unknown")
        if check != twin and not (without_answer and check.get("id") in ONLY_LIVE):
            yield f"{name}: {json.dumps(check)}\n  / {json.dumps(twin)}"


def what_nobody_is_told(program, cluster):
    """What is wrong with it."""
    run = subprocess.run([program, "preflight", "-A"], env=cluster.environment("nobody"),
                         capture_output=True, text=True, check=False)
    expected = ('error: Error from server (Forbidden): virtualmachines.kubevirt.io is forbidden: '
                'User "nobody" cannot list resource "virtualmachines"')
    if run.returncode != 1 or run.stdout or not run.stderr.startswith(expected):
        yield f"nobody: {run}"


def judge(program, cluster):
    kinds = ",".join(sorted({item["kind"] for item in cluster.objects}))
    objects = cluster.run_kubectl("get", kinds, "-A", "-o", "yaml")
    live = preflight(program, cluster)
    found = [*differences(live, preflight(program, cluster, "--from", "-", text=objects)),
             *differences(live, preflight(program, cluster, user="viewer")),
             *what_nobody_is_told(program, cluster)]
    print("\n".join(found) or f"{len(live['items'])} virtual machines are judged alike")
    return 1 if found else 0


def main():
    try:
        with example_cluster() as cluster:
            return judge(sys.argv[1], cluster)
    except assets.Missing as reason:
        print(f"skipped: {reason}")
        return 77


sys.exit(main())
