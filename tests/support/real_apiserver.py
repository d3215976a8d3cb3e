#!/usr/bin/env python3
"""Runs a real etcd and kube-apiserver on loopback, with KubeVirt's kinds, for tests.

  real_apiserver.py start FOLDER [OPTIONS]
  real_apiserver.py stop FOLDER      ends everything; the logs stay in FOLDER
  real_apiserver.py restart FOLDER   kills the API server only, and starts it on the same port
  real_apiserver.py compact FOLDER   the history is forgotten: see "Old versions"

--scheduler                       the real kube-scheduler as well
--controller-manager=NAME,NAME    and these of kube-controller-manager's controllers
--until-parent-ends               stop by itself when the process that called us ends

FOLDER gets NAME.kubeconfig for the users below, the logs, and state.json. `start` replaces what an
earlier one left there, refuses any other folder with files in it, and returns when everything that
was asked for is ready. Where the programs are missing it writes the reason to FOLDER/skipped and to
standard output, and ends with code 77.

Users: admin (everything, by client certificate), viewer (may read KubeVirt's and the usual kinds,
changes nothing) and nobody (no rights but those of everyone), by token. TLS and RBAC are on.

What a bare API server lacks: no controller runs unless named, so nobody writes status, owner
references do not cascade and namespaces never finish terminating (namespace-controller,
garbage-collector-controller do that). Endpoints and pod proxies refuse loopback addresses, so a
webhook is registered by URL, and an aggregated API goes through a Service of type ExternalName.

Old versions: reads are answered from the API server's watch cache, which survives a compaction of
etcd, so it is the restart inside `compact` that makes the server forget. Afterwards
- a list with a continue token, or with resourceVersionMatch=Exact, of an earlier version: 410;
- a watch from an earlier version: 200, and one ERROR event that holds the Status with code 410
  (so does one after `restart` alone; only lists then still find their version in etcd);
- anything, for a second or so: 429 "storage is (re)initializing" with Retry-After, perhaps; both
  verbs return when that is over.
Bookmarks come a minute after the watch began, whatever its timeout; or at once after the objects
that are there, when asked with sendInitialEvents=true and resourceVersionMatch=NotOlderThan.
(Seen on 1.36.3.)
"""
import argparse
import base64
import http.client
import json
import os
import pathlib
import select
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time

import assets
from certificates import Authority

PROJECT = pathlib.Path(__file__).resolve().parent.parent.parent
# The definitions of kinds that the lab serves; where KubeVirt's own lie beside the project, those.
KINDS = [PROJECT / "lab" / "crds", PROJECT.parent / "shared" / "data" / "crds"]
DEFINITIONS = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
READY_WITHIN = 120  # seconds; four on an idle machine

# Everyone who is known by a token. For the components RBAC brings roles along.
TOKENS = ["viewer", "nobody", "system:kube-scheduler", "system:kube-controller-manager"]
READABLE = {"": ["configmaps", "events", "limitranges", "namespaces", "nodes",
                 "persistentvolumeclaims", "persistentvolumes", "pods", "pods/log",
                 "resourcequotas", "services"],
            "apps": ["*"], "batch": ["*"], "coordination.k8s.io": ["*"],
            "events.k8s.io": ["*"], "networking.k8s.io": ["*"], "policy": ["*"],
            "storage.k8s.io": ["*"], "kubevirt.io": ["*"], "migrations.kubevirt.io": ["*"],
            "cdi.kubevirt.io": ["*"], "k8s.cni.cncf.io": ["*"],
            "apiextensions.k8s.io": ["customresourcedefinitions"]}


class Failure(Exception):
    """Something did not start, or was refused; the message says what."""


