"""What the handler of signals does in a process that is not the command's own."""

import signal
import subprocess
import sys

PROGRAM = """
import os, signal, sys
from bootstrap.cli.signals import end_on_signals
end_on_signals()
child = os.fork()
if child == 0:
    os.kill(os.getpid(), signal.SIGINT)
    os._exit(0)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def test_a_process_that_is_no_program_yet_ends_without_a_word() -> None:
    """G-04: ^C reaches it as well, and its parent prints the advice."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout, done.stderr) == (128 + signal.SIGINT, "", "")
