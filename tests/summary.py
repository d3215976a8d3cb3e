#!/usr/bin/env python3
"""summary.py REPORT: what ctest's own summary leaves out, from its JUnit file.

How many contract cases ran on each server, and why tests were skipped: the last line that they
printed, each reason once.
"""
import collections
import re
import sys
import xml.etree.ElementTree


def main():
    ran, reasons = collections.Counter(), {}
    for case in xml.etree.ElementTree.parse(sys.argv[1]).getroot().iter("testcase"):
        name = case.get("name")
        if case.find("skipped") is not None:
            said = (case.findtext("system-out") or "").strip().splitlines() or ["no reason given"]
            reasons.setdefault(said[-1].removeprefix("skipped: "), []).append(name)
        elif suite := re.match(r"contract\.([\w-]+)\.(?!start$|stop$)", name):
            ran[suite[1]] += 1
    for server, count in sorted(ran.items()):
        print(f"contract cases on {server}: {count}")
    for reason, names in sorted(reasons.items()):
        others = f" and {len(names) - 1} more" if len(names) > 1 else ""
        print(f"skipped {min(names, key=len)}{others}: {reason}")


main()