class Client:
    """JSON over HTTP to one server on 127.0.0.1; a connection each time, so restarts are fine."""

    def __init__(self, port, context=None):
        self.port = port
        self.context = context

    def send(self, method, path, body=None, content_type="application/json", timeout=30):
        """(status, reply); `body` is text, or a value to be sent as JSON."""
        if self.context:
            connection = http.client.HTTPSConnection("127.0.0.1", self.port, timeout=timeout,
                                                     context=self.context)
        else:
            connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=timeout)
        try:
            text = body if isinstance(body, (str, type(None))) else json.dumps(body)
            connection.request(method, path, text and text.encode(),
                               {"Content-Type": content_type, "Accept": "application/json"})
            reply = connection.getresponse()
            content = reply.read()
        finally:
            connection.close()
        is_json = reply.headers.get_content_type() == "application/json"
        return reply.status, json.loads(content) if is_json else content.decode()

    def is_ok(self, path):
        try:
            return self.send("GET", path, timeout=5)[0] == 200
        except (OSError, http.client.HTTPException):
            return False

    def must(self, method, path, body=None, content_type="application/json"):
        """The reply; a refusal is a Failure, and so is a server that is not there."""
        try:
            status, reply = self.send(method, path, body, content_type)
        except (OSError, http.client.HTTPException) as problem:
            raise Failure(f"{method} {path}: {problem}") from problem
        if status >= 300:
            said = reply.get("message", reply) if isinstance(reply, dict) else reply
            raise Failure(f"{method} {path}: {status}: {said}")
        return reply


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def wait_until(condition, what, seconds=READY_WITHIN, pause=0.05):
    """Asks again until `condition` is true. There is nobody to tell us, so we poll."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise Failure(f"{what} did not happen within {seconds} seconds")
        time.sleep(pause)


class ControlPlane:
    """One etcd and API server, and perhaps more, whose files are in `folder`."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder).resolve()
        self.state = {"session": "", "ports": {}, "pids": {}, "commands": {}}
        if self.state_file.exists():
            self.state = json.loads(self.state_file.read_text(encoding="utf-8"))

    @property
    def state_file(self):
        return self.folder / "state.json"

    @property
    def certificates(self):
        return self.folder / "certificates"

    def kubeconfig(self, user):
        return self.folder / f"{user.removeprefix('system:')}.kubeconfig"

    def client(self):
        """As admin."""
        context = ssl.create_default_context(cafile=self.certificates / "ca.crt")
        context.load_cert_chain(self.certificates / "admin.crt", self.certificates / "admin.key")
        return Client(self.state["ports"]["kube-apiserver"], context)

    # ---- processes

    def spawn(self, name):
        # Not the user's environment: it may configure etcd, or name a proxy.
        environment = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(self.folder)}
        with open(self.folder / f"{name}.log", "ab") as log:
            process = subprocess.Popen(self.state["commands"][name], stdin=subprocess.DEVNULL,
                                       stdout=log, stderr=log, cwd=self.folder, env=environment,
                                       start_new_session=True)
        self.state["pids"][name] = process.pid
        self.save()
        return process

    def save(self):
        unfinished = self.state_file.with_suffix(".unfinished")
        unfinished.write_text(json.dumps(self.state, indent=2) + "\n", encoding="utf-8")
        unfinished.replace(self.state_file)

    def end(self, name):
        """Kills the process and waits for it; only if the id is still that of our process."""
        pid = self.state["pids"].pop(name, None)
        if pid is None:
            return
        try:
            handle = os.pidfd_open(pid)
        except ProcessLookupError:
            return
        try:
            command = pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")
            if command[:-1] != self.state["commands"][name]:
                return
            signal.pidfd_send_signal(handle, signal.SIGKILL)
            select.select([handle], [], [])
        finally:
            os.close(handle)

    def log_end(self, name):
        lines = (self.folder / f"{name}.log").read_text(encoding="utf-8", errors="replace")
        return "\n".join(lines.splitlines()[-15:])

    def start_process(self, name, client, health):
        """Returns when a GET of `health` says 200."""
        process = self.spawn(name)

        def is_ready():
            if process.poll() is not None:
                raise Failure(f"{name} ended with code {process.returncode}; the end of its log:\n"
                              + self.log_end(name))
            return client.is_ok(health)
        wait_until(is_ready, f"readiness of {name}")

    # ---- start

    def start(self, with_scheduler=False, controllers=""):
        if not hasattr(os, "pidfd_open") or not shutil.which("openssl"):
            raise assets.Missing("the real API server needs Linux and the openssl command")
        programs = ["etcd", "kube-apiserver"] + ["kube-scheduler"] * with_scheduler
        programs += ["kube-controller-manager"] * bool(controllers)
        found = dict(zip(programs, assets.find(*programs)))
        self.stop()
        self.make_folder()
        self.state["session"] = os.urandom(8).hex()
        self.make_certificates()
        try:
            self.start_storage_and_api(found)
            self.apply_kinds()
            self.apply_rights()
            if with_scheduler:
                # Tests ask more often than a cluster does.
                self.start_component(found, "kube-scheduler", "--kube-api-qps=1000",
                                     "--kube-api-burst=1000")
            if controllers:
                # Each controller has the rights of its own role only.
                self.start_component(found, "kube-controller-manager",
                                     f"--controllers={controllers}",
                                     "--use-service-account-credentials")
        except BaseException:
            self.stop()
            raise

    def make_folder(self):
        ours = self.state_file.exists() or (self.folder / "skipped").exists()
        if self.folder.exists() and any(self.folder.iterdir()) and not ours:
            raise Failure(f"{self.folder} holds files that are not from an earlier start")
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True, mode=0o700)

    def make_certificates(self):
        authority = Authority(self.certificates)
        authority.make("server", "/CN=kube-apiserver", "server")
        authority.make("admin", "/O=system:masters/CN=admin", "client")
        authority.make("front-proxy", "/CN=front-proxy", "client")
        authority.make("service-account", "/CN=service-account", "client")
        rows = [f"{name}-token,{name},{name}" for name in TOKENS]
        (self.certificates / "tokens.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")

    def start_storage_and_api(self, found):
        # A free port may be taken by somebody else before its server listens on it.
        for attempt in (1, 2, 3):
            self.state["ports"] = {"etcd": free_port(), "kube-apiserver": free_port()}
            self.state["commands"] = {
                "etcd": [str(found["etcd"]), *self.etcd_flags()],
                "kube-apiserver": [str(found["kube-apiserver"]), *self.api_flags()]}
            try:
                self.start_etcd()
                self.start_api()
            except Failure as problem:
                self.stop()
                if attempt == 3 or "address already in use" not in str(problem):
                    raise
            else:
                break
        self.write_kubeconfigs()

    def etcd_flags(self):
        url = f"http://127.0.0.1:{self.state['ports']['etcd']}"
        return [f"--data-dir={self.folder / 'etcd'}", f"--listen-client-urls={url}",
                f"--advertise-client-urls={url}", "--listen-peer-urls=http://127.0.0.1:0",
                "--unsafe-no-fsync", "--log-level=warn"]

    def api_flags(self):
        files = self.certificates
        return [
            f"--etcd-servers=http://127.0.0.1:{self.state['ports']['etcd']}",
            "--bind-address=127.0.0.1", "--advertise-address=127.0.0.1",
            f"--secure-port={self.state['ports']['kube-apiserver']}",
            # It would publish the loopback address, which the API refuses.
            "--endpoint-reconciler-type=none",
            f"--tls-cert-file={files / 'server.crt'}",
            f"--tls-private-key-file={files / 'server.key'}",
            f"--client-ca-file={files / 'ca.crt'}", f"--token-auth-file={files / 'tokens.csv'}",
            # One authority signs for clients and for the proxy: then the proxy has to be named.
            f"--requestheader-client-ca-file={files / 'ca.crt'}",
            "--requestheader-allowed-names=front-proxy",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--proxy-client-cert-file={files / 'front-proxy.crt'}",
            f"--proxy-client-key-file={files / 'front-proxy.key'}",
            "--authorization-mode=RBAC", "--allow-privileged",
            # Pods are created without the controller that makes service accounts.
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.0.0.0/24",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={files / 'service-account.crt'}",
            f"--service-account-signing-key-file={files / 'service-account.key'}"]

    def start_etcd(self):
        self.start_process("etcd", Client(self.state["ports"]["etcd"]), "/health")

    def start_api(self):
        self.start_process("kube-apiserver", self.client(), "/readyz")

    def start_component(self, found, name, *flags):
        """They serve their health on a port of their own, with TLS of their own making."""
        port = free_port()
        config = self.kubeconfig(f"system:{name}")
        self.state["ports"][name] = port
        self.state["commands"][name] = [
            str(found[name]), f"--kubeconfig={config}", f"--authentication-kubeconfig={config}",
            f"--authorization-kubeconfig={config}", "--leader-elect=false",
            "--bind-address=127.0.0.1", f"--secure-port={port}", *flags]
        unverified = ssl.create_default_context()
        unverified.check_hostname = False
        unverified.verify_mode = ssl.CERT_NONE
        self.start_process(name, Client(port, unverified), "/healthz")

    def write_kubeconfigs(self):
        def encoded(name):
            return base64.b64encode((self.certificates / name).read_bytes()).decode()

        users = {name: {"token": f"{name}-token"} for name in TOKENS}
        users["admin"] = {"client-certificate-data": encoded("admin.crt"),
                          "client-key-data": encoded("admin.key")}
        server = f"https://127.0.0.1:{self.state['ports']['kube-apiserver']}"
        cluster = {"server": server, "certificate-authority-data": encoded("ca.crt")}
        for name, credentials in users.items():
            config = {"apiVersion": "v1", "kind": "Config", "current-context": "test",
                      "clusters": [{"name": "test", "cluster": cluster}],
                      "users": [{"name": name, "user": credentials}],
                      "contexts": [{"name": "test",
                                    "context": {"cluster": "test", "user": name}}]}
            self.kubeconfig(name).write_text(json.dumps(config, indent=2) + "\n", encoding="utf-8")

    def apply_kinds(self):
        """YAML is JSON's superset to the API server too: each document is sent as it stands."""
        files = {file.name: file for folder in KINDS for file in folder.glob("*.yaml")}
        api = self.client()
        for _, file in sorted(files.items()):
            for document in file.read_text(encoding="utf-8").split("\n---\n"):
                if "kind: CustomResourceDefinition" in document:
                    api.must("POST", DEFINITIONS, document, "application/yaml")
        self.wait_for_kinds()

    def wait_for_kinds(self):
        definitions = self.client().must("GET", DEFINITIONS)["items"]
        wait_until(lambda: all(map(self.is_served, definitions)), "serving of KubeVirt's kinds")

    def is_served(self, definition):
        spec = definition["spec"]
        return all(self.client().is_ok(f"/apis/{spec['group']}/{version['name']}/"
                                       f"{spec['names']['plural']}?limit=1")
                   for version in spec["versions"] if version["served"])

    def apply_rights(self):
        api = self.client()
        rbac = "/apis/rbac.authorization.k8s.io/v1"
        rules = [{"apiGroups": [group], "resources": resources, "verbs": ["get", "list", "watch"]}
                 for group, resources in READABLE.items()]
        api.must("POST", f"{rbac}/clusterroles",
                 {"metadata": {"name": "virt-handoff-viewer"}, "rules": rules})
        api.must("POST", f"{rbac}/clusterrolebindings", {
            "metadata": {"name": "virt-handoff-viewer"},
            "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole",
                        "name": "virt-handoff-viewer"},
            "subjects": [{"apiGroup": "rbac.authorization.k8s.io", "kind": "User",
                          "name": "viewer"}]})

    # ---- later

    def stop(self):
        """What is killed here keeps nothing that anybody wants."""
        for name in reversed(list(self.state["pids"])):
            self.end(name)
        if self.state_file.exists():
            self.save()

    def restart(self):
        # A crash: to clients the harder case, and there is no telling how long others take to end.
        self.end("kube-apiserver")
        self.start_api()
        self.wait_for_kinds()

    def compact(self):
        etcd = Client(self.state["ports"]["etcd"])
        key = base64.b64encode(b"/").decode()
        now = etcd.must("POST", "/v3/kv/range", {"key": key, "limit": 1})["header"]["revision"]
        etcd.must("POST", "/v3/kv/compaction", {"revision": now, "physical": True})
        self.restart()


