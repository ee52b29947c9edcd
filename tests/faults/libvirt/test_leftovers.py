"""What stays of a domain where others had their hands on it, or a run was killed."""

from collections.abc import Callable, Iterator
from pathlib import Path

import libvirt
import pytest

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.errors import BootstrapError
from bootstrap.model.plan import NodePlan
from tests.builders import INSTALL, a_mark, a_plan, an_image
from tests.fakes.faulty_libvirt import Daemon, Fault, FaultyLibvirt, When

PLAN = a_plan()
NODE = PLAN.initial_control_plane
_SNAPSHOT = "<domainsnapshot><name>before</name></domainsnapshot>"


class Host:
    """A libvirt with our domain on it; ``real`` is how other clients reach it."""

    def __init__(self, faulty: FaultyLibvirt) -> None:
        self.faulty, self.real = faulty, faulty.real
        connection = Connection("qemu:///session", connect=faulty.connect)
        self.hypervisor = LibvirtHypervisor(connection, INSTALL)
        self.ensure(NODE)

    def ensure(self, node: NodePlan) -> None:
        mark = a_mark(PLAN, node)
        self.hypervisor.ensure_domain(node, mark=mark, image=an_image(), emulated=True)

    @property
    def domain(self) -> libvirt.virDomain:
        return self.real.lookupByName(NODE.domain_name)

    def lists(self) -> tuple[list[str], list[str]]:
        """Return the names in libvirt's two lists."""
        active, inactive = (
            [domain.name() for domain in self.real.listAllDomains(flag)]
            for flag in (
                libvirt.VIR_CONNECT_LIST_DOMAINS_ACTIVE,
                libvirt.VIR_CONNECT_LIST_DOMAINS_INACTIVE,
            )
        )
        return active, inactive


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    (tmp_path / "node.xml").write_text("<node/>")
    faulty = FaultyLibvirt(libvirt.open(f"test://{tmp_path}/node.xml"))
    yield Host(faulty)
    faulty.real.close()


def with_snapshot(host: Host) -> None:
    host.domain.snapshotCreateXML(_SNAPSHOT)


def with_snapshot_and_save(host: Host) -> None:
    host.domain.create()
    host.domain.snapshotCreateXML(_SNAPSHOT)
    host.domain.managedSave()


def transient(host: Host) -> None:
    host.domain.create()
    host.domain.undefine()
    assert not host.domain.isPersistent()


def transient_and_paused(host: Host) -> None:
    transient(host)
    host.domain.suspend()


@pytest.mark.parametrize(
    "leave", [with_snapshot, with_snapshot_and_save, transient, transient_and_paused]
)
def test_whatever_others_left_on_it_goes_with_it(host: Host, leave: Callable[[Host], None]) -> None:
    """L-11, L-12, M16, M17: in neither list."""
    leave(host)
    assert [domain.name for domain in host.hypervisor.domains()] == [NODE.name]
    assert host.hypervisor.remove_domain(NODE.uuid)
    assert host.lists() == ([], [])


def _before(host: Host, ours: str, act: Callable[[], object], *, times: int) -> None:
    """Let another client ``act`` just before our next calls named ``ours``."""
    original, left = host.faulty.called, [times]

    def called(name: str, call: Callable[[], object], daemon: Daemon) -> object:
        if name == ours and left[0]:
            left[0] -= 1
            act()
        return original(name, call, daemon)

    host.faulty.called = called  # type: ignore[method-assign]


def test_a_domain_started_while_it_is_removed_is_removed(host: Host) -> None:
    """L-12, M17: undefined while it ran, it would go on as a transient one."""
    _before(host, "undefineFlags", host.domain.create, times=1)
    assert host.hypervisor.remove_domain(NODE.uuid)
    assert host.lists() == ([], [])


def test_a_domain_that_always_comes_back_is_told(host: Host) -> None:
    """L-12: libvirt reports no error."""
    text = host.domain.XMLDesc()

    def come_back() -> None:
        domain = host.real.defineXML(text)
        if not domain.isActive():
            domain.create()

    _before(host, "lookupByUUIDString", come_back, times=1000)
    with pytest.raises(BootstrapError, match="comes back") as caught:
        host.hypervisor.remove_domain(NODE.uuid)
    assert caught.value.hint == "bootstrap list"
    assert host.lists() == ([NODE.domain_name], [])


def test_a_domain_that_another_client_removes_first_is_removed(host: Host) -> None:
    """Z-05."""
    _before(host, "undefineFlags", host.domain.undefine, times=1)
    assert host.hypervisor.remove_domain(NODE.uuid)
    assert host.lists() == ([], [])


def test_who_starts_or_stops_it_first_does_our_work(host: Host) -> None:
    """L-09."""
    _before(host, "create", host.domain.create, times=1)
    assert host.hypervisor.start_domain(NODE.domain_name)
    assert host.lists() == ([NODE.domain_name], [])
    _before(host, "destroy", host.domain.destroy, times=1)
    assert host.hypervisor.power_off_domain(NODE.domain_name)
    assert host.lists() == ([], [NODE.domain_name])


@pytest.fixture
def logs(tmp_path: Path) -> Path:
    directory = tmp_path / "libvirt" / "qemu" / "log"
    directory.mkdir(parents=True)
    for name in (
        f"{NODE.domain_name}.log",
        f"{NODE.domain_name}.log.0",
        f"{NODE.domain_name}-db.log",
        "other.log",
    ):
        (directory / name).write_text("started\n")
    return directory


def test_its_logs_go_and_no_others(host: Host, logs: Path) -> None:
    """L-19, M18."""
    host.hypervisor.remove_domain(NODE.uuid)
    left = sorted(path.name for path in logs.iterdir())
    assert left == [f"{NODE.domain_name}-db.log", "other.log"]


def test_a_run_that_ends_before_its_definition_is_gone_leaves_no_log_behind(
    host: Host, logs: Path
) -> None:
    """L-19, G-03: who comes next finds the domain, but could not find its log."""
    count = len(host.faulty.names)
    _before(host, "undefineFlags", lambda: (_ for _ in ()).throw(KeyboardInterrupt), times=1)
    with pytest.raises(KeyboardInterrupt):
        host.hypervisor.remove_domain(NODE.uuid)
    assert len(host.faulty.names) > count
    assert host.lists() == ([], [NODE.domain_name])
    assert not (logs / f"{NODE.domain_name}.log").exists()
    assert host.hypervisor.remove_domain(NODE.uuid)
    assert host.lists() == ([], [])


def test_a_log_that_cannot_be_removed_is_told(host: Host, logs: Path) -> None:
    """L-19: removed or listed."""
    log = logs / f"{NODE.domain_name}.log"
    log.unlink()
    log.mkdir()
    with pytest.raises(BootstrapError) as caught:
        host.hypervisor.remove_domain(NODE.uuid)
    assert str(log) in caught.value.message
    assert str(log) in caught.value.hint


def test_a_call_that_is_not_permitted_is_reported_with_the_way_out(host: Host) -> None:
    """P-03."""
    host.faulty.names.clear()
    code = libvirt.VIR_ERR_AUTH_UNAVAILABLE
    host.faulty.fault = Fault(call=1, when=When.BEFORE, what=code)
    with pytest.raises(BootstrapError) as caught:
        host.hypervisor.domains()
    assert caught.value.exit_code == 3
    assert caught.value.hint.startswith("bootstrap up")
