"""Errors that a user can act on, and the exit code of each.

``BootstrapError`` is a step that failed (6). Its children say more:
``UsageError`` and ``ConfigError`` (2, nothing was changed), ``HostError`` (3, the host
is not fit), ``LockedError`` (4), ``TimedOutError`` (5), ``NotOursError`` (7),
``VerifyError`` (8), ``StateError`` and ``LayoutError`` (9). An interruption is 130, 143 or 129, and
a reader of our output that went away is 141. ``CancelledError`` is an interruption too.
"""

from typing import Self


class BootstrapError(Exception):
    """A failure that the user can understand and act on.

    ``message`` says what could not be done and to which object, ``details`` carries
    evidence such as a command's output, and ``hint`` is the next thing to type. The
    command line prints all three; code must not parse them. ``code`` is the stable id
    that JSON output carries.
    """

    exit_code = 6
    code = "step-failed"

    def __init__(self, message: str, *, details: str = "", hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.details = details
        self.hint = hint

    @property
    def summary(self) -> str:
        """The message and the details as one text."""
        return f"{self.message} {self.details}".rstrip()

    def with_details(self, *more: str, hint: str = "") -> Self:
        """Return this error with more details, each on a line of its own, and another hint."""
        details = "\n".join(filter(None, (self.details, *more)))
        return type(self)(self.message, details=details, hint=hint or self.hint)


class UsageError(BootstrapError):
    """The command was called wrongly; nothing has been changed."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """The cluster file is wrong; nothing has been changed."""

    code = "cluster-file"


class HostError(BootstrapError):
    """The hypervisor host lacks something; nothing has been created."""

    exit_code = 3
    code = "host-not-fit"


class LockedError(BootstrapError):
    """Another run works on the same thing."""

    exit_code = 4
    code = "locked"


class TimedOutError(BootstrapError):
    """A condition did not become true before its deadline."""

    exit_code = 5
    code = "deadline-passed"


class NotFoundError(BootstrapError):
    """An object that should exist does not."""

    code = "not-found"


class NotOursError(BootstrapError):
    """The object exists and belongs to someone else, so it was left alone."""

    exit_code = 7
    code = "not-ours"


class VerifyError(BootstrapError):
    """The cluster does not do what a cluster must do."""

    exit_code = 8
    code = "verify-failed"


class StateError(BootstrapError):
    """A file of ours on this host is damaged or from a newer version; it was kept."""

    exit_code = 9
    code = "state-damaged"


class LayoutError(StateError):
    """The cluster was made by another version of the tool, in another way; it was kept."""

    code = "other-layout"


class CancelledError(BootstrapError):
    """The caller cancelled the run; what it had made stays, and the same run again goes on."""

    exit_code = 130
    code = "interrupted"
