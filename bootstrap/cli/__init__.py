"""The command line. Importing it imports neither libvirt nor Ansible nor Kubernetes."""

import os
import signal
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bootstrap.composition import Composition

__all__ = ["COMPLETING", "main"]

#: The variable with the name of the shell that asks for completion, as templates/completion do.
COMPLETING = "_BOOTSTRAP_COMPLETE"


def main(composition: "Composition | None" = None) -> None:
    """Run the command line and exit with its code; the adapters are ours unless given."""
    # Until our own handlers are installed, Ctrl-C ends the process without a traceback.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if COMPLETING in os.environ:
        from bootstrap.cli import completing  # noqa: PLC0415 - for nothing else

        completing.main(sys.argv[1:])
        return
    from bootstrap.cli.signals import end_on_signals, restore_signals  # noqa: PLC0415 - before anything takes time

    end_on_signals()
    from bootstrap.cli.group import cli  # noqa: PLC0415

    try:
        cli(prog_name="bootstrap", obj=composition)
    finally:
        restore_signals()
