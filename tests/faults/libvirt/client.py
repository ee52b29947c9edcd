"""Connect as an ordinary user, for whom alone libvirt's client starts a daemon.

Run as a program: how often that client has to give the daemon up before it may start, and
how many seconds we wait. Prints what came of it as JSON.
"""

import json
import os
import sys
from dataclasses import dataclass, replace
from pathlib import Path

import libvirt

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import GENEROUS
from bootstrap.errors import HostError
from tests.faults.libvirt.daemon import NOBODY


@dataclass
class SlowHost:
    """The daemon starts only once the client has given it up, ``refusals`` times."""

    may_start: Path
    refusals: int
    attempts: int = 0

    def connect(self, uri: str) -> libvirt.virConnect:
        self.attempts += 1
        try:
            return libvirt.open(uri)
        except libvirt.libvirtError:
            if self.attempts == self.refusals:
                self.may_start.touch()
            raise


def main() -> None:
    host = SlowHost(Path(os.environ["HOME"]) / "may-start", int(sys.argv[1]))
    deadlines = replace(GENEROUS, starting_s=float(sys.argv[2]))
    if os.getuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    connection = Connection("qemu:///session", connect=host.connect, deadlines=deadlines)
    came = {"message": "", "hint": ""}
    try:
        connection.run("list", lambda it: it.listDomainsID())
    except HostError as error:
        came = {"message": error.message, "hint": error.hint}
    connection.close()
    json.dump({**came, "attempts": host.attempts}, sys.stdout)


if __name__ == "__main__":
    main()
