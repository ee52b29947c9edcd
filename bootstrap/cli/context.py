"""Begin a command: from the words that a user typed to the API."""

from typing import TYPE_CHECKING

import click

from bootstrap.ports import RunEvents

if TYPE_CHECKING:
    from bootstrap.api import Client, Cluster
    from bootstrap.composition import Composition


def composition() -> "Composition":
    """Return the composition root: the caller's, or else the real one."""
    from bootstrap.composition import Composition  # noqa: PLC0415 - not for --help

    return click.get_current_context().find_object(Composition) or Composition()


def client(uri: str | None = None, *, events: RunEvents | None = None) -> "Client":
    """Return the API at the libvirt that the user named, or at the default one.

    All its calls belong to the run of the command, which ``events`` report; without them, the
    command makes no progress to report.
    """
    from bootstrap.api import Client  # noqa: PLC0415 - not for --help

    root = composition()
    return Client(hypervisor=uri, events=events or root.plain_events(), composition=root)


def cluster(
    name: str | None, uri: str | None = None, *, events: RunEvents | None = None
) -> "Cluster":
    """Return a cluster by its name; without one, the only cluster at this libvirt is meant.

    :raises UsageError: if it is no name, or there are several clusters or none.
    """
    from bootstrap.api import Cluster  # noqa: PLC0415 - not for --help

    opened = client(uri, events=events)
    return Cluster(opened.only_cluster() if name is None else name, opened)
