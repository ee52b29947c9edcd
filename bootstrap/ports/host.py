"""The hypervisor host itself."""

from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from bootstrap.model.cluster import NodeImage
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import ClusterSpec


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one check of the host found, and the command that mends it."""

    name: str
    ok: bool
    found: str
    fix: str


class Host(Protocol):
    """The hypervisor host itself."""

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        """Make sure that the host can hold the cluster; all problems at once.

        ``running_mib`` is the memory that nodes of the cluster use already.

        :raises HostError: with what is missing and the command that mends it.
        """

    def acceleration(self, image: NodeImage) -> Acceleration:
        """Learn by booting the image's kernel whether KVM works here."""

    def expected_acceleration(self) -> Acceleration:
        """Return what a new cluster's nodes would run with, before there is an image.

        A kernel of this host serves for the probe; without any, emulation is expected.
        """

    def allocation(self) -> AbstractContextManager[None]:
        """Hold the host-wide lock under which ports are chosen.

        :raises LockedError: on entry, if another run holds it for two minutes.
        """

    def is_port_free(self, port: int) -> bool:
        """Tell whether no process uses the port on 127.0.0.1, by TCP or UDP."""

    def processor(self) -> str:
        """Return the model and the abilities of the host's processor, as one line.

        A machine that runs by KVM sees them, so its memory fits no other processor.
        """

    @property
    def cores(self) -> int:
        """Processors that this process may use."""
