#!/usr/bin/env python3
"""Finds the programs of a Kubernetes control plane that the tests run: assets.py NAME...

Prints one path a line. Each is looked for in the order of controller-runtime's envtest:
TEST_ASSET_<NAME> (kube-apiserver: TEST_ASSET_KUBE_APISERVER), then the folders $KUBEBUILDER_ASSETS
and /usr/local/kubebuilder/bin; then in the cache that tests/assets/build.sh fills, which is run
when something is still missing. A folder may hold some of them only, as envtest's downloads do.
Exit code 77, with the reason on standard output: not here, and cannot be built here.
"""
import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(__file__).resolve().parent.parent / "assets" / "build.sh"


class Missing(Exception):
    """Why the programs are not there; whoever needs them is skipped with these words."""


def build(*arguments):
    done = subprocess.run([BUILD, *arguments], stdout=subprocess.PIPE, text=True, check=False)
    said = done.stdout.strip()
    if done.returncode == 77:
        raise Missing(said.removeprefix("skipped: "))
    if done.returncode != 0:
        sys.exit(f"error: {BUILD} failed")
    return pathlib.Path(said)


def named_by_user(name):
    variable = "TEST_ASSET_" + name.upper().replace("-", "_")
    path = os.environ.get(variable)
    if path and not os.access(path, os.X_OK):
        sys.exit(f"error: {variable} names {path}, which is no program")
    return pathlib.Path(path) if path else None


def find(*names):
    """The paths of the programs, in the order asked for. Raises Missing."""
    folders = [os.environ.get("KUBEBUILDER_ASSETS"), "/usr/local/kubebuilder/bin", build("--where")]

    def present(name):
        candidates = [pathlib.Path(folder) / name for folder in folders if folder]
        return named_by_user(name) or next(filter(lambda path: os.access(path, os.X_OK),
                                                  candidates), None)

    if not all(present(name) for name in names):
        build()
    return [present(name) for name in names]


if __name__ == "__main__":
    try:
        print("\n".join(map(str, find(*sys.argv[1:]))))
    except Missing as reason:
        print(f"skipped: {reason}")
        sys.exit(77)
