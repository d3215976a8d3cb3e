#!/usr/bin/env python3
"""Every text file: UTF-8, no trailing blanks, no tabs, line feeds only, a line feed at the end, no
paths of somebody's machine, no work left for later."""

import re
import sys
from pathlib import Path

SKIPPED = re.compile(r"^(\.git|\.cache|build(-.*)?|__pycache__)$")
# Bytes that are wrong on purpose, or kept as somebody else wrote them.
RAW = re.compile(r"^(LICENSE|examples/.*|tests/assets/.*/go\.(mod|sum)|tests/(fuzz/corpus|fixtures|golden|unit/data)/.*)$")
MACHINE = re.compile(r"(?<![\w.$}>])/(?:root|work|Users/\w+|home/(?!me/)\w+)/")
LATER = re.compile(r"\b(?:TO" r"DO|FIX" r"ME|XX" r"X)\b")


def text_files(root: Path, folder: Path):
    for path in sorted(folder.iterdir()):
        if path.is_symlink() or SKIPPED.match(path.name):
            continue
        if path.is_dir():
            yield from text_files(root, path)
        elif not RAW.match(path.relative_to(root).as_posix()):
            yield path


def problems_in(path: Path, name: str):
    content = path.read_bytes()
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError as problem:
        yield f"{name}: not UTF-8: {problem}"
        return
    if content and not content.endswith(b"\n"):
        yield f"{name}: no line feed at the end"
    if content.endswith(b"\n\n"):
        yield f"{name}: empty lines at the end"
    for number, line in enumerate(text.split("\n"), 1):
        if "\r" in line:
            yield f"{name}:{number}: carriage return"
        if "\t" in line:
            yield f"{name}:{number}: tab"
        if line != line.rstrip():
            yield f"{name}:{number}: blanks at the end"
        if MACHINE.search(line):
            yield f"{name}:{number}: a path of one machine: {line.strip()}"
        if LATER.search(line):
            yield f"{name}:{number}: work left for later: do it, or write an issue"


def main():
    root = Path(sys.argv[1]).resolve()
    files = list(text_files(root, root))
    problems = [problem for path in files
                for problem in problems_in(path, path.relative_to(root).as_posix())]
    print("\n".join(problems) or f"{len(files)} files are clean")
    sys.exit(1 if problems else 0)


main()
