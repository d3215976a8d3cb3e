"""Runs a command with --port=N, where somebody listens already; N stands as <PORT> in the errors."""
import socket
import subprocess
import sys

with socket.create_server(("127.0.0.1", 0)) as taken:
    port = str(taken.getsockname()[1])
    done = subprocess.run([*sys.argv[1:], f"--port={port}"], stderr=subprocess.PIPE, text=True,
                          check=False)
    sys.stderr.write(done.stderr.replace(port, "<PORT>"))
sys.exit(done.returncode)
