#!/usr/bin/env python3
"""Runs one golden case: a folder that holds one command line and what it must print.

    cmd       the command line, run by sh; virt-handoff is on PATH
    out       standard output        err   standard error        code  the exit code
    terminal  optional, "60x24": standard output is a terminal of that many columns and rows;
              escape sequences stand in `out` as <ESC>[31m
    *         everything else is copied next to the command

The command runs in a temporary folder with an empty home and no kubeconfig; `project` in it leads
to the root of the project. UPDATE_GOLDEN=1 writes out, err and code instead; review is the diff.
"""

import argparse
import os
import pathlib
import re
import sys

from session import World, copy_inputs, difference

EXPECTATIONS = ("out", "err", "code")


def run_case(case, program, name, project):
    with World(program, name) as world:
        copy_inputs(case, world.work, ("cmd", "terminal") + EXPECTATIONS)
        (world.work / "project").symlink_to(project)
        command = (case / "cmd").read_text().strip()
        terminal = case / "terminal"
        if terminal.exists():
            size = re.fullmatch(r"(\d+)x(\d+)\s*", terminal.read_text())
            if not size:
                raise ValueError(f"{terminal}: want columns x rows, like 60x24")
            outcome = world.run_on_terminal(command, int(size[1]), int(size[2]))
        else:
            outcome = world.run(command)
        return {"out": world.normalised(outcome.out), "err": world.normalised(outcome.err),
                "code": f"{outcome.code}\n"}


def differences(case, actual):
    found = []
    for name in EXPECTATIONS:
        path = case / name
        if not path.exists():
            found.append(f"{path} does not exist")
            continue
        with path.open(newline="") as file:
            difference_found = difference(file.read(), actual[name], name)
        if difference_found:
            found.append(difference_found)
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--name", default="virt-handoff", help="what it is called on PATH")
    parser.add_argument("--project", required=True, type=pathlib.Path)
    parser.add_argument("case", type=pathlib.Path)
    args = parser.parse_args()
    actual = run_case(args.case, args.program, args.name, args.project.resolve())
    if os.environ.get("UPDATE_GOLDEN") == "1":
        for name, text in actual.items():
            (args.case / name).write_text(text, newline="")
        return 0
    found = differences(args.case, actual)
    if not found:
        return 0
    print(f"{args.case}: {(args.case / 'cmd').read_text().strip()}")
    print("\n".join(found))
    print("If this is meant: UPDATE_GOLDEN=1 " + " ".join([sys.executable] + sys.argv))
    return 1


if __name__ == "__main__":
    sys.exit(main())
