"""`bootstrap top` and `status --watch`: a page of a cluster that is drawn again and again."""

from __future__ import annotations  # the results are imported for type checks only

import os
import queue
import signal
import sys
import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, TypeAlias

import click

from bootstrap.cli.context import cluster
from bootstrap.cli.options import hypervisor_option
from bootstrap.cli.watch_page import page
from bootstrap.errors import UsageError
from bootstrap.fullscreen import FullScreen
from bootstrap.waiting import wait_for_input

if TYPE_CHECKING:
    from bootstrap.api.results import Moment

#: Of a look; under emulation each one costs the API server dear.
_INTERVAL_S = 5.0
#: How soon a key and another size of the terminal are seen.
_PATIENCE_S = 0.2
_QUIT = ("q", "Q", "\x03", "\x04")
#: What is drawn, or why there is nothing more to draw.
Seen: TypeAlias = "Moment | Exception"


@click.command()
@click.argument("name", required=False)
@hypervisor_option
def top(name: str | None, hypervisor_uri: str | None) -> None:
    """Show a cluster on the whole terminal, again every few seconds; q ends it.

    Without NAME, the only cluster is meant.
    """
    watch(name, hypervisor_uri)


def watch(name: str | None, uri: str | None) -> None:
    """Show a cluster until the user ends it.

    :raises UsageError: if this is no terminal.
    :raises BootstrapError: what the look at the cluster raised, such as that it is gone.
    """
    is_dumb = os.environ.get("TERM", "") in ("", "dumb")
    if is_dumb or not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(
            "Only a terminal can be drawn on again and again.",
            details="stdin or stdout is none, or TERM says that it cannot move its cursor.",
            hint=f"bootstrap status {name}" if name else "bootstrap status",
        )
    with cluster(name, uri).watch() as looking:
        # The first look fails before the terminal is taken.
        first = looking.look()
        _watch(looking.look, first)


def _watch(look: Callable[[], Moment], first: Moment) -> None:
    seen: queue.SimpleQueue[Seen] = queue.SimpleQueue()
    is_over = threading.Event()
    thread = threading.Thread(target=_look, args=(look, seen, is_over), name="look", daemon=True)
    full = FullScreen(sys.stdin.fileno(), sys.stdout.fileno())
    with full.taken():
        thread.start()
        try:
            _show(full, first, seen)
        finally:
            is_over.set()


def _look(
    look: Callable[[], Moment], seen: queue.SimpleQueue[Seen], is_over: threading.Event
) -> None:
    """Look until the end; a look that hangs keeps no key from being seen."""
    # The main thread acts on signals, and has to be woken by them.
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    while not is_over.wait(_INTERVAL_S):
        try:
            seen.put(look())
        except Exception as error:  # noqa: BLE001 - the main thread raises it
            seen.put(error)
            return


def _show(full: FullScreen, moment: Moment, seen: queue.SimpleQueue[Seen]) -> None:
    """Draw what is seen, until a key ends it."""
    drawn = None
    while True:
        if not seen.empty():
            found = seen.get()
            if isinstance(found, Exception):
                raise found
            moment = found
        if drawn != (moment, full.size):
            drawn = (moment, full.size)
            full.draw(page(moment, full.size.columns, interval_s=_INTERVAL_S))
        if wait_for_input(sys.stdin.fileno(), timeout_s=_PATIENCE_S):
            keys = full.key()
            # No key at all: the terminal has gone.
            if not keys or any(key in keys for key in _QUIT):
                return
