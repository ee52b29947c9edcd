"""A hypervisor host with as much room as a test gives it."""

import contextlib
from collections.abc import Iterator

from bootstrap.errors import HostError, LockedError
from bootstrap.model.cluster import NodeImage
from bootstrap.model.plan import Acceleration
from bootstrap.model.spec import ClusterSpec
from tests.fakes.recording import Fake, Journal


class FakeHost(Fake):
    """Implements ``Host``."""

    port = "host"

    def __init__(self, journal: Journal | None = None) -> None:
        super().__init__(journal)
        self.memory_mib = 64 * 1024
        self.cores = 8
        self.accelerated = Acceleration.KVM
        self.used_ports: set[int] = set()
        self.model = "Processor 1: aes avx"
        self.is_allocating = False

    def check(self, spec: ClusterSpec, *, running_mib: int, allow_overcommit: bool) -> None:
        self.called("check", spec.name)
        wanted = sum(group.count * group.memory_mib for group in spec.node_groups) - running_mib
        if wanted > self.memory_mib and not allow_overcommit:
            raise HostError(
                f"This host cannot hold cluster '{spec.name}'.",
                details=f"memory: needs {wanted} MiB more, {self.memory_mib} MiB are available",
                hint="bootstrap doctor",
            )

    def acceleration(self, image: NodeImage) -> Acceleration:
        self.called("acceleration", image.key)
        return self.accelerated

    def expected_acceleration(self) -> Acceleration:
        return self.accelerated

    @contextlib.contextmanager
    def allocation(self) -> Iterator[None]:
        self.called("allocation")
        if self.is_allocating:
            raise LockedError(
                "Another run works on the ports of this host.", hint="ps -C bootstrap"
            )
        self.is_allocating = True
        try:
            yield
        finally:
            self.is_allocating = False
            self.called("allocation", "ended")

    def processor(self) -> str:
        return self.model

    def is_port_free(self, port: int) -> bool:
        if not self.is_allocating:
            self.called("is_port_free", "without the lock")
        return port not in self.used_ports
