#!/usr/bin/env python3
"""Holds what preflight recomputes against oracle.py over random virtual machines.

Usage: random_answers.py BINARY [--count N] [--seed S]
Prints the smallest object of each kind of difference.
"""
import argparse
import concurrent.futures
import copy
import json
import pathlib
import random
import subprocess
import sys
import tempfile

import generate
import oracle
import yamltext

BATCH = 250


def preflight(binary, text, suffix):
    with tempfile.TemporaryDirectory() as directory:
        (pathlib.Path(directory) / f"objects.{suffix}").write_text(text)
        command = [binary, "preflight", "-A", "--from", directory, "-o", "json"]
        run = subprocess.run(command, capture_output=True, text=True, timeout=300)
    if run.returncode not in (0, 3):
        raise AssertionError(f"exit code {run.returncode}: {run.stderr} {run.stdout[:2000]}")
    document = json.loads(run.stdout)
    return {item["name"]: item["kubevirt"]["recomputed"] for item in document["items"]}


def answers(binary, objects, rng):
    """Half of the batches are spelled in YAML."""
    if rng.random() < 0.5:
        listed = {"apiVersion": "v1", "kind": "List", "items": objects}
        return preflight(binary, json.dumps(listed), "json")
    return preflight(binary, "---\n".join(yamltext.dump(rng, one) for one in objects), "yaml")


class Case:
    """One machine and what belongs to it: a VMI, a VMI of a VM, or a VM that does not run."""

    def __init__(self, machine, others=(), claims=None):
        self.machine, self.others, self.claims = machine, list(others), claims

    def objects(self):
        return [self.machine] + self.others + list((self.claims or {}).values())

    def name(self):
        return self.machine["metadata"]["name"]

    def expected(self, world):
        if self.machine["kind"] == "VirtualMachine":
            return oracle.template_answer(self.machine, world, self.claims)
        return oracle.answer(self.machine, world)


def owned(rng, name):
    """A VMI with its VM; the VM's template says something else, as after an edit."""
    machine, (owner, _) = generate.machine(rng, name), generate.stopped(rng, name)
    owner["spec"]["runStrategy"] = "Always"
    machine["metadata"]["ownerReferences"] = [
        {"apiVersion": "kubevirt.io/v1", "kind": "VirtualMachine", "name": name,
         "uid": f"vm-{name}", "controller": True}]
    return Case(machine, [owner])


def random_case(rng, name):
    kind = rng.random()
    if kind < 0.7:
        return Case(generate.machine(rng, name))
    if kind < 0.8:
        return owned(rng, name)
    machine, claims = generate.stopped(rng, name)
    return Case(machine, claims=claims)


def setting(rng, version):
    """(KubeVirt CR or None, nodes). Without a CR the newest rules are taken."""
    gone = version == generate.VERSIONS[-1] and rng.random() < 0.2
    return None if gone else generate.kubevirt(rng, version), generate.some_nodes(rng)


def common(kubevirt, nodes):
    return ([kubevirt] if kubevirt else []) + nodes


def wrong(binary, kubevirt, nodes, case):
    """(expected, got) when they differ, else None, also for what is no machine any more."""
    try:
        expected = case.expected(oracle.World(kubevirt, nodes))
        objects = common(kubevirt, nodes) + case.objects()
        got = answers(binary, objects, random.Random(0))[case.name()]
    except (AssertionError, KeyError, TypeError, AttributeError, IndexError):
        return None
    return None if expected == got else (expected, got)


def places(value, path=()):
    """Every member of an object or list, deepest last."""
    entries = value.items() if isinstance(value, dict) else enumerate(value)
    for key, member in entries:
        yield path + (key,)
        if isinstance(member, (dict, list)):
            yield from places(member, path + (key,))


def without(value, path):
    smaller = copy.deepcopy(value)
    place = smaller
    for key in path[:-1]:
        place = place[key]
    del place[path[-1]]
    return smaller


def shrink(binary, kubevirt, nodes, case):
    """The case with everything gone that the difference does not need."""
    keep = {("metadata",), ("metadata", "name"), ("spec",), ("kind",), ("apiVersion",),
            ("status",), ("status", "phase")}
    shrunk = True
    while shrunk:
        shrunk = False
        for path in places(case.machine):
            smaller = Case(without(case.machine, path), case.others, case.claims)
            if path not in keep and wrong(binary, kubevirt, nodes, smaller):
                case, shrunk = smaller, True
                break
    return case


def report(binary, kubevirt, nodes, case):
    small = shrink(binary, kubevirt, nodes, case)
    expected, got = wrong(binary, kubevirt, nodes, small)
    print(json.dumps({"objects": common(kubevirt, nodes) + small.objects()}))
    for key, value in expected.items():
        if got[key] != value:
            print(f"{key}:\n  expected {json.dumps(value)}\n  got      {json.dumps(got[key])}")


def differing(binary, seed, number):
    """The cases of one batch that differ; each has a release and random numbers of its own."""
    rng = random.Random(f"{seed}/{number}")
    kubevirt, nodes = setting(rng, generate.VERSIONS[number % len(generate.VERSIONS)])
    cases = [random_case(rng, f"vm{index}") for index in range(BATCH)]
    objects = common(kubevirt, nodes) + [one for case in cases for one in case.objects()]
    rng.shuffle(objects)
    world, got = oracle.World(kubevirt, nodes), answers(binary, objects, rng)
    if len(got) != len(cases):
        raise AssertionError(f"{len(cases)} machines went in, {len(got)} came out")
    return [(kubevirt, nodes, case) for case in cases if case.expected(world) != got[case.name()]]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("binary")
    parser.add_argument("--count", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--shown", type=int, default=3, help="how many differences are shrunk")
    options = parser.parse_args()
    batches = range(-(-options.count // BATCH))
    # While one program judges, the next batch is made.
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda number: differing(options.binary, options.seed, number), batches)
        failures = [failure for batch in found for failure in batch]
    for failure in failures[: options.shown]:
        report(options.binary, *failure)
    print(f"{len(batches) * BATCH} machines (seed {options.seed}), {len(failures)} differ")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
