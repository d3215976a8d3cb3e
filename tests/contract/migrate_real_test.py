#!/usr/bin/env python3
"""migrate_real_test.py REAL_LAB_CONTROLLERS PROGRAM: migrations on a real API server.

The scheduler is real too; KubeVirt and the nodes are the lab's, as clients. A migration comes to
its end; another one is deleted on the way, and the guest stays where it was; an eviction is called
off; the API server is restarted in the middle. PROGRAM is asked what it thinks of each machine
before.
"""
import json
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "support"))
import assets  # noqa: E402
from real_apiserver import Failure, wait_until  # noqa: E402
from real_kubevirt import MIGRATIONS, real_kubevirt  # noqa: E402

MIGRATION = """
apiVersion: kubevirt.io/v1
kind: VirtualMachineInstanceMigration
metadata: {{name: {name}, namespace: {namespace}}}
spec: {{vmiName: {vmi}}}
"""


def migrate(cluster, vmi, name):
    """By kubectl."""
    metadata = vmi["metadata"]
    cluster.run_kubectl("create", "-f", "-", text=MIGRATION.format(
        name=name, namespace=metadata["namespace"], vmi=metadata["name"]))


def phase_of(item):
    return item and item.get("status", {}).get("phase")


def wait_for_phase(cluster, namespace, name, phase):
    return cluster.wait_for(namespace, MIGRATIONS, name,
                            lambda migration: phase_of(migration) == phase, phase)


def launchers(cluster, vmi):
    """{node: phase} of the instance's pods."""
    pods = cluster.api.must("GET", cluster.path(vmi["metadata"]["namespace"], "pods")
                            + f"?labelSelector=kubevirt.io/created-by={vmi['metadata']['uid']}")
    return {pod["spec"].get("nodeName"): phase_of(pod) for pod in pods["items"]}


def attached_to(cluster, vmi):
    claim = cluster.api.must("GET", "/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
                                    "-disk".format(**vmi["metadata"]))
    items = cluster.api.must("GET", "/apis/storage.k8s.io/v1/volumeattachments")["items"]
    return {item["spec"]["nodeName"] for item in items
            if item["spec"]["source"]["persistentVolumeName"] == claim["spec"]["volumeName"]}


def run_tool(cluster, *words):
    """virt-handoff, as admin; the caller looks at code and output."""
    return subprocess.run([sys.argv[2], *words], env=cluster.environment(), capture_output=True,
                          text=True, check=False)


def start(cluster, machine, **annotations):
    """The instance, running and fit to migrate."""
    vmi = cluster.start_machine(machine, **annotations)
    cluster.wait_for(vmi["metadata"]["namespace"], "virtualmachineinstances",
                     vmi["metadata"]["name"], is_migratable, "LiveMigratable")
    words = ["preflight", vmi["metadata"]["name"], "-n", vmi["metadata"]["namespace"]]
    run = run_tool(cluster, *words)
    expect(run.returncode, 0, f"{words}: {run.stdout}{run.stderr}")
    return vmi


def is_migratable(vmi):
    return any(condition["type"] == "LiveMigratable" and condition["status"] == "True"
               for condition in vmi["status"].get("conditions", []))


def expect(actual, expected, what):
    if actual != expected:
        raise Failure(f"{what}: {actual}, expected {expected}")


def succeeds(cluster):
    vmi = start(cluster, cluster.machines[0])
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    expect(attached_to(cluster, vmi), {source}, "where the disk is attached")
    migrate(cluster, vmi, "goes-well")
    migration = wait_for_phase(cluster, namespace, "goes-well", "Succeeded")
    after = cluster.wait_for(namespace, "virtualmachineinstances", name,
                             lambda seen: seen["status"]["nodeName"] != source, "moved")
    target = after["status"]["nodeName"]
    wait_until(lambda: launchers(cluster, vmi) == {source: "Succeeded", target: "Running"},
               "the old launcher's end")
    wait_until(lambda: attached_to(cluster, vmi) == {target}, "the old attachment's end")
    expect(after["status"]["migrationState"]["migrationUid"], migration["metadata"]["uid"],
           "the instance's last migration")
    phases = [entry["phase"] for entry in migration["status"]["phaseTransitionTimestamps"]]
    print(f"{name} went from {source} to {target}: {' '.join(phases)}")


