"""A `virt-handoff lab` for tests: started on a free port, and ended whatever happens."""
import os
import pathlib
import select
import signal
import subprocess
import tempfile
import time

READY_WITHIN = 60  # seconds


class Lab:
    """with Lab(program, "healthy", "--vms=3") as lab: lab.kubeconfig …"""

    def __init__(self, program, *arguments, kubeconfig_out=True):
        self.home = tempfile.TemporaryDirectory(prefix="lab-test-")
        self.folder = pathlib.Path(self.home.name)
        self.kubeconfig = self.folder / "kubeconfig" if kubeconfig_out else None
        self.environment = {"PATH": os.environ["PATH"], "HOME": self.home.name,
                            "TMPDIR": self.home.name}
        command = [program, "lab", *arguments]
        if kubeconfig_out:
            command.append(f"--kubeconfig-out={self.kubeconfig}")
        self.process = subprocess.Popen(command, env=self.environment, text=True,
                                        stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.words = ""

    def wait_until_ready(self):
        """Reads what it prints up to the last of the commands to try."""
        deadline = time.monotonic() + READY_WITHIN
        stream = self.process.stdout
        while "auth can-i" not in self.words:
            ready, _, _ = select.select([stream], [], [], max(0, deadline - time.monotonic()))
            piece = os.read(stream.fileno(), 65536).decode() if ready else ""
            if not piece:
                raise AssertionError(f"the lab did not start: {self.words!r} {self.end()}")
            self.words += piece
        if self.kubeconfig is None:
            line = next(each for each in self.words.splitlines() if each.startswith("export "))
            self.kubeconfig = pathlib.Path(line.removeprefix("export KUBECONFIG="))
        return self

    def end(self, signal_number=signal.SIGTERM):
        """(exit code, standard error) after the signal."""
        if self.process.poll() is None:
            self.process.send_signal(signal_number)
        try:
            _, err = self.process.communicate(timeout=30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            _, err = self.process.communicate()
            return None, err
        return self.process.returncode, err

    def __enter__(self):
        try:
            return self.wait_until_ready()
        except BaseException:
            self.__exit__()
            raise

    def __exit__(self, *_):
        self.end()
        self.home.cleanup()
