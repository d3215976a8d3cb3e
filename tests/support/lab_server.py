#!/usr/bin/env python3
"""Runs `virt-handoff lab` as a server for the contract suite.

  lab_server.py start FOLDER PROGRAM [ARGS...]   ends by itself when the process that called us ends
  lab_server.py stop FOLDER
  lab_server.py restart FOLDER                   every connection ends; the objects stay
  lab_server.py compact FOLDER                   the history is forgotten

FOLDER gets NAME.kubeconfig for admin, viewer and nobody, and the lab's words in lab.log.
"""
import http.client
import os
import pathlib
import re
import signal
import ssl
import subprocess
import sys
import time

USERS = {"admin": "lab", "viewer": "lab-viewer", "operator": "lab-operator", "nobody": "lab-nobody"}
READY_WITHIN = 60  # seconds


def ended(pid):
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def write_kubeconfigs(folder):
    text = (folder / "kubeconfig").read_text(encoding="utf-8")
    for user, context in USERS.items():
        own = re.sub(r"^current-context: .*$", f"current-context: {context}", text, flags=re.M)
        (folder / f"{user}.kubeconfig").write_text(own, encoding="utf-8")


def start(folder, program, *arguments):
    folder.mkdir(parents=True, exist_ok=True)
    stop(folder)
    for left in folder.glob("*kubeconfig"):
        left.unlink()
    log = (folder / "lab.log").open("w", encoding="utf-8")
    command = [program, "lab", f"--kubeconfig-out={folder / 'kubeconfig'}", *arguments]
    lab = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                           start_new_session=True)
    (folder / "pid").write_text(str(lab.pid), encoding="utf-8")
    deadline = time.monotonic() + READY_WITHIN
    while "auth can-i" not in (folder / "lab.log").read_text(encoding="utf-8"):
        if lab.poll() is not None or time.monotonic() > deadline:
            sys.exit("error: the lab did not start: " +
                     (folder / "lab.log").read_text(encoding="utf-8"))
        time.sleep(0.02)
    write_kubeconfigs(folder)
    # ctest may be interrupted before it comes to the stop.
    watcher = (f"while kill -0 {os.getppid()} 2>/dev/null && kill -0 {lab.pid} 2>/dev/null;"
               f" do sleep 1; done; kill {lab.pid} 2>/dev/null")
    subprocess.Popen(["sh", "-c", watcher], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                     stderr=subprocess.DEVNULL, start_new_session=True)


def stop(folder):
    path = folder / "pid"
    if not path.exists():
        return
    pid = int(path.read_text(encoding="utf-8"))
    path.unlink()
    try:
        if b"lab" not in pathlib.Path(f"/proc/{pid}/cmdline").read_bytes():
            return  # somebody else's by now
        os.kill(pid, signal.SIGTERM)
    except (ProcessLookupError, FileNotFoundError):
        return
    while not ended(pid):
        time.sleep(0.02)


def control(folder, word):
    text = (folder / "admin.kubeconfig").read_text(encoding="utf-8")
    port = int(re.search(r"https://127\.0\.0\.1:(\d+)", text)[1])
    token = re.search(r"token: \"?(\w+)", text)[1]
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    connection = http.client.HTTPSConnection("127.0.0.1", port, timeout=30, context=context)
    connection.request("POST", f"/lab/{word}", headers={"Authorization": f"Bearer {token}"})
    try:
        status = connection.getresponse().status
    except (http.client.HTTPException, OSError):
        status = 200 if word == "restart" else 0  # it ends this connection too
    if status != 200:
        sys.exit(f"error: POST /lab/{word}: {status}")


def main():
    word, folder, *rest = sys.argv[1:]
    folder = pathlib.Path(folder).resolve()
    if word == "start":
        start(folder, *rest)
    elif word == "stop":
        stop(folder)
    else:
        control(folder, word)


main()
