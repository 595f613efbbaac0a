"""Run a server that ends when its owner does, however the owner ends.

    python leash.py HOME COMMAND...

The owner holds the other end of this process's standard input. When that closes (the owner
let go, was interrupted, or was killed), the server is killed and its folder removed: servers
of tests keep nothing. The server's process id is the one line of standard output.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path


def main(home: Path, command: list[str]) -> None:
    """Start the command, and end it when standard input does."""
    with (home / "console.log").open("ab") as console:
        server = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C is for whoever runs the tests
        )
    print(server.pid, flush=True)
    let_go = threading.Event()

    def follow() -> None:
        """End with a server that ended otherwise: its folder stays for the next start."""
        server.wait()
        if not let_go.is_set():
            os._exit(0)

    following = threading.Thread(target=follow)
    following.start()
    sys.stdin.buffer.read()
    let_go.set()
    server.kill()
    following.join()
    shutil.rmtree(home, ignore_errors=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2:])
