#!/usr/bin/env python3
"""The program itself on a running lab, as a user would: migrate_test.py PROGRAM."""
import fcntl
import http.client
import json
import os
import pathlib
import pty
import re
import signal
import ssl
import struct
import subprocess
import sys
import termios
import time
import unittest
import urllib.error
import urllib.request

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from running_lab import Lab  # noqa: E402

PROGRAM = sys.argv.pop(1)
LIMIT = 120  # seconds; only what hangs takes so long


class OnLab(unittest.TestCase):
    maxDiff = None

    def lab(self, *arguments):
        return self.enterContext(Lab(PROGRAM, *arguments))

    def command(self, lab, *arguments):
        return [PROGRAM, "--kubeconfig", str(lab.kubeconfig), *arguments]

    def run_tool(self, lab, *arguments):
        return subprocess.run(self.command(lab, *arguments), env=lab.environment, text=True,
                              capture_output=True, timeout=LIMIT, check=False)

    def start(self, lab, *arguments):
        return subprocess.Popen(self.command(lab, *arguments), env=lab.environment, text=True,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def report(self, lab, *arguments):
        done = self.run_tool(lab, *arguments, "-o", "json")
        report = json.loads(done.stdout)
        self.assertEqual(report["kind"], "MigrationReport")
        self.assertEqual(report["exitCode"], done.returncode, done.stderr)
        return report

    def line_with(self, process, words):
        for line in iter(process.stdout.readline, ""):
            if words in line:
                return line
        self.fail(f"it ended without {words!r}: {process.communicate()}")


class Healthy(OnLab):
    def test_a_success_in_one_document(self):
        report = self.report(self.lab("healthy", "--vms=3", "--speed=10x"), "migrate", "vm-1")
        item = report["items"][0]
        self.assertEqual((report["exitCode"], item["result"], item["phase"]),
                         (0, "succeeded", "Succeeded"))
        self.assertEqual((item["vmRunning"], item["sourceNode"]), (True, "node-1"))
        self.assertEqual(item["runsOn"], item["targetNode"])
        self.assertNotEqual(item["targetNode"], "node-1")
        self.assertIsNone(item["next"])
        self.assertRegex(item["vmim"], r"^handoff-vm-1-[a-z0-9]{8}$")

    def test_events_one_a_line(self):
        lab = self.lab("healthy", "--vms=3", "--speed=10x")
        done = self.run_tool(lab, "migrate", "vm-1", "-o", "jsonl")
        events = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual({event["kind"] for event in events}, {"MigrationEvent"})
        phases = [event["phase"] for event in events if event["type"] == "phase"]
        order = ["Pending", "Scheduling", "Scheduled", "PreparingTarget", "TargetReady", "Running",
                 "Succeeded"]
        self.assertEqual([each for each in phases if each], order)
        self.assertEqual(events[-1]["outcome"]["result"], "succeeded")

    def test_to_a_node_and_there_already(self):
        lab = self.lab("healthy", "--vms=3", "--speed=10x")
        item = self.report(lab, "migrate", "vm-1", "--to=node-3")["items"][0]
        self.assertEqual((item["result"], item["runsOn"]), ("succeeded", "node-3"))
        item = self.report(lab, "migrate", "vm-1", "--to=node-3")["items"][0]
        self.assertEqual(item["result"], "nothingToDo")

    def test_a_batch_in_turn(self):
        lab = self.lab("healthy", "--vms=6", "--speed=20x")
        report = self.report(lab, "migrate", "-A", "--max-parallel=2")
        self.assertEqual([item["result"] for item in report["items"]], ["succeeded"] * 6)

    def test_dry_runs_keep_nothing(self):
        lab = self.lab("healthy", "--vms=3")
        for how in ("client", "server"):
            done = self.run_tool(lab, "migrate", "vm-1", f"--dry-run={how}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn("dry run", done.stdout)
        self.assertEqual(self.report(lab, "cancel", "vm-1")["items"][0]["result"], "nothingToDo")

    def test_without_rights_nothing_is_begun(self):
        lab = self.lab("healthy", "--vms=3")
        report = self.report(lab, "--context=lab-viewer", "migrate", "vm-1")
        self.assertEqual(report["exitCode"], 3)
        self.assertIn("forbidden", json.dumps(report))

    def test_a_restart_of_the_api_server_is_lived_through(self):
        lab = self.lab("slow-network", "--vms=3", "--speed=10x")
        follower = self.start(lab, "migrate", "vm-2", "-o", "jsonl")
        self.line_with(follower, '"phase":"Running"')
        self.post(lab, "/lab/restart")
        out, err = follower.communicate(timeout=LIMIT)
        self.assertEqual(follower.returncode, 0, err)
        self.assertIn('"result":"succeeded"', out)

    def post(self, lab, path):
        """POST as who the kubeconfig names first."""
        config = lab.kubeconfig.read_text(encoding="utf-8")
        server, token = (re.search(rf"{name}: \"?([^\s\"]+)", config)[1]
                         for name in ("server", "token"))
        request = urllib.request.Request(server + path, method="POST",
                                         headers={"Authorization": f"Bearer {token}"})
        try:
            # Loopback, and nothing is told there.
            urllib.request.urlopen(request, context=ssl._create_unverified_context(), timeout=30)
        except urllib.error.HTTPError:
            raise
        except (OSError, http.client.HTTPException):
            pass  # the restart ends this connection, too


class Endless(OnLab):
    """slow-network: vm-1 is being migrated and does not converge."""

    def test_a_second_one_is_refused_with_the_way_to_join(self):
        item = self.report(self.lab("slow-network", "--vms=3"), "migrate", "vm-1")["items"][0]
        self.assertEqual(item["result"], "blocked")
        self.assertIn("migrate-vm-1 is already under way, Running", item["cause"])
        self.assertIn("--join", item["next"])

    def test_a_time_limit_leaves_the_work_to_the_server(self):
        lab = self.lab("slow-network", "--vms=3")
        report = self.report(lab, "migrate", "vm-1", "--join", "--timeout=1s")
        self.assertEqual((report["exitCode"], report["items"][0]["result"]), (5, "timedOut"))
        self.assertEqual(report["items"][0]["phase"], "Running")

    def test_a_time_limit_may_cancel(self):
        lab = self.lab("slow-network", "--vms=3", "--speed=10x")
        report = self.report(lab, "migrate", "vm-1", "--join", "--timeout=1s",
                             "--cancel-on-timeout")
        item = report["items"][0]
        self.assertEqual((report["exitCode"], item["result"]), (6, "cancelled"))
        self.assertEqual((item["vmRunning"], item["runsOn"]), (True, "node-1"))

    def test_cancel_ends_it_and_the_guest_stays(self):
        lab = self.lab("slow-network", "--vms=3", "--speed=10x")
        report = self.report(lab, "cancel", "vm-1")
        item = report["items"][0]
        self.assertEqual((report["exitCode"], item["result"]), (0, "cancelled"))
        self.assertEqual((item["vmRunning"], item["runsOn"]), (True, "node-1"))
        self.assertEqual(self.report(lab, "cancel", "vm-1")["items"][0]["result"], "nothingToDo")

    def test_signals_detach(self):
        for number, code in ((signal.SIGINT, 130), (signal.SIGTERM, 143)):
            with self.subTest(number):
                lab = self.lab("slow-network", "--vms=3")
                follower = self.start(lab, "migrate", "vm-1", "--join")
                self.line_with(follower, "Running")
                follower.send_signal(number)
                out, err = follower.communicate(timeout=LIMIT)
                self.assertEqual(follower.returncode, code, err)
                self.assertIn("migrate vm-1 -n prod --join", out)
                self.assertIn("cancel vm-1 -n prod", out)
                item = self.report(lab, "migrate", "vm-1", "--join", "--timeout=1s")["items"][0]
                self.assertEqual(item["phase"], "Running")

    def test_an_interruption_may_cancel(self):
        lab = self.lab("slow-network", "--vms=3", "--speed=10x")
        follower = self.start(lab, "migrate", "vm-1", "--join", "--cancel-on-interrupt")
        self.line_with(follower, "Running")
        follower.send_signal(signal.SIGINT)
        out, err = follower.communicate(timeout=LIMIT)
        self.assertEqual(follower.returncode, 130, err)
        self.assertIn("cancelled", out)
        self.assertEqual(self.report(lab, "cancel", "vm-1")["items"][0]["result"], "nothingToDo")

    def test_who_reads_no_further_ends_it_quietly(self):
        lab = self.lab("healthy", "--vms=3", "--speed=10x")
        line = " ".join(self.command(lab, "migrate", "vm-1")) + " | head -1"
        done = subprocess.run(["sh", "-c", line], env=lab.environment, text=True, timeout=LIMIT,
                              capture_output=True, check=False)
        self.assertEqual(len(done.stdout.splitlines()), 1)
        self.assertEqual(done.stderr, "")


class Terminal(OnLab):
    def watch(self, lab, columns, *arguments):
        """What a terminal of so many columns is sent."""
        master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
        environment = dict(lab.environment, TERM="xterm-256color", LC_ALL="C.UTF-8")
        process = subprocess.Popen(self.command(lab, *arguments), env=environment, stdout=slave,
                                   stderr=subprocess.PIPE, stdin=slave)
        os.close(slave)
        text = b""
        end = time.monotonic() + LIMIT
        while time.monotonic() < end:
            try:
                piece = os.read(master, 65536)
            except OSError:
                piece = b""
            if not piece:
                break
            text += piece
        os.close(master)
        process.communicate(timeout=LIMIT)
        return text.decode(), process.returncode

    def test_a_block_is_drawn_anew_and_fits(self):
        for columns in (40, 100):
            with self.subTest(columns):
                lab = self.lab("slow-network", "--vms=3", "--speed=10x")
                text, code = self.watch(lab, columns, "migrate", "vm-1", "--join", "--timeout=4s")
                self.assertEqual(code, 5)
                frames = re.split(r"\x1b\[\d+A\x1b\[J", text)
                self.assertGreater(len(frames), 2)
                block = re.sub(r"\x1b\[[0-9;]*m", "", frames[1]).splitlines()
                self.assertEqual(len(block), 2, frames[1])
                self.assertTrue(all(len(line) <= columns for line in block), block)
                self.assertIn("vm-1", block[0])
                self.assertIn("timed out", re.sub(r"\x1b\[[0-9;]*m", "", frames[-1]))


if __name__ == "__main__":
    unittest.main()
