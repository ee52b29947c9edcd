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


class Status(StrEnum):
    """What an event says of its run, step or node."""

    STARTED = "started"
    FINISHED = "finished"
    FAILED = "failed"
    #: The node works on ``detail`` now.
    RUNNING = "running"
    #: A wait goes on; ``detail`` says for what, and what was seen last.
    WAITING = "waiting"
    #: A remark that is worth keeping.
    NOTE = "note"
    #: A command or libvirt call that can be copied into a shell.
    COMMAND = "command"


#: The error id of a run that a signal has ended, and of a defect in this program.
INTERRUPTED, INTERNAL = "interrupted", "internal"


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
