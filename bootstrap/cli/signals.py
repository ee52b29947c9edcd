"""End on a signal at any moment, with an exit code that names the signal (G-04)."""

import contextlib
import os
import signal
import sys
from collections.abc import Callable
from functools import partial
from types import FrameType
from typing import TYPE_CHECKING, NoReturn

from bootstrap import screen

if TYPE_CHECKING:
    from sys import UnraisableHookArgs

_NUMBERS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_ADVICE = b"interrupted; run the same command again to go on\n"
_AT_ONCE_S = 0.001


class _Interrupted(SystemExit):
    """The end by a signal; unlike KeyboardInterrupt, no library turns it into another error."""


def end_on_signals() -> None:
    """Make SIGINT, SIGTERM and SIGHUP end the process with 128 + their number.

    The process cleans up on its way out; a second signal of the same kind ends it at once.
    A signal that the caller had ignored stays ignored, as nohup and a shell's ``&`` intend.
    """
    _take_signals(partial(_end, os.getpid()))
    sys.unraisablehook = _end_again


def restore_signals() -> None:
    """Restore the default action of signals, once the work is done or given up."""
    signal.setitimer(signal.ITIMER_REAL, 0)
    _take_signals(signal.SIG_DFL)


def _take_signals(action: Callable[[int, FrameType | None], object] | signal.Handlers) -> None:
    for number in _NUMBERS:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, action)


def _end(owner: int, number: int, _frame: FrameType | None) -> NoReturn:
    if os.getpid() != owner:
        # A terminal's ^C also reaches a process that was forked and is not its program yet.
        os._exit(128 + number)
    signal.signal(number, signal.SIG_DFL)
    screen.freeze()
    if number == signal.SIGINT:
        with contextlib.suppress(OSError):
            os.write(2, _ADVICE)
    raise _Interrupted(128 + number)


def _end_again(lost: "UnraisableHookArgs") -> None:
    """Raise the end again if a destructor or a callback swallowed it."""
    error = lost.exc_value
    if not isinstance(error, _Interrupted):
        sys.__unraisablehook__(lost)
        return

    def again(_number: int, _frame: FrameType | None) -> NoReturn:
        raise _Interrupted(error.code)

    signal.signal(signal.SIGALRM, again)
    signal.setitimer(signal.ITIMER_REAL, _AT_ONCE_S)
