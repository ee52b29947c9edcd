"""Read what is kept of a cluster on this host: its files, logs and runs."""

from __future__ import annotations  # the workflow is imported for type checks only

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrap import workflow
from bootstrap.api.handle import Handle
from bootstrap.model.events import LAST_RUN

if TYPE_CHECKING:
    from bootstrap.pictures.runs.report import Report
    from bootstrap.pictures.runs.run import Run


class Records(Handle):
    """The files, logs and runs of a cluster."""

    def kubeconfig(self) -> Path:
        """Return the path of the cluster's own kubeconfig.

        :raises StateError: if it is not on this host.
        """
        return self._file("kubeconfig")

    def inventory(self) -> Path:
        """Return the path of the cluster's Ansible inventory.

        :raises StateError: if it is not on this host.
        """
        return self._file("inventory.yml")

    def read_kubeconfig(self) -> str:
        """Return the text of the cluster's own kubeconfig, which has the key of its user."""
        return self._text("kubeconfig")

    def read_inventory(self) -> str:
        """Return the text of the cluster's Ansible inventory."""
        return self._text("inventory.yml")

    def merge_kubeconfig(self, *, use: bool = False) -> Path:
        """Merge the cluster's entries into the user's kubeconfig, and return its path.

        ``use`` makes the cluster kubectl's current context.
        """
        with self._run("kubeconfig") as ports:
            return workflow.files.merge_kubeconfig(self._cluster, ports, use=use)

    def logs(self, node: str | None = None, *, target: Path | None = None) -> Path:
        """Save all that explains the cluster in one archive without secrets; return its path.

        Of the nodes, all are asked or only ``node``. Its ``manifest.json`` says what is missing and
        why. Without ``target`` it is with the cluster's local files, and ``down`` removes it.

        :raises UsageError: if there is a file ``target`` already.
        """
        with self._run("logs") as ports:
            place = target.absolute() if target else None
            return workflow.logs.collect_logs(self._cluster, node, ports, target=place)

    @contextmanager
    def following(self, node: str) -> Iterator[Iterator[str]]:
        """Follow a node's journal for the block: the last lines first, each new one as it comes.

        The text may hold anything that the guest chose to write.
        """
        with (
            self._run("logs") as ports,
            closing(workflow.logs.follow_journal(self._cluster, node, ports)) as lines,
        ):
            yield lines

    def console(self, node: str) -> str:
        """Return what a node wrote to its console, which may be anything, since its last start."""
        with self._run("logs") as ports:
            return workflow.logs.read_console(self._cluster, node, ports)

    def runs(self) -> Sequence[Run]:
        """List the runs on the cluster that are kept, the oldest first.

        :raises NotFoundError: if none is; ``down`` removes them.
        """
        with self._run("timeline") as ports:
            return workflow.history.kept_runs(self._cluster, ports)

    def timeline(self, run: str = LAST_RUN) -> Report:
        """Return what took the time in a run that is kept, by its id, or in the last one.

        :raises NotFoundError: if no run is kept.
        """
        with self._run("timeline") as ports:
            return workflow.history.timeline(self._cluster, run, ports)

    def _file(self, name: str) -> Path:
        with self._run(name) as ports:
            return workflow.files.find_file(self._cluster, name, ports)

    def _text(self, name: str) -> str:
        with self._run(name) as ports:
            return workflow.files.read_file(self._cluster, name, ports)
