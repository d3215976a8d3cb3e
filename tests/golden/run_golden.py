#!/usr/bin/env python3
"""Runs one golden case: a folder that holds one command line and what it must print.

    cmd       the command line, run by sh; virt-handoff is on PATH
    out       standard output        err   standard error        code  the exit code
    terminal  optional, "60x24": standard output is a terminal of that many columns and rows;
              escape sequences stand in `out` as <ESC>[31m
    lab       optional, arguments of `virt-handoff lab`: it runs while the command does, with a clock
              that stands still (see play.sh), as the current context; kubectl is on PATH, and
              without one the case is skipped
    *         everything else is copied next to the command

The command runs in a temporary folder with an empty home and no other kubeconfig; `project` in it leads
to the root of the project. UPDATE_GOLDEN=1 writes out, err and code instead; review is the diff.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shlex
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
import assets  # noqa: E402
from running_lab import Lab  # noqa: E402
from session import World, copy_inputs, difference  # noqa: E402

EXPECTATIONS = ("out", "err", "code")


@contextlib.contextmanager
def lab_of(case, program, world):
    """The case's lab, if it has one, as what kubectl and the program find by themselves."""
    arguments = case / "lab"
    if not arguments.exists():
        yield
        return
    kubectl, = assets.find("kubectl")
    (world.root / "bin" / "kubectl").symlink_to(kubectl)
    with Lab(program, *shlex.split(arguments.read_text()), "--speed=0x") as lab:
        (world.root / "home" / ".kube").mkdir()
        (world.root / "home" / ".kube" / "config").symlink_to(lab.kubeconfig)
        yield


def without_port(text):
    return re.sub(r"\b127\.0\.0\.1:\d+", "127.0.0.1:<PORT>", text)


def run_case(case, program, name, project):
    with World(program, name) as world:
        copy_inputs(case, world.work, ("cmd", "terminal", "lab") + EXPECTATIONS)
        (world.work / "project").symlink_to(project)
        command = (case / "cmd").read_text().strip()
        with lab_of(case, program, world):
            outcome = run_command(world, command, case / "terminal")
        shown = {"out": world.normalised(outcome.out), "err": world.normalised(outcome.err)}
        if (case / "lab").exists():
            shown = {name: without_port(text) for name, text in shown.items()}
        return shown | {"code": f"{outcome.code}\n"}


def run_command(world, command, terminal):
    if not terminal.exists():
        return world.run(command)
    size = re.fullmatch(r"(\d+)x(\d+)\s*", terminal.read_text())
    if not size:
        raise ValueError(f"{terminal}: want columns x rows, like 60x24")
    return world.run_on_terminal(command, int(size[1]), int(size[2]))


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
    try:
        actual = run_case(args.case, args.program, args.name, args.project.resolve())
    except assets.Missing as reason:
        print(f"skipped: {reason}")
        return 77
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
