"""A cluster by its name, which what the API does with one cluster starts from."""

from __future__ import annotations  # the workflow is imported for type checks only

from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

from bootstrap.api.client import Client
from bootstrap.api.names import cluster_name
from bootstrap.config.flags import Flags
from bootstrap.errors import UsageError
from bootstrap.model.spec import ClusterSpec

if TYPE_CHECKING:
    from bootstrap.workflow.environment import Ports
    from bootstrap.workflow.up import UpResult


class Handle:
    """Names a cluster, which need not exist; threads may share it.

    :raises UsageError: if ``name`` is no name of a cluster.
    """

    def __init__(
        self, name: str, client: Client | None = None, *, verified: UpResult | None = None
    ) -> None:
        self._cluster = cluster_name(name)
        self.client = client or Client()
        self._verified = verified

    @property
    def name(self) -> str:
        """What the cluster is called."""
        return str(self._cluster)

    @property
    def verified(self) -> UpResult:
        """How the call that made this object proved the cluster: its plan and each check.

        :raises UsageError: if no call has: the object only names the cluster.
        """
        if self._verified is None:
            raise UsageError(
                f"Cluster '{self.name}' was only named, not verified.",
                hint=f"bootstrap verify {self.name}",
            )
        return self._verified

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.name!r})"

    def _run(self, command: str) -> AbstractContextManager[Ports]:
        return self.client.run_on(self._cluster, command)

    def _spec(self) -> ClusterSpec:
        """Return a spec in which only the name counts: a cluster keeps what it has."""
        from bootstrap.config.load import load_spec  # noqa: PLC0415 - takes time to load

        return load_spec(None, Flags(name=self.name, hypervisor=self.client.hypervisor))
