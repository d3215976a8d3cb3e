#!/usr/bin/env python3
"""Where the control plane's programs are looked for, and what is said where they are not; and that
a start of servers clears no folder but its own."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

SUPPORT = Path(__file__).resolve().parent.parent / "support"
BUILD = SUPPORT.parent / "assets" / "build.sh"


def run(script, *arguments, **environment):
    return subprocess.run([sys.executable, "-B", SUPPORT / script, *arguments], text=True,
                          capture_output=True, check=False, env=environment)


def program(path):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("#!/bin/sh\n", encoding="utf-8")
    path.chmod(0o755)
    return str(path)


def look_up(folder):
    # No go on this PATH, so nothing is built.
    (folder / "tools").mkdir()
    for tool in ("bash", "dirname", "sed"):
        (folder / "tools" / tool).symlink_to(next(
            Path(place) / tool for place in os.environ["PATH"].split(":")
            if (Path(place) / tool).exists()))
    machine = {"PATH": str(folder / "tools"), "HOME": str(folder)}

    nothing = run("assets.py", "made-up", **machine)
    assert nothing.returncode == 77, nothing
    assert nothing.stdout.startswith("skipped: "), nothing
    assert "go is not installed" in nothing.stdout, nothing

    cache = subprocess.run([BUILD, "--where"], env=machine, stdout=subprocess.PIPE, text=True,
                           check=True).stdout.strip()
    assert cache.startswith(str(folder)), cache
    cached = program(Path(cache) / "made-up")
    assert run("assets.py", "made-up", **machine).stdout == f"{cached}\n"

    # A folder of the user comes first, for what it holds.
    machine["KUBEBUILDER_ASSETS"] = str(folder / "mine")
    mine = program(folder / "mine" / "other")
    assert run("assets.py", "made-up", "other", **machine).stdout == f"{cached}\n{mine}\n"

    named = program(folder / "named")
    machine["TEST_ASSET_MADE_UP"] = named
    assert run("assets.py", "made-up", **machine).stdout == f"{named}\n"

    machine["TEST_ASSET_MADE_UP"] = str(folder / "nowhere")
    wrong = run("assets.py", "made-up", **machine)
    assert wrong.returncode == 1 and "TEST_ASSET_MADE_UP" in wrong.stderr, wrong


def refuse(folder):
    kept = folder / "precious" / "file"
    kept.parent.mkdir()
    kept.touch()
    programs = {f"TEST_ASSET_{name}": program(folder / name) for name in ("ETCD", "KUBE_APISERVER")}
    start = run("real_apiserver.py", "start", str(kept.parent), **{**os.environ, **programs})
    assert start.returncode == 1 and "not from an earlier start" in start.stderr, start
    assert [*kept.parent.iterdir()] == [kept]


with tempfile.TemporaryDirectory() as temporary:
    look_up(Path(temporary))
    refuse(Path(temporary))
