#!/usr/bin/env python3
"""real_scheduler_worlds.py PLACING [--count N] [--seed N]: the scheduler's rules against the real
kube-scheduler, on random worlds. Every node must get the same answer, word for word."""
import argparse
import collections
import json
import re
import subprocess
import sys
from pathlib import Path

from random_worlds import Worlds

REAL = Path(__file__).resolve().parent.parent / "support" / "real_scheduler.py"


def ours(placing, world):
    run = subprocess.run([placing], input=json.dumps(world), capture_output=True, text=True, check=True)
    return json.loads(run.stdout)


def reasons(message):
    """Of a message: what counts nodes, without the numbers."""
    told = message.partition(" no new claims")[0].partition(": ")[2]
    return [re.sub(r"^\d+ |\"[^\"]*\"|\.$", "", reason) for reason in told.split(", ")]


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("placing")
    parser.add_argument("--count", type=int, default=40)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", type=int, help="this world alone, and print it")
    options = parser.parse_args()
    generator = Worlds(options.seed)
    worlds = [generator.world() for _ in range(max(options.count, (options.only or 0) + 1))]
    if options.only is not None:
        worlds = worlds[options.only:options.only + 1]
        print(json.dumps(worlds[0]["pod"], indent=1))
    lines = "".join(json.dumps(world) + "\n" for world in worlds)
    real = subprocess.run([sys.executable, "-B", REAL], input=lines, stdout=subprocess.PIPE, text=True, check=False)
    if real.returncode != 0:
        print(real.stdout, end="")
        return real.returncode
    seen, problems = collections.Counter(), []
    first = options.only or 0
    for number, (world, line) in enumerate(zip(worlds, real.stdout.splitlines()), first):
        answers = ours(options.placing, world)
        for name, theirs in json.loads(line).items():
            said = answers[name]
            seen.update(["fits"] if theirs["fits"] else reasons(theirs["message"]))
            if said != theirs:
                problems.append(f"{name} (again: --seed {options.seed} --only {number}):\n"
                                f"  kube-scheduler: {theirs}\n  ours:           {said}")
    for reason, count in sorted(seen.items()):
        print(f"{count:5} {reason}")
    print("\n".join(problems))
    print(f"{len(worlds)} worlds, seed {options.seed}: {len(problems)} differences")
    return 1 if problems else 0


sys.exit(main())