def stop_with_parent(folder):
    """Leaves a process behind that stops the servers once whoever called us has ended."""
    parent = os.pidfd_open(os.getppid())
    session = ControlPlane(folder).state["session"]
    if os.fork() != 0:
        return
    os.setsid()
    for stream in (0, 1, 2):
        os.dup2(os.open(os.devnull, os.O_RDWR), stream)
    select.select([parent], [], [])
    server = ControlPlane(folder)
    if server.state["session"] == session:
        server.stop()


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("verb", choices=["start", "stop", "restart", "compact"])
    parser.add_argument("folder")
    parser.add_argument("--scheduler", action="store_true")
    parser.add_argument("--controller-manager", default="", metavar="NAME,NAME")
    parser.add_argument("--until-parent-ends", action="store_true")
    options = parser.parse_args()
    server = ControlPlane(options.folder)
    try:
        if options.verb != "start":
            if options.verb != "stop" and not server.state["pids"]:
                raise Failure(f"no servers run for {server.folder}")
            getattr(server, options.verb)()
            return 0
        server.start(options.scheduler, options.controller_manager)
    except assets.Missing as reason:
        server.folder.mkdir(parents=True, exist_ok=True)
        (server.folder / "skipped").write_text(f"{reason}\n", encoding="utf-8")
        print(f"skipped: {reason}")
        return 77
    except Failure as problem:
        sys.exit(f"error: {problem}")
    if options.until_parent_ends:
        stop_with_parent(options.folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
