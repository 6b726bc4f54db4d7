"""A command that dies with the process that started it, however that died (kill -9 included).

`python -m linguacodus_core.training.child PARENT COMMAND...`: PARENT is the id of the process that starts it.
The command takes this process's place, so its exit status and signals are the command's.
"""

import ctypes
import os
import signal
import sys

PR_SET_PDEATHSIG = 1


def main() -> None:
    """Ask the kernel to end this process with its parent, then become the command."""
    parent, *command = sys.argv[1:]
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != int(parent):  # it died before the line above
        sys.exit("the parent process is gone")
    os.execv(command[0], command)


if __name__ == "__main__":
    main()
