"""A cluster: make it, use it, remove it."""

from __future__ import annotations  # the workflow is imported for type checks only

from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self, Unpack

from bootstrap import workflow
from bootstrap.api.client import Client
from bootstrap.api.members import Members
from bootstrap.api.names import snapshot_or_newest
from bootstrap.api.options import ClusterOptions
from bootstrap.api.saving import Saving
from bootstrap.config.flags import Flags

if TYPE_CHECKING:
    from bootstrap.workflow.caching import Cached
    from bootstrap.workflow.environment import Ports
    from bootstrap.workflow.preview import Preview


class _Wanted:
    """What the arguments of a call ask for.

    :raises ConfigError: if one of them, or the file, is wrong.
    """

    def __init__(
        self,
        name: str | None,
        file: Path | str | None,
        client: Client | None,
        options: ClusterOptions,
    ) -> None:
        client = client or Client()
        flags = Flags(name=name, hypervisor=client.hypervisor, **options)
        from bootstrap.config.load import load_spec  # noqa: PLC0415 - takes time to load

        self.spec = load_spec(Path(file) if file else None, flags)
        #: As in ``UpOptions``.
        self.chosen = None if file else flags.chosen_facts()
        # The file may name another libvirt.
        self.client = replace(client, hypervisor=self.spec.hypervisor_uri)

    def run(self, command: str) -> AbstractContextManager[Ports]:
        return self.client.run_on(self.spec.name, command)


class Cluster(Members, Saving):
    """A real Kubernetes cluster on virtual machines of this host.

    ``Cluster("demo")`` names one, which need not exist; :meth:`up` and :meth:`from_snapshot` make
    one. As a context manager, it is removed at the end of the block, also if that was cancelled.
    """

    @classmethod
    def up(  # noqa: PLR0913 - one argument for each option of the command
        cls,
        name: str | None = None,
        *,
        file: Path | str | None = None,
        cached: bool = False,
        share_trust: bool = False,
        keep: bool = False,
        use: bool = False,
        allow_overcommit: bool = False,
        remove: bool = False,
        client: Client | None = None,
        **options: Unpack[ClusterOptions],
    ) -> Self:
        """Make a cluster, verify it, and write its kubeconfig; run again, it goes on.

        What it consists of is said by ``options`` over ``file``, a cluster file, over defaults.

        ``cached`` clones the snapshot of exactly such a cluster, in seconds; without one, it is
        made and saved. Of callers that want the same at the same time, in whatever processes, one
        makes it and the others wait. ``share_trust`` allows that for clusters of the profile
        ``strict``. ``keep`` keeps the machines when the run fails, ``use`` makes the cluster
        kubectl's current context, ``allow_overcommit`` starts it even if memory is short, and
        ``remove`` drains and removes workers that are too many.

        :raises ConfigError: if an option or the file is wrong; nothing is changed.
        :raises HostError: if this host is not fit; nothing is made.
        :raises BootstrapError: with the evidence's place, if a step fails.
        """
        wanted = _Wanted(name, file, client, options)
        how = workflow.up.UpOptions(
            chosen=wanted.chosen,
            allow_overcommit=allow_overcommit,
            keep=keep,
            use=use,
            removal=workflow.node_removal.Removal() if remove else None,
        )
        spec = wanted.spec
        with wanted.run("up") as ports:
            if cached:
                verified = workflow.caching.up_cached(
                    spec, ports, how, share_trust=share_trust
                ).verified
            else:
                verified = workflow.up.up(spec, ports, how)
        return cls(str(spec.name), wanted.client, verified=verified)

    @classmethod
    def from_snapshot(
        cls,
        snapshot: str,
        name: str | None = None,
        *,
        share_trust: bool = False,
        client: Client | None = None,
    ) -> Self:
        """Make another cluster of a snapshot, in seconds, and verify it.

        ``snapshot`` is ``CLUSTER/SNAPSHOT``; ``CLUSTER`` alone stands for its newest one.
        ``share_trust`` allows that the clone of a strict cluster has its authorities.

        :raises NotFoundError: if there is no such snapshot.
        :raises UsageError: if there is another cluster called ``name``.
        """
        wanted = _Wanted(name, None, client, {})
        spec = wanted.spec
        with wanted.run("up --from") as ports:
            found = snapshot_or_newest(snapshot, ports)
            verified = workflow.restoring.clone(spec, found, ports, share_trust=share_trust)
        return cls(str(spec.name), wanted.client, verified=verified)

    @classmethod
    def plan(
        cls,
        name: str | None = None,
        *,
        file: Path | str | None = None,
        client: Client | None = None,
        **options: Unpack[ClusterOptions],
    ) -> Preview:
        """Plan what :meth:`up` would make with the same arguments; changes no cluster."""
        wanted = _Wanted(name, file, client, options)
        with wanted.run("plan") as ports:
            return workflow.preview.preview(wanted.spec, ports, chosen=wanted.chosen)

    @classmethod
    def cached_snapshot(
        cls,
        name: str | None = None,
        *,
        file: Path | str | None = None,
        client: Client | None = None,
        **options: Unpack[ClusterOptions],
    ) -> Cached:
        """Name the snapshot that ``up`` with ``cached`` would clone or save; makes nothing.

        :raises NotFoundError: if there is no node image, on which the name depends.
        """
        wanted = _Wanted(name, file, client, options)
        with wanted.run("snapshot key") as ports:
            return workflow.caching.cached_snapshot(wanted.spec, ports)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        # Also after the run in the block was cancelled.
        type(self)(self.name, replace(self.client, cancel=None)).down()
