"""Runs commands the way a user would, in a world that is the same on every machine."""

import dataclasses
import difflib
import fcntl
import os
import pathlib
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import tempfile
import termios
import time

SECONDS = 60  # far more than any command takes; only a hang reaches it


@dataclasses.dataclass
class Outcome:
    out: str
    err: str
    code: int


class World:
    """A temporary folder with a home, and the program on PATH. Nothing of the caller's leaks in."""

    def __init__(self, program, name="virt-handoff"):
        self._folder = tempfile.TemporaryDirectory(prefix="golden-")
        self.root = pathlib.Path(self._folder.name).resolve()
        for folder in ("bin", "home", "work"):
            (self.root / folder).mkdir()
        (self.root / "bin" / name).symlink_to(pathlib.Path(program).resolve(strict=True))
        self.work = self.root / "work"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self._folder.cleanup()

    def environment(self, terminal):
        env = {
            "PATH": f"{self.root}/bin:/usr/local/bin:/usr/bin:/bin",
            "HOME": f"{self.root}/home",
            "KUBECONFIG": f"{self.root}/home/.kube/config",
            "TMPDIR": str(self.root),
            "TZ": "UTC",
            "LANG": "C.UTF-8",
            "LC_ALL": "C.UTF-8",
        }
        if terminal:
            env["TERM"] = "xterm-256color"
        else:
            env.update({"NO_COLOR": "1", "COLUMNS": "80"})
        for name, value in os.environ.items():
            if name.endswith("SAN_OPTIONS"):
                env[name] = value
        return env

    def run(self, command, where=None, merge=False):
        """merge: both streams into out, as a reader of a terminal sees them."""
        return self._run(command, where, terminal=None, merge=merge)

    def run_on_terminal(self, command, columns, rows, where=None):
        """Standard output is a terminal of this size; standard error is not."""
        return self._run(command, where, terminal=(columns, rows), merge=False)

    def _run(self, command, where, terminal, merge):
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            master, slave = pty.openpty() if terminal else (None, None)
            if terminal:
                size = struct.pack("HHHH", terminal[1], terminal[0], 0, 0)
                fcntl.ioctl(slave, termios.TIOCSWINSZ, size)
            child = subprocess.Popen(
                ["sh", "-c", command],
                cwd=where or self.work,
                env=self.environment(terminal),
                stdin=slave if terminal else subprocess.DEVNULL,
                stdout=slave if terminal else out,
                stderr=subprocess.STDOUT if merge else err,
                start_new_session=True,
            )
            try:
                if terminal:
                    os.close(slave)
                    shown = _read_terminal(master)
                child.wait(SECONDS)
            except (subprocess.TimeoutExpired, TimeoutError):
                raise TimeoutError(f"still running after {SECONDS} s: {command}") from None
            finally:
                _end(child)
                if terminal:
                    os.close(master)
            if not terminal:
                shown = _contents(out)
            return Outcome(shown, _contents(err), child.returncode)

    def normalised(self, text):
        """Hides what differs from run to run. A time that is not RFC 3339 UTC stays, and fails."""
        text = text.replace(str(self.root), "<TMP>")
        time_of_day = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"
        return re.sub(rf'("?takenAt"?: "?){time_of_day}("?)', r"\1<TIME>\2", text)


def _contents(file):
    file.seek(0)
    return file.read().decode("utf-8", "backslashreplace")


def _read_terminal(master):
    """Everything until the last writer has gone; ESC becomes <ESC> so that it can be reviewed."""
    chunks = []
    end = time.monotonic() + SECONDS
    while True:
        ready, _, _ = select.select([master], [], [], max(0.0, end - time.monotonic()))
        if not ready:
            raise TimeoutError
        try:
            chunk = os.read(master, 65536)
        except OSError:  # Linux reports EIO when the other side is closed
            chunk = b""
        if not chunk:
            break
        chunks.append(chunk)
    text = b"".join(chunks).decode("utf-8", "backslashreplace")
    return text.replace("\r\n", "\n").replace("\x1b", "<ESC>")


def _end(child):
    """Ends the command and what it started; a session of its own has its own process group."""
    try:
        os.killpg(child.pid, signal.SIGKILL)
    except ProcessLookupError:
        pass
    child.wait()


def difference(expected, actual, name):
    """A unified diff in which invisible ends of lines can be seen; empty when they are the same."""
    lines = difflib.unified_diff(_marked(expected), _marked(actual),
                                 f"{name} (expected)", f"{name} (actual)", lineterm="")
    return "\n".join(lines)


def _marked(text):
    lines = text.split("\n")
    last = lines.pop()
    if last:
        lines.append(last + "<no line break at the end>")
    def mark(blanks):
        return ascii(blanks[0])[1:-1].replace(" ", "<blank>")
    return [re.sub(r"[ \t\r]+$", mark, line) for line in lines]


def copy_inputs(source, target, except_for):
    for path in source.iterdir():
        if path.name in except_for:
            continue
        if path.is_dir():
            shutil.copytree(path, target / path.name)
        else:
            shutil.copy2(path, target / path.name)