def is_cancelled(cluster):
    # The guest's memory takes a minute to copy: time enough.
    vmi = start(cluster, cluster.machines[1], **{"sim/seconds": "60"})
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    migrate(cluster, vmi, "is-cancelled")
    wait_for_phase(cluster, namespace, "is-cancelled", "Running")
    reads_progress(cluster, vmi, source)
    status, reply = cluster.send_migration("second", name, namespace)
    expect((status, "in-flight migration detected" in reply["message"]), (400, True), reply)
    seen = follow_deletion(cluster, namespace, "is-cancelled")
    after = cluster.wait_for(namespace, "virtualmachineinstances", name,
                             lambda vmi: vmi["status"]["migrationState"].get("completed"), "ended")
    expect(after["status"]["nodeName"], source, "where the guest is")
    expect(after["status"]["migrationState"].get("abortStatus"), "Succeeded", "the abort")
    expect(seen[-1], "Failed", "the migration's last phase")
    wait_until(lambda: [node for node, phase in launchers(cluster, vmi).items()
                        if phase == "Running"] == [source], "the target launcher's end")
    print(f"{name} stays on {source}: {' '.join(seen)}")


def is_called_off(cluster):
    """An eviction asks for a migration; first the request is taken back, then the migration."""
    vmi = start(cluster, cluster.machines[2], **{"sim/seconds": "60"})
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    pod = launcher_on(cluster, vmi, source)
    status, reply = cluster.api.send("POST", cluster.path(namespace, "pods", pod) + "/eviction", {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}})
    expect(status, 429, reply)
    print(reply["message"])
    migration = cluster.wait_for_migration(namespace, name)["metadata"]["name"]
    wait_for_phase(cluster, namespace, migration, "Running")
    path = f"/apis/subresources.kubevirt.io/v1/namespaces/{namespace}/virtualmachineinstances"
    cluster.run_kubectl("replace", "--raw", f"{path}/{name}/evacuate/cancel", "-f", "-",
                        text=json.dumps({"evacuationNodeName": source}))
    cluster.wait_for(namespace, "virtualmachineinstances", name,
                     lambda vmi: not vmi["status"].get("evacuationNodeName"), "unmarked")
    seen = follow_deletion(cluster, namespace, migration)
    after = cluster.wait_for(namespace, "virtualmachineinstances", name,
                             lambda vmi: vmi["status"]["migrationState"].get("completed"), "ended")
    expect(after["status"]["nodeName"], source, "where the guest is")
    print(f"{name} stays on {source}: {' '.join(seen)}")


def outlives_a_restart(cluster):
    vmi = start(cluster, cluster.machines[3], **{"sim/seconds": "10"})
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    migrate(cluster, vmi, "is-interrupted")
    wait_for_phase(cluster, namespace, "is-interrupted", "Running")
    cluster.server.restart()
    wait_for_phase(cluster, namespace, "is-interrupted", "Succeeded")
    after = cluster.get(namespace, "virtualmachineinstances", name)
    expect(after["status"]["nodeName"] != source, True, "moved")
    print(f"{name} went from {source} to {after['status']['nodeName']}, past a restart")


def report_of(cluster, *words):
    """(exit code, the report's one item) of the program's migrate or cancel."""
    run = run_tool(cluster, *words, "-o", "json")
    report = json.loads(run.stdout)
    expect(report["exitCode"], run.returncode, run.stderr)
    expect(len(report["items"]), 1, report)
    return run.returncode, report["items"][0]


def is_migrated_by_the_tool(cluster):
    vmi = start(cluster, cluster.machines[4], **{"sim/seconds": "9"})
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    code, item = report_of(cluster, "migrate", name, "-n", namespace, "--timeout=3m")
    expect((code, item["result"], item["sourceNode"]), (0, "succeeded", source), item)
    expect(item["notes"], [], "what is left behind")
    after = cluster.get(namespace, "virtualmachineinstances", name)
    expect(item["runsOn"], after["status"]["nodeName"], "where it runs")
    expect(attached_to(cluster, vmi), {item["targetNode"]}, "where the disk is attached")
    if not item["bytes"]:
        raise Failure(f"no progress was read: {item}")
    there = item["runsOn"]
    code, item = report_of(cluster, "migrate", name, "-n", namespace, f"--to={there}")
    expect((code, item["result"]), (0, "nothingToDo"), item)
    code, item = report_of(cluster, "migrate", name, "-n", namespace, f"--to={source}",
                           "--timeout=3m")
    expect((code, item["result"], item["runsOn"]), (0, "succeeded", source), item)
    print(f"{name} went to {there} and back to {source}")


