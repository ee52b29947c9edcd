"""What happens in a run, as typed events."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class Step(StrEnum):
    """The steps of all commands; their ids are stable."""

    CHECK_HOST = "check-host"
    PREPARE_IMAGE = "prepare-image"
    CREATE_MACHINES = "create-machines"
    BOOT = "boot"
    CONTROL_PLANE = "control-plane"
    JOIN = "join"
    LOAD = "load-images"
    VERIFY = "verify"
    EVIDENCE = "evidence"
    DRAIN = "drain"
    REMOVE = "remove"
    STOP = "stop"
    SUSPEND = "suspend"
    SAVE = "save"
    RESTORE = "restore"
    BUILD_ARTIFACTS = "build-artifacts"
    BUNDLE = "bundle"


class Status(StrEnum):
    """What an event says of its run, step or node."""

    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    #: The node works on ``detail`` now.
    RUNNING = "running"
    #: The node is done with its phase; ``detail`` says what it is now.
    DONE = "done"
    #: So much of the work that ``detail`` names is done; ``progress`` has the numbers.
    PROGRESS = "progress"
    #: A wait goes on; ``detail`` says for what, and what was seen last.
    WAITING = "waiting"
    #: A remark that is worth keeping.
    NOTE = "note"
    #: A command or libvirt call that can be copied into a shell.
    COMMAND = "command"


class Display(StrEnum):
    """How a run is shown on stderr while it happens."""

    #: Live on a terminal that can be redrawn, else plain.
    AUTO = "auto"
    LIVE = "live"
    PLAIN = "plain"
    NONE = "none"


#: Stands for the newest run of those that are kept.
LAST_RUN = "last"
#: The error id of a run that a signal has ended, and of a defect in this program.
INTERRUPTED, INTERNAL = "interrupted", "internal"


class Unit(StrEnum):
    """What the numbers of a progress count."""

    BYTES = "bytes"
    MODULES = "modules"
    PACKAGES = "packages"
    TASKS = "tasks"


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How much of a piece of work is done."""

    done: int
    #: None while it is not known how much there is.
    total: int | None
    unit: Unit


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One thing that happened."""

    run: str
    #: In UTC.
    time: datetime
    #: Seconds since the run began, measured by a monotonic clock.
    elapsed_s: float
    #: None between steps, and for the start and the end of the run itself.
    step: Step | None
    status: Status
    #: None for what concerns no single node.
    node: str | None
    #: One line, without control codes.
    detail: str
    #: The ``code`` of the error, INTERRUPTED or INTERNAL; set exactly when the status is FAILED.
    error: str | None
    #: What ``-o json`` prints; only at the end of a run, and None if it has no result.
    result: object = None
    #: In which step's work the node is, for RUNNING and DONE: a worker may boot in the step `join`.
    phase: Step | None = None
    #: Set exactly when the status is PROGRESS.
    progress: Progress | None = None
