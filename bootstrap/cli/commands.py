"""The command line as data: help and completion read it, and load no command's module."""

import json
from collections.abc import Sequence
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import NotRequired, TypedDict

#: Written by ``make generated``; a test compares it with the commands.
COMMANDS_FILE = Path(__file__).with_name("commands.json")
#: Other names of commands, which no list shows.
ALIASES = {"create": "up", "delete": "down"}


class Kind(StrEnum):
    """What a value names, as far as completion can list it."""

    #: Nothing that could be listed.
    TEXT = ""
    #: One of the ``choices``.
    CHOICE = "choice"
    CLUSTER = "cluster"
    #: A cluster that exists, or one of which there are snapshots.
    SAVED_CLUSTER = "saved-cluster"
    NODE = "node"
    SNAPSHOT = "snapshot"
    #: ``CLUSTER/SNAPSHOT``.
    ANY_SNAPSHOT = "any-snapshot"
    #: A container image that was loaded into the cluster.
    IMAGE = "image"
    #: A run on the cluster that is kept.
    RUN = "run"
    FILE = "file"
    #: A file of this host, or ``NODE:PATH``.
    PLACE = "place"


class Value(TypedDict):
    """What an argument or an option takes."""

    kind: str
    #: Of the kind ``CHOICE``.
    choices: NotRequired[Sequence[str]]
    #: That it may be given again.
    many: NotRequired[bool]


class Option(TypedDict):
    """An option; one without a value is a flag."""

    names: Sequence[str]
    help: str
    value: NotRequired[Value]


class Command(TypedDict):
    """A command, or a group of commands."""

    summary: str
    options: Sequence[Option]
    arguments: Sequence[Value]
    commands: NotRequired[dict[str, "Command"]]


@cache
def command_table() -> Command:
    """Return the whole command line."""
    table: Command = json.loads(COMMANDS_FILE.read_text(encoding="utf-8"))
    return table
