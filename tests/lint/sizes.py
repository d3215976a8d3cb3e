#!/usr/bin/env python3
"""Size budgets: what is longer is more than one idea, and gets split."""

import re
import sys
from pathlib import Path

FUNCTION, FILE, HEADER, WIDTH = 60, 500, 150, 100
FOLDERS = ["cli", "commands", "recovery", "preflight", "storage", "facts", "kubeclient", "lab", "man", "tests"]

END = re.compile(r"^( {0,8})\}[;,)]*$")


def functions(lines):
    """Yields (first line, length) of each block that may be a function.

    The sources are formatted: a block ends with "}" in the column in which it starts, and lines in
    between stand further right. Blocks inside functions come along; they are shorter anyway.
    """
    for last, line in enumerate(lines):
        end = END.match(line)
        if not end:
            continue
        indent = end.group(1)
        starts = re.compile(indent + r"[^\s})#:]")
        first = next((i for i in range(last - 1, -1, -1) if starts.match(lines[i])), last)
        if "(" in lines[first] and not lines[first].startswith(indent + "namespace"):
            yield first, last - first + 1


def problems_in(path, root):
    name = path.relative_to(root).as_posix()
    lines = path.read_text(encoding="utf-8").splitlines()
    test = name.startswith("tests/")
    most = HEADER if path.suffix == ".hpp" else FILE
    # A table of cases may be long; its lines may not be wide.
    if len(lines) > most and not test:
        yield f"{name}: {len(lines)} lines, at most {most}: split it by what it is about"
    for number, line in enumerate(lines, 1):
        if len(line) > WIDTH:
            yield f"{name}:{number}: {len(line)} columns, at most {WIDTH}"
    if test:
        return
    for first, length in functions(lines):
        if length > FUNCTION:
            yield (f"{name}:{first + 1}: a function of {length} lines, at most {FUNCTION}: "
                   f"name its steps and make them functions")


def main():
    root = Path(sys.argv[1]).resolve()
    files = [path for folder in FOLDERS for path in sorted((root / folder).glob("**/*.[ch]pp"))]
    if not files:
        sys.exit(f"error: no sources under {root}")
    problems = [problem for path in files for problem in problems_in(path, root)]
    print("\n".join(problems) or f"{len(files)} files keep the budgets")
    sys.exit(1 if problems else 0)


main()
