#!/usr/bin/env python3
"""Holds preflight against rows/: one VMI for each rule, and KubeVirt's answer for each release.

Usage: table_rows.py BINARY
rows/rows.json: {name: {featureGates, expected: [{releases, and what `recomputed` holds}]}}, where
each release stands once. `node-a` has a host model, `node-b` has none.
"""
import json
import pathlib
import sys

import generate
import same_answers

ROWS = pathlib.Path(__file__).parent / "rows"


def kubevirt(release, gates):
    return {
        "apiVersion": "kubevirt.io/v1", "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {"configuration": {
            "developerConfiguration": {"featureGates": gates},
            "network": {"binding": {"moves": {"migration": {}}, "stays": {}}},
            "permittedHostDevices": {
                "mediatedDevices": [
                    {"mdevNameSelector": "A", "resourceName": "gpu.example/permitted"}],
                "pciHostDevices": [
                    {"pciVendorSelector": "1:2", "resourceName": "gpu.example/pci"}],
            },
        }},
        "status": {"observedKubeVirtVersion": f"v{release}.0"},
    }


def differences(binary, release, gates, rows):
    """Of the rows that want these gates, in one run."""
    both = generate.nodes()
    texts = [json.dumps(one) for one in [kubevirt(release, gates)] + both]
    texts += [(ROWS / f"{name}.yaml").read_text() for name in rows]
    items = same_answers.items(binary, "\n---\n".join(texts), "yaml")
    for name, row in rows.items():
        (expected,) = [one for one in row["expected"] if release in one["releases"]]
        got = items[name]["kubevirt"]["recomputed"]
        for key, value in got.items():
            if value != expected[key]:
                yield f"{name}, {release}: {key}: expected {expected[key]}, got {value}"


def main():
    rows = json.loads((ROWS / "rows.json").read_text())
    files = sorted(path.stem for path in ROWS.glob("*.yaml"))
    found = [] if files == sorted(rows) else ["rows.json and the files differ"]
    releases = sorted({release for row in rows.values()
                       for one in row["expected"] for release in one["releases"]})
    for release in releases:
        for gates in ([], ["VGPULiveMigration"]):
            chosen = {name: row for name, row in rows.items() if row["featureGates"] == gates}
            found += differences(sys.argv[1], release, gates, chosen)
    print("\n".join(found + [f"{len(rows)} rows, {len(releases)} releases, {len(found)} differ"]))
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
