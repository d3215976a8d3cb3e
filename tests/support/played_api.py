#!/usr/bin/env python3
"""Plays an API server on loopback for one command, so that a golden case can show a live session.

Usage: played_api.py [OPTIONS] OBJECTS.json -- COMMAND...
OBJECTS.json is a List. The command gets KUBECONFIG set to a server that answers get and list of
these objects, SelfSubjectAccessReviews, and creates with dryRun=All. Whatever else is asked is
answered as a real server would answer a path that it does not serve. Ends with the command's code.

--forbid RESOURCE   answer 403 for it (repeatable)
--absent RESOURCE   a kind that is not installed (repeatable)
--deny-create       the user may not create migrations
--count FILE        write how many requests were made, and in how many rounds of time order
--hang              accept every connection and never answer
--truncate          cut every reply in the middle
"""
import argparse
import datetime
import http.server
import json
import os
import subprocess
import sys
import tempfile
import threading
import urllib.parse

NAMESPACED = {"virtualmachines", "virtualmachineinstances", "virtualmachineinstancemigrations",
              "kubevirts", "pods", "persistentvolumeclaims", "resourcequotas", "datavolumes",
              "daemonsets", "networkpolicies", "network-attachment-definitions"}
SPECIAL_PLURALS = {"NetworkPolicy": "networkpolicies", "MigrationPolicy": "migrationpolicies",
                   "StorageClass": "storageclasses",
                   "NetworkAttachmentDefinition": "network-attachment-definitions"}


def plural(kind):
    return SPECIAL_PLURALS.get(kind, kind.lower() + "s")


def status(code, reason, message, name=None):
    reply = {"kind": "Status", "apiVersion": "v1", "metadata": {}, "status": "Failure",
             "message": message, "reason": reason, "code": code}
    if name:
        reply["details"] = {"name": name}
    return code, reply


def matches(labels, selector):
    if not selector:
        return True
    if " in (" in selector:
        key, values = selector.split(" in (")
        return labels.get(key.strip()) in values.rstrip(")").split(",")
    return all(labels.get(term.split("=")[0]) == term.split("=")[1]
               for term in selector.split(","))


class World:
    def __init__(self, objects, options):
        self.objects = objects
        self.options = options
        self.requests = []

    def refusal(self, verb, resource, group):
        name = f"{resource}.{group}" if group else resource
        if name in self.options.absent:
            return status(404, "NotFound", "the server could not find the requested resource")
        if name in self.options.forbid:
            scope = f'User "eve" cannot {verb} resource "{resource}" in API group "{group}"'
            return status(403, "Forbidden", f"{name} is forbidden: {scope} at the cluster scope")
        return None

    def get(self, path, query):
        parts = path.strip("/").split("/")
        group = "" if parts[0] == "api" else parts[1]
        rest = parts[2:] if parts[0] == "api" else parts[3:]
        ns = ""
        if len(rest) >= 3 and rest[0] == "namespaces":
            ns, rest = rest[1], rest[2:]
        resource, name = rest[0], rest[1] if len(rest) > 1 else ""
        refused = self.refusal("get" if name else "list", resource, group)
        if refused:
            return refused
        found = [item for item in self.objects
                 if plural(item["kind"]) == resource
                 and (item["apiVersion"].split("/")[0] if "/" in item["apiVersion"] else "") == group
                 and (not ns or item["metadata"].get("namespace", "") == ns)
                 and (not name or item["metadata"]["name"] == name)
                 and matches(item["metadata"].get("labels", {}), query.get("labelSelector", ""))]
        if name:
            if found:
                return 200, found[0]
            kind = f"{resource}.{group}" if group else resource
            return status(404, "NotFound", f'{kind} "{name}" not found', name)
        version = "/".join(parts[1:3]) if parts[0] == "apis" else "v1"
        kind = found[0]["kind"] if found else resource.capitalize()
        return 200, {"apiVersion": version, "kind": kind + "List",
                     "metadata": {"resourceVersion": "100"}, "items": found}

    def post(self, path, query, body):
        if path.endswith("/selfsubjectaccessreviews"):
            allowed = not self.options.deny_create
            return 201, dict(body, status={"allowed": allowed})
        if path.endswith("/virtualmachineinstancemigrations") and query.get("dryRun") == "All":
            return self.admit(body)
        return status(405, "MethodNotAllowed", "only dry runs are played")

    def admit(self, body):
        vmi = body["spec"]["vmiName"]
        for item in self.objects:
            if item["kind"] != "VirtualMachineInstance" or item["metadata"]["name"] != vmi:
                continue
            for condition in item["status"].get("conditions", []):
                if condition["type"] == "LiveMigratable" and condition["status"] == "False":
                    reason, message = condition["reason"], condition["message"]
                    return status(400, "BadRequest",
                                  'admission webhook "migration-create-validator.kubevirt.io" '
                                  "denied the request: Cannot migrate VMI, Reason: "
                                  f"{reason}, Message: {message}")
        return 201, dict(body, metadata=dict(body["metadata"], name="virt-handoff-dry"))


