#!/usr/bin/env python3
"""How the lab ends, and what it leaves: signals_test.py PROGRAM."""
import os
import pathlib
import signal
import socket
import ssl
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "support"))
from running_lab import Lab  # noqa: E402

PROGRAM = sys.argv.pop(1)


def port_of(lab):
    text = lab.kubeconfig.read_text(encoding="utf-8")
    return int(text.split("https://127.0.0.1:")[1].split()[0])


def connect(port):
    """A TLS connection that is kept open."""
    context = ssl.create_default_context()
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context.wrap_socket(socket.create_connection(("127.0.0.1", port)))


class Signals(unittest.TestCase):
    def ended_by(self, number):
        with Lab(PROGRAM, kubeconfig_out=False) as lab:
            port = port_of(lab)
            self.assertEqual(stat.S_IMODE(lab.kubeconfig.stat().st_mode), 0o600)
            self.assertEqual(stat.S_IMODE(lab.kubeconfig.parent.stat().st_mode), 0o700)
            with connect(port) as idle:
                idle.sendall(b"GET /readyz HTTP/1.1\r\nHost: x\r\n\r\n")
                self.assertIn(b"200 OK", idle.recv(4096))
                code, err = lab.end(number)
            self.assertEqual(err, "")
            self.assertEqual(os.listdir(lab.folder), [])
            with self.assertRaises(ConnectionRefusedError):
                socket.create_connection(("127.0.0.1", port))
            return code

    def test_ctrl_c(self):
        self.assertEqual(self.ended_by(signal.SIGINT), 130)

    def test_terminated(self):
        self.assertEqual(self.ended_by(signal.SIGTERM), 143)

    def test_a_file_that_is_not_its_own_stays(self):
        lab = Lab(PROGRAM)
        lab.process.kill()
        lab.process.communicate()
        self.addCleanup(lab.home.cleanup)
        for text in ("", "apiVersion: v1\nkind: Config\n"):
            lab.kubeconfig.write_text(text, encoding="utf-8")
            done = subprocess.run([PROGRAM, "lab", "--kubeconfig-out", lab.kubeconfig], text=True,
                                  env=lab.environment, capture_output=True, timeout=60, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("exists and is not the file of a lab", done.stderr)
            self.assertEqual(lab.kubeconfig.read_text(encoding="utf-8"), text)

    def test_the_file_of_a_lab_that_was_killed_is_taken_over(self):
        with Lab(PROGRAM) as lab:
            lab.process.kill()
            lab.process.wait()
            old = lab.kubeconfig.read_text(encoding="utf-8")
            again = subprocess.Popen([PROGRAM, "lab", "--kubeconfig-out", lab.kubeconfig], text=True,
                                     env=lab.environment, stdout=subprocess.PIPE)
            self.assertIn("The lab plays healthy", again.stdout.readline())
            self.assertNotEqual(lab.kubeconfig.read_text(encoding="utf-8"), old)
            again.send_signal(signal.SIGINT)
            again.communicate(timeout=30)
            self.assertFalse(lab.kubeconfig.exists())

    def test_a_port_that_is_taken(self):
        with Lab(PROGRAM) as lab:
            done = subprocess.run([PROGRAM, "lab", f"--port={port_of(lab)}"], text=True, timeout=60,
                                  env=lab.environment, capture_output=True, check=False)
            self.assertEqual(done.returncode, 1)
            self.assertIn("cannot listen on 127.0.0.1", done.stderr)


if __name__ == "__main__":
    unittest.main()