def is_cancelled_by_the_tool(cluster):
    """While it is copied, and where the source never begins to copy."""
    machines = {"Running": {"sim/seconds": "120"}, "TargetReady": {"sim/hold": "TargetReady"}}
    for machine, (phase, knobs) in zip(cluster.machines[5:7], machines.items()):
        vmi = start(cluster, machine, **knobs)
        source = vmi["status"]["nodeName"]
        namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
        run = run_tool(cluster, "migrate", name, "-n", namespace, "--wait=false", "-o", "name")
        expect(run.returncode, 0, run.stderr)
        migration = run.stdout.strip().rpartition("/")[2]
        wait_for_phase(cluster, namespace, migration, phase)
        code, item = report_of(cluster, "migrate", name, "-n", namespace)
        expect((code, item["vmim"]), (3, migration), item)
        code, item = report_of(cluster, "cancel", name, "-n", namespace)
        expect((code, item["result"], item["vmRunning"], item["runsOn"]),
               (0, "cancelled", True, source), item)
        print(f"{name} was cancelled in {phase}")


def is_called_off_by_the_tool(cluster):
    """The mark of an eviction first, then the migration that it made."""
    vmi = start(cluster, cluster.machines[7], **{"sim/seconds": "120"})
    source = vmi["status"]["nodeName"]
    namespace, name = vmi["metadata"]["namespace"], vmi["metadata"]["name"]
    pod = launcher_on(cluster, vmi, source)
    status, reply = cluster.api.send("POST", cluster.path(namespace, "pods", pod) + "/eviction", {
        "apiVersion": "policy/v1", "kind": "Eviction", "metadata": {"name": pod}})
    expect(status, 429, reply)
    migration = cluster.wait_for_migration(namespace, name)["metadata"]["name"]
    wait_for_phase(cluster, namespace, migration, "Running")
    code, item = report_of(cluster, "cancel", name, "-n", namespace)
    expect((code, item["result"], item["vmim"]), (0, "cancelled", migration), item)
    after = cluster.get(namespace, "virtualmachineinstances", name)
    expect(after["status"].get("evacuationNodeName", ""), "", "the mark")
    expect(after["status"]["nodeName"], source, "where the guest is")
    print(f"{name} is no longer evacuated, and {migration} was cancelled")


def launcher_on(cluster, vmi, node):
    """The name of the instance's pod there."""
    pods = cluster.api.must("GET", cluster.path(vmi["metadata"]["namespace"], "pods")
                            + f"?labelSelector=kubevirt.io/created-by={vmi['metadata']['uid']}")
    name, = [pod["metadata"]["name"] for pod in pods["items"]
             if pod["spec"].get("nodeName") == node]
    return name


def reads_progress(cluster, vmi, source):
    """The source launcher's log, through the API server and the node's kubelet."""
    pod = launcher_on(cluster, vmi, source)
    wait_until(lambda: "Migration info for" in cluster.run_kubectl(
        "logs", "-n", vmi["metadata"]["namespace"], pod, "-c", "compute"),
        "progress in the launcher's log")


def follow_deletion(cluster, namespace, name):
    """The phases that the migration goes through from now until it is gone."""
    before = cluster.get(namespace, MIGRATIONS, name)
    cluster.run_kubectl("delete", "--wait=false", "vmim", "-n", namespace, name)
    seen = [phase_of(before)]
    for migration in cluster.states_until_gone(before):
        if phase_of(migration) != seen[-1]:
            seen.append(phase_of(migration))
    return seen


def cases():
    """Each takes the cluster, prints what it saw, and raises Failure where that is wrong."""
    return [succeeds, is_cancelled, is_called_off, outlives_a_restart, is_migrated_by_the_tool,
            is_cancelled_by_the_tool, is_called_off_by_the_tool]


def judge(cluster):
    for case in cases():
        try:
            case(cluster)
        except Failure as problem:
            print(f"{case.__name__}: {problem}")
            print("\n".join(cluster.said))
            return 1
    # Whatever the lab writes, a real API server takes.
    refused = [line for line in cluster.said if line.startswith("refused ")]
    print("\n".join(refused), end="\n" * bool(refused))
    return 1 if refused else 0


def main():
    try:
        with real_kubevirt(sys.argv[1], nodes=3, machines=8) as cluster:
            return judge(cluster)
    except assets.Missing as reason:
        print(f"skipped: {reason}")
        return 77


sys.exit(main())