def make_handler(world):
    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_):
            pass

        def answer(self, method):
            url = urllib.parse.urlsplit(self.path)
            query = dict(urllib.parse.parse_qsl(url.query))
            world.requests.append(f"{method} {url.path}")
            if world.options.hang:
                world.hung.wait()
                return
            length = int(self.headers.get("Content-Length") or 0)
            body = json.loads(self.rfile.read(length)) if length else None
            code, reply = (world.get(url.path, query) if method == "GET"
                           else world.post(url.path, query, body))
            text = json.dumps(reply).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            if world.options.truncate:
                self.wfile.write(text[: len(text) // 2])
                self.close_connection = True
                return
            self.wfile.write(text)

        def do_GET(self):
            self.answer("GET")

        def do_POST(self):
            self.answer("POST")

    return Handler


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # a client connects many times at once


def with_heartbeats(objects):
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    for item in objects:
        if item["kind"] == "Node":
            item["metadata"].setdefault("annotations", {})["kubevirt.io/heartbeat"] = now
    return objects


def kubeconfig(port):
    return json.dumps({
        "apiVersion": "v1", "kind": "Config", "current-context": "played",
        "clusters": [{"name": "played", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "eve", "user": {}}],
        "contexts": [{"name": "played", "context": {"cluster": "played", "user": "eve",
                                                    "namespace": "prod"}}]})


def parse_arguments():
    parser = argparse.ArgumentParser()
    parser.add_argument("--forbid", action="append", default=[])
    parser.add_argument("--absent", action="append", default=[])
    parser.add_argument("--deny-create", action="store_true")
    parser.add_argument("--count")
    parser.add_argument("--hang", action="store_true")
    parser.add_argument("--truncate", action="store_true")
    parser.add_argument("objects")
    split = sys.argv.index("--")
    return parser.parse_args(sys.argv[1:split]), sys.argv[split + 1:]


def main():
    options, command = parse_arguments()
    with open(options.objects, encoding="utf-8") as file:
        world = World(with_heartbeats(json.load(file)["items"]), options)
    world.hung = threading.Event()
    server = Server(("127.0.0.1", 0), make_handler(world))
    port = server.server_address[1]
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with tempfile.NamedTemporaryFile("w", suffix=".json") as config:
        config.write(kubeconfig(port))
        config.flush()
        run = subprocess.run(command, env=dict(os.environ, KUBECONFIG=config.name),
                             capture_output=True, check=False)
    world.hung.set()
    server.shutdown()
    for stream, text in ((sys.stdout, run.stdout), (sys.stderr, run.stderr)):
        stream.buffer.write(text.replace(f"127.0.0.1:{port}".encode(), b"127.0.0.1:PORT"))
    if options.count:
        with open(options.count, "w", encoding="utf-8") as file:
            file.write("".join(line + "\n" for line in sorted(world.requests)))
    return run.returncode


if __name__ == "__main__":
    sys.exit(main())
