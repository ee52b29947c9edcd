"""The command line. Importing it imports neither libvirt nor Ansible nor Kubernetes."""

import signal

__all__ = ["main"]


def main() -> None:
    """Run the command line and exit with its code."""
    # Until our own handlers are there, Ctrl-C ends it without a traceback.
    if signal.getsignal(signal.SIGINT) is not signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from bootstrap.cli.signals import end_on_signals, let_signals_go  # noqa: PLC0415 - before anything takes time

    end_on_signals()
    from bootstrap.cli.group import cli  # noqa: PLC0415

    try:
        cli(prog_name="bootstrap")
    finally:
        let_signals_go()
