"""The objects of examples/ in a real API server, for as long as a `with` lasts."""
import contextlib
import datetime
import json
import os
import pathlib
import subprocess
import tempfile

import assets
from cluster_objects import Loader
from real_apiserver import ControlPlane

EXAMPLES = pathlib.Path(__file__).resolve().parent.parent.parent / "examples"


class ExampleCluster:
    def __init__(self, server, kubectl):
        self.server, self.kubectl = server, kubectl
        self.objects = list(self.read())
        # virt-handler is taken to be alive.
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        for item in self.objects:
            if item["kind"] == "Node":
                item["metadata"].setdefault("annotations", {})["kubevirt.io/heartbeat"] = now
        Loader(server.client()).load(self.objects)

    def environment(self, user="admin"):
        return dict(os.environ, KUBECONFIG=str(self.server.kubeconfig(user)),
                    HOME=str(self.server.folder))

    def run_kubectl(self, *arguments):
        return subprocess.run([self.kubectl, *arguments], env=self.environment(), check=True,
                              stdout=subprocess.PIPE, text=True).stdout

    def read(self):
        """kubectl turns the YAML into JSON, one document after the other; nothing is sent."""
        text = self.run_kubectl("create", "--dry-run=client", "--validate=false", "-o", "json",
                                "-f", str(EXAMPLES))
        decoder = json.JSONDecoder()
        while text := text.lstrip():
            item, end = decoder.raw_decode(text)
            yield from item["items"] if item["kind"] == "List" else [item]
            text = text[end:]


@contextlib.contextmanager
def example_cluster():
    """Raises assets.Missing where it cannot run."""
    with tempfile.TemporaryDirectory() as folder:
        kubectl, = assets.find("kubectl")
        server = ControlPlane(f"{folder}/control-plane")
        server.start()
        try:
            yield ExampleCluster(server, kubectl)
        finally:
            server.stop()
