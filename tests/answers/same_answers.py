#!/usr/bin/env python3
"""What may not change an answer does not, and what may changes it as foreseen.

Usage: same_answers.py BINARY [--count N] [--seed S]
YAML and JSON of the same objects give the same report; so do lists in another order and objects
that have nothing to do with a machine; and with one cause gone, `reasons` loses that constant.
"""
import argparse
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import generate
import random_answers
import yamltext

BATCH = 100


def items(binary, text, suffix):
    """The items of the report by name, whole."""
    with tempfile.TemporaryDirectory() as directory:
        (pathlib.Path(directory) / f"objects.{suffix}").write_text(text)
        command = [binary, "preflight", "-A", "--from", directory, "-o", "json"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    return {item["name"]: item for item in json.loads(run.stdout)["items"]}


def as_json(binary, objects):
    return items(binary, json.dumps({"apiVersion": "v1", "kind": "List", "items": objects}), "json")


def as_yaml(binary, objects, rng):
    return items(binary, "---\n".join(yamltext.dump(rng, one) for one in objects), "yaml")


# Lists whose order KubeVirt does not look at: at most one network of a machine is the pod's.
UNORDERED = ["spec networks", "spec domain devices interfaces", "spec domain devices disks",
             "spec domain devices filesystems", "spec domain cpu features", "spec volumes",
             "status migratedVolumes", "spec configuration developerConfiguration featureGates",
             "spec configuration permittedHostDevices mediatedDevices"]


def reordered(one, rng):
    one = copy.deepcopy(one)
    for path in UNORDERED:
        place = one
        for key in path.split():
            place = (place or {}).get(key)
        if place:
            rng.shuffle(place)
    return one


def unrelated():
    """Objects of other namespaces, and of kinds that decide nothing here."""
    elsewhere = {"namespace": "elsewhere"}
    claim = generate.claim_object("base", {"accessModes": ["ReadWriteMany"]})
    claim["metadata"].update(elsewhere)
    return [
        {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "settings", **elsewhere}},
        {"apiVersion": "example.io/v1", "kind": "Thing", "metadata": {"name": "vm0"}},
        claim,
    ]


def set_at(machine, path, value):
    *parents, last = path.split()
    place = machine
    for key in parents:
        place = place[key]
    place[last] = value


def without_reservation(machine):
    for disk in machine["spec"]["domain"]["devices"]["disks"]:
        if disk.get("lun"):
            disk["lun"]["reservation"] = False


def without_host_devices(machine):
    set_at(machine, "spec domain devices hostDevices", [])
    set_at(machine, "spec domain devices gpus", [])


def without_sev(machine):
    set_at(machine, "spec domain launchSecurity sev", None)
    set_at(machine, "spec domain launchSecurity snp", None)


REMOVED = {
    "DisksNotLiveMigratable": lambda one: set_at(one, "spec volumes", []),
    "InterfaceNotLiveMigratable": lambda one: set_at(one, "spec domain devices interfaces", []),
    "CPUModeLiveMigratable": lambda one: set_at(one, "spec domain cpu model", "host-passthrough"),
    "VirtIOFSNotLiveMigratable": lambda one: set_at(one, "spec domain devices filesystems", []),
    "HostDeviceNotLiveMigratable": without_host_devices,
    "SEVNotLiveMigratable": without_sev,
    "TDXNotLiveMigratable": lambda one: set_at(one, "spec domain launchSecurity tdx", None),
    "SecureExecutionNotLiveMigratable": lambda one: set_at(one, "spec architecture", "amd64"),
    "PersistentReservationNotLiveMigratable": without_reservation,
    "NoTSCFrequencyNotLiveMigratable": lambda one: set_at(
        one, "spec domain features hyperv reenlightenment enabled", False
    ),
    "HypervPassthroughNotLiveMigratable": lambda one: set_at(
        one, "spec domain features hypervPassthrough enabled", False
    ),
}


def one_cause_less(binary, shared, machines, reports, rng):
    """Differences after one cause of each machine was taken away."""
    changed, wanted = [], {}
    for machine in machines:
        name = machine["metadata"]["name"]
        reasons = reports[name]["kubevirt"]["recomputed"]["reasons"]
        if not reasons:
            continue
        gone = rng.choice(reasons)
        changed.append(copy.deepcopy(machine))
        REMOVED[gone](changed[-1])
        wanted[name] = [reason for reason in reasons if reason != gone]
    if not changed:
        return
    for name, item in as_json(binary, shared + changed).items():
        if item["kubevirt"]["recomputed"]["reasons"] != wanted[name]:
            got = item["kubevirt"]["recomputed"]["reasons"]
            yield "one cause less", reports[name]["kubevirt"], f"wanted {wanted[name]}, got {got}"


def essence(item):
    """What may not hang on the order of lists: not the words of the one disk that is named."""
    answer = item["kubevirt"]["recomputed"]
    return item["verdict"], answer["reasons"], answer["migrationMethod"], [
        (answer[key]["status"], answer[key]["reason"])
        for key in ("LiveMigratable", "StorageLiveMigratable")
    ]


def differences(binary, seed, number):
    rng = random.Random(f"{seed}/{number}")
    kubevirt, nodes = random_answers.setting(rng, rng.choice(generate.VERSIONS))
    cases = [random_answers.random_case(rng, f"vm{index}") for index in range(BATCH)]
    shared = random_answers.common(kubevirt, nodes)
    objects = shared + [one for case in cases for one in case.objects()]
    reports = as_json(binary, objects)
    same = [
        ("as YAML", as_yaml(binary, objects, rng), lambda item: item),
        ("with unrelated objects", as_json(binary, unrelated() + objects), lambda item: item),
        ("lists reordered", as_json(binary, [reordered(one, rng) for one in objects]), essence),
    ]
    for what, others, view in same:
        for name in sorted(reports.keys() | others.keys()):
            before, after = (view(each[name]) if name in each else None
                             for each in (reports, others))
            if before != after:
                yield what, before, after
    running = [case.machine for case in cases if case.machine["kind"] != "VirtualMachine"]
    yield from one_cause_less(binary, shared, running, reports, rng)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=600)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    batches = -(-options.count // BATCH)
    found = [one for number in range(batches)
             for one in differences(options.binary, options.seed, number)]
    for what, before, after in found[:5]:
        print(f"{what}:\n  before {json.dumps(before)}\n  after  {json.dumps(after)}")
    print(f"{batches * BATCH} machines (seed {options.seed}), {len(found)} differ")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
