#!/usr/bin/env python3
"""Holds preflight against objects whose answer is known.

Usage: known_answers.py BINARY CASES_DIR
CASES_DIR has expected.json: {file: {config, liveMigratable, storageLiveMigratable,
migrationMethod, note}}. `config` says what the KubeVirt CR and the node have. Each file is read
together with such a CR and such a node, and what the tool recomputes has to agree word for word.
"""
import json
import pathlib
import re
import subprocess
import sys
import tempfile


def kubevirt(config):
    bindings = {
        name: {"migration": {"method": "link-refresh"}} if migrates else {}
        for name, migrates in config.get("bindings", {}).items()
    }
    return {
        "apiVersion": "kubevirt.io/v1",
        "kind": "KubeVirt",
        "metadata": {"name": "kubevirt", "namespace": "kubevirt"},
        "spec": {
            "configuration": {
                "network": {"binding": bindings},
                "developerConfiguration": {"featureGates": config.get("gates", [])},
                "permittedHostDevices": {
                    "mediatedDevices": [
                        {"mdevNameSelector": name, "resourceName": name}
                        for name in config.get("mdevResources", [])
                    ]
                },
            }
        },
        "status": {"observedKubeVirtVersion": "v1.9.0"},
    }


def node(name, config):
    labels = {"kubernetes.io/hostname": name}
    if config.get("nodeHostModel", True):
        labels["host-model-cpu.node.kubevirt.io/Skylake-Server"] = "true"
    return {
        "apiVersion": "v1",
        "kind": "Node",
        "metadata": {"name": name, "labels": labels},
        "status": {"conditions": [{"type": "Ready", "status": "True"}]},
    }


def report(binary, directory):
    command = [binary, "preflight", "-A", "--from", directory, "-o", "json"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    document = json.loads(run.stdout)
    if run.returncode != document["exitCode"]:
        raise AssertionError(f"exit code {run.returncode}, document says {document['exitCode']}")
    if len(document["items"]) != 1:
        raise AssertionError(f"{len(document['items'])} items, stderr: {run.stderr}")
    return document["items"][0]


def condition(expected):
    return {key: expected.get(key) for key in ("status", "reason", "message")}


def has_unread_claims(text):
    return bool(re.search(r"persistentVolumeClaim:|claimName:", text))


def differences(item, text, expected):
    recomputed = item["kubevirt"]["recomputed"]
    # A bare VM has no volumeStatus: claims that are not in the file leave it open.
    if "assumed" in expected["note"] and expected["liveMigratable"]["status"] == "True":
        if has_unread_claims(text):
            status = recomputed["LiveMigratable"]["status"]
            return [] if status == "Unknown" else [f"expected Unknown, got {status}"]
    wanted = {
        "LiveMigratable": condition(expected["liveMigratable"]),
        "StorageLiveMigratable": condition(expected["storageLiveMigratable"]),
        "migrationMethod": expected["migrationMethod"],
    }
    return [
        f"{key}: expected {value}, got {recomputed[key]}"
        for key, value in wanted.items()
        if recomputed[key] != value
    ]


def check(binary, cases, name, expected):
    text = (cases / name).read_text()
    found = re.search(r"^\s*nodeName:\s*(\S+)", text, re.MULTILINE)
    with tempfile.TemporaryDirectory() as directory:
        path = pathlib.Path(directory)
        (path / "case.yaml").write_text(text)
        (path / "kubevirt.json").write_text(json.dumps(kubevirt(expected["config"])))
        name_of_node = found.group(1) if found else "node-a"
        (path / "node.json").write_text(json.dumps(node(name_of_node, expected["config"])))
        return differences(report(binary, directory), text, expected)


def main():
    binary, cases = sys.argv[1], pathlib.Path(sys.argv[2])
    if not (cases / "expected.json").exists():
        print(f"skipped: no {cases}/expected.json")
        return 77
    failures = 0
    expectations = json.loads((cases / "expected.json").read_text())
    for name, expected in expectations.items():
        for difference in check(binary, cases, name, expected):
            failures += 1
            print(f"{name}: {difference}")
    print(f"{len(expectations)} objects, {failures} differences")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
