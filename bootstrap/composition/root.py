"""Where every way into the tool gets its ports, and the events of its runs."""

from __future__ import annotations  # the ports are imported for type checks only

import os
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from bootstrap.adapters.directories import (
    Directories,
    ensure_install_id,
    find_directories,
    read_install_id,
)
from bootstrap.adapters.failures import explained
from bootstrap.adapters.files import private_directory
from bootstrap.composition.ports import LazyPorts, recorded_uri
from bootstrap.errors import UsageError
from bootstrap.model.events import Display
from bootstrap.model.names import ClusterName
from bootstrap.model.site import SESSION, SYSTEM, Site
from bootstrap.model.sources import Source

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path
    from uuid import UUID

    from bootstrap.adapters.events.course import Course
    from bootstrap.ports import (
        EventReader,
        Finding,
        RunEvents,
        ShellResult,
    )
    from bootstrap.workflow.environment import Ports, SitePorts


@dataclass(frozen=True, slots=True, kw_only=True)
class Composition:
    """Builds the ports of this user; a test replaces them, or the default libvirt."""

    ports: Callable[[Site, RunEvents, ClusterName | None], Ports] = LazyPorts
    #: This user's own libvirt: for root, libvirt maps session to the system socket.
    default_uri: str = field(default_factory=lambda: SYSTEM if os.getuid() == 0 else SESSION)

    @contextmanager
    def open_events(
        self, command: str, *readers: EventReader, is_on_stdout: bool = False
    ) -> Iterator[RunEvents]:
        """Return the events of a run of ``command``, which ends with the block."""
        from bootstrap.adapters.events.commands import commands_to  # noqa: PLC0415
        from bootstrap.adapters.events.stream import EventStream  # noqa: PLC0415

        events = EventStream(*readers, is_on_stdout=is_on_stdout)
        with events.whole_run(command), commands_to(events.command):
            yield events

    @contextmanager
    def open_terminal_events(
        self,
        command: str,
        *,
        display: Display = Display.AUTO,
        verbose: bool = False,
        file: Path | None = None,
    ) -> Iterator[RunEvents]:
        """Return the events of a run of ``command`` that is shown on this process's terminal.

        :raises UsageError: if ``file`` cannot be opened, or the display cannot be had here.
        """
        from bootstrap.adapters.events import ndjson  # noqa: PLC0415
        from bootstrap.adapters.events.course import Course  # noqa: PLC0415
        from bootstrap.adapters.events.durations import Durations  # noqa: PLC0415
        from bootstrap.adapters.events.terminals import chosen_display  # noqa: PLC0415

        is_on_stdout = str(file) == "-"
        with ExitStack() as stack:
            course = Course(Durations(find_directories().durations))
            readers: list[EventReader] = [course]
            if is_on_stdout:
                readers.append(ndjson.Ndjson(ndjson.write_on_stdout))
            elif file is not None:
                readers.append(ndjson.Ndjson(stack.enter_context(ndjson.appending(file))))
            style = chosen_display(display, is_on_stdout=is_on_stdout)
            readers += _shown(style, course, stack, show_commands=verbose)
            run = self.open_events(command, *readers, is_on_stdout=is_on_stdout)
            yield stack.enter_context(run)

    def plain_events(self) -> RunEvents:
        """Return events that are only shown, for a command that is no run."""
        from bootstrap.adapters.events.lines import Lines  # noqa: PLC0415
        from bootstrap.adapters.events.stream import EventStream  # noqa: PLC0415

        return EventStream(Lines())

    def site_ports(self, events: RunEvents, uri: str | None = None) -> SitePorts:
        """Return the ports of a site; ``uri`` is the user's own libvirt unless given.

        :raises UsageError: if root names a session, which root does not have.
        """
        return self.ports(self.find_site(uri), events, None)

    def cluster_ports(
        self, cluster: ClusterName, events: RunEvents, uri: str | None = None
    ) -> Ports:
        """Return the ports of a cluster; one that exists is where it was made.

        :raises UsageError: if ``uri`` names another libvirt than that.
        """
        return self.ports(self.find_site(uri, cluster), events, cluster)

    def run_program(  # noqa: PLR0913 - each argument is one property of a process
        self,
        words: Sequence[str],
        *,
        action: str,
        timeout_s: float,
        program: Path | None = None,
        variables: Mapping[str, str] | None = None,
        stdin: str = "",
    ) -> ShellResult:
        """Run a program of this host to its end; ``variables`` are set beside those of the caller.

        :raises HostError: if it is not installed.
        :raises TimedOutError: if it runs longer than ``timeout_s`` seconds.
        """
        from bootstrap.adapters.process import run  # noqa: PLC0415
        from bootstrap.ports import ShellResult  # noqa: PLC0415

        done = run(
            words,
            action=action,
            timeout_s=timeout_s,
            program=program,
            env=os.environ | (variables or {}),
            stdin=stdin.encode(),
            check=False,
        )
        return ShellResult(exit_status=done.exit_status, stdout=done.stdout, stderr=done.stderr)

    def diagnose(self, uri: str | None = None, source: Source = Source.AUTO) -> Sequence[Finding]:
        """Run each check of this host, in the order in which `up` needs them."""
        from bootstrap.adapters.host.doctor import diagnose  # noqa: PLC0415

        return diagnose(find_directories(), uri or self.default_uri, source)

    def find_site(self, uri: str | None = None, cluster: ClusterName | None = None) -> Site:
        """Find this user's site, making the install id on the very first call."""
        directories = find_directories()
        install_id = _install_id(directories)
        recorded = recorded_uri(directories, install_id, cluster) if cluster else None
        if uri and recorded not in (None, uri):
            raise UsageError(
                f"Cluster '{cluster}' is at '{recorded}', not at '{uri}'.",
                hint=f"bootstrap status {cluster}",
            )
        chosen = uri or recorded or self.default_uri
        if chosen == SESSION and os.getuid() == 0:
            raise UsageError(
                f"root has no '{SESSION}': libvirt leads root to the system daemon.",
                hint=f"bootstrap up --hypervisor {SYSTEM}",
            )
        return Site(
            install_id=install_id,
            owner_uid=os.getuid(),
            hypervisor_uri=chosen,
            state=directories.state,
            volumes=directories.volumes,
        )


def _install_id(directories: Directories) -> UUID:
    install_id = read_install_id(directories)
    if install_id is None:
        from bootstrap.adapters.locks import locked  # noqa: PLC0415

        # The lock lies inside, and would make it with the mode of any directory.
        with explained("make the state directory"):
            private_directory(directories.state)
        with locked(directories.host_lock, what="this user's first run", timeout_s=30):
            install_id = ensure_install_id(directories)
    return install_id


def _shown(
    display: Display, course: Course, stack: ExitStack, *, show_commands: bool
) -> list[EventReader]:
    """Return the reader that shows a run on stderr until the stack is unwound."""
    match display:
        case Display.LIVE:
            from bootstrap.adapters.events.live.view import LiveView  # noqa: PLC0415

            return [stack.enter_context(LiveView(course, show_commands=show_commands).shown())]
        case Display.NONE:
            return []
        case _:
            from bootstrap.adapters.events.lines import Lines  # noqa: PLC0415

            return [Lines(show_commands=show_commands)]
