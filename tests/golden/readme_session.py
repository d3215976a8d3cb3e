#!/usr/bin/env python3
"""Holds the sessions shown in a Markdown file against what the program does.

In every block marked ```console, a line `$ command` is run by sh from the project's root, with
virt-handoff on PATH; the lines up to the next command are exactly what it prints, standard error
included. `# exit code N` after them is the exit code, 0 where it does not stand. A command goes on
in the next line after a backslash at its end. Times in takenAt may differ. UPDATE_GOLDEN=1 writes
the output into the file.
"""

import argparse
import dataclasses
import os
import pathlib
import re
import sys

from session import World, difference


@dataclasses.dataclass
class Step:
    line: int  # of the command, from 1
    command: list[str]
    output: list[str]
    code: int = 0

    def lines(self):
        code = [f"# exit code {self.code}"] if self.code else []
        return [f"$ {self.command[0]}"] + self.command[1:] + self.output + code


def read_steps(lines):
    """The steps in order, and per step the range of lines that it takes."""
    steps = []
    inside = False
    for number, line in enumerate(lines, 1):
        if not inside:
            inside = line.strip() == "```console"
            is_first = True
        elif line.strip() == "```":
            inside = False
        elif line.startswith("$ "):
            steps.append(Step(number, [line[2:]], []))
            is_first = False
        elif is_first:
            raise ValueError(f"line {number}: a console block starts with a command")
        elif steps[-1].command[-1].endswith("\\") and not steps[-1].output:
            steps[-1].command.append(line)
        elif code := re.fullmatch(r"# exit code (\d+)", line):
            steps[-1].code = int(code[1])
        else:
            steps[-1].output.append(line)
    return steps


def text_of(lines):
    return "".join(line + "\n" for line in lines)


def run_steps(steps, world, project):
    """The same steps with what really came out."""
    actual = []
    for step in steps:
        outcome = world.run("\n".join(step.command), where=project, merge=True)
        lines = outcome.out.split("\n")
        last = lines.pop()
        if last:
            lines.append(last + "<no line break at the end>")
        actual.append(Step(step.line, step.command, lines, outcome.code))
    return actual


def updated(lines, steps, actual):
    lines = list(lines)
    for old, new in reversed(list(zip(steps, actual))):
        start = old.line - 1
        end = next(i for i in range(start, len(lines))
                   if lines[i].strip() == "```" or (i > start and lines[i].startswith("$ ")))
        lines[start:end] = new.lines()
    return lines


def main():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program", required=True, type=pathlib.Path)
    parser.add_argument("--name", default="virt-handoff", help="what it is called on PATH")
    parser.add_argument("--project", required=True, type=pathlib.Path)
    parser.add_argument("file", type=pathlib.Path)
    args = parser.parse_args()
    lines = args.file.read_text().splitlines()
    steps = read_steps(lines)
    if not steps:
        print(f"{args.file}: no console block with a command")
        return 1
    with World(args.program, args.name) as world:
        actual = run_steps(steps, world, args.project)
        shown = [world.normalised(text_of(step.lines())) for step in steps]
        printed = [world.normalised(text_of(step.lines())) for step in actual]
    if os.environ.get("UPDATE_GOLDEN") == "1":
        args.file.write_text(text_of(updated(lines, steps, actual)))
        return 0
    wrong = 0
    for step, expected, got in zip(steps, shown, printed):
        found = difference(expected, got, "session")
        if found:
            wrong += 1
            print(f"{args.file}:{step.line}: $ {step.command[0]}\n{found}")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
