"""Start a private libvirtd, and start it again whenever it dies, as a service manager does.

Run as a program: the libvirtd's arguments follow. It also reaps the emulators that a killed
daemon leaves, and ends them all at the end.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time

import psutil

_PR_SET_PDEATHSIG, _PR_SET_CHILD_SUBREAPER = 1, 36


def main() -> None:
    libc = ctypes.CDLL(None)
    libc.prctl(_PR_SET_CHILD_SUBREAPER, 1)
    libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    try:
        while True:
            daemon = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
            while os.wait()[0] != daemon:
                pass
            time.sleep(0.2)
    finally:
        for process in psutil.Process().children(recursive=True):
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


if __name__ == "__main__":
    main()
