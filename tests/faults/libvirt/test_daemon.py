"""A real session daemon dies or hangs at the n-th call, with real QEMU behind it (G-15).

Guests outlive it (M8), and so must we.
"""

import contextlib
import itertools
import shlex
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import libvirt
import pytest

from bootstrap.adapters.libvirt.connection import Connection
from bootstrap.adapters.libvirt.deadlines import GENEROUS
from bootstrap.adapters.libvirt.hypervisor import LibvirtHypervisor
from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.cluster import DomainState
from bootstrap.waiting import NotYet, wait_for
from tests.builders import a_switch_mark
from tests.faults.libvirt.daemon import Daemon, private_daemon
from tests.faults.libvirt.machines import Cluster
from tests.faults.libvirt.story import ended_well
from tests.scale import IS_LONG, SEED, chosen

pytestmark = [pytest.mark.libvirt, pytest.mark.timeout(7200)]

RUNNING = DomainState.RUNNING
LOST = "libvirt connection lost, reconnected"
#: Longer than any call here takes that does not hang.
SHORT = replace(GENEROUS, reading_s=5, changing_s=20)


@pytest.fixture(scope="module")
def daemon() -> Iterator[Daemon]:
    with private_daemon(pytest.skip) as running:
        yield running


@pytest.fixture(scope="module")
def names(daemon: Daemon) -> list[str]:
    """Name the calls of a life without any fault."""
    cluster = Cluster(daemon)
    cluster.live()
    names = list(cluster.names)
    cluster.assert_nothing_left()
    assert cluster.notes == []
    return names


def test_a_daemon_killed_before_any_call_is_not_noticed_but_for_one_line(
    daemon: Daemon, names: list[str]
) -> None:
    """L-07, M8, G-15: the run completes."""
    numbers = chosen(range(1, len(names) + 1), sample=3, salt="killed")
    print(f"killed before {len(numbers)} of {len(names)} calls, seed {SEED}")  # noqa: T201
    for number in numbers:
        cluster = Cluster(daemon)

        def kill(count: int, _name: str, number: int = number) -> None:
            if count == number:
                daemon.kill()

        cluster.on_call = kill
        cluster.live()
        assert cluster.notes == [LOST], f"before call {number}, {names[number - 1]}"
        cluster.assert_nothing_left()


CHANGING = ("defineXMLFlags", "destroy", "undefineFlags")
#: Up to what a start takes here; the half of it in which QEMU comes up is the worst.
DELAYS_S = (0.0, 0.02, 0.05, 0.1, 0.15, 0.2, 0.3)


def test_a_daemon_killed_within_a_call_is_converged_from(
    names: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-07, G-15: done, or told and done by the next run; on a busy host it may hit a start."""
    assert set(CHANGING) <= set(names)
    trials = chosen(list(itertools.product(CHANGING, DELAYS_S)), sample=3, salt="within")
    print(f"killed within {trials}, seed {SEED}")  # noqa: T201 - with -rP
    with private_daemon(pytest.skip) as daemon:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(daemon.place / "RUNTIME_DIR"))
        for name, delay_s in trials:
            _kill_within_or_take_the_way_out(Cluster(daemon), name, delay_s)


@pytest.mark.skipif(not IS_LONG, reason="takes minutes where libvirt waits for its own lock")
def test_a_daemon_killed_within_a_start_is_converged_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """L-07, L-16, G-15: or told with the way out, where libvirt 9.0 has lost the domain."""
    with private_daemon(pytest.skip) as daemon:
        monkeypatch.setenv("XDG_RUNTIME_DIR", str(daemon.place / "RUNTIME_DIR"))
        for delay_s in DELAYS_S:
            _kill_within_or_take_the_way_out(Cluster(daemon), "create", delay_s)


def test_a_start_that_a_daemon_lost_is_told_with_the_way_out(
    daemon: Daemon, monkeypatch: pytest.MonkeyPatch
) -> None:
    """L-07, L-16: made here as libvirt 9.0 leaves it when it is killed in a start's first moments.

    A note of an emulator without a process, for which each next daemon takes a lock that it
    never gives back.
    """
    monkeypatch.setenv("XDG_RUNTIME_DIR", str(daemon.place / "RUNTIME_DIR"))
    cluster = Cluster(daemon)
    hypervisor = cluster.hypervisor()
    node = cluster.start_first(hypervisor)
    note = daemon.place / "RUNTIME_DIR" / "libvirt" / "qemu" / "run" / f"{node.domain_name}.xml"
    status = ET.fromstring(note.read_text())  # noqa: S314 - libvirt's own file
    hypervisor.power_off_domain(node.domain_name)
    status.attrib |= {"state": "paused", "reason": "starting up", "pid": "0"}
    ET.SubElement(
        status, "job", {"type": "none", "async": "start", "phase": "none", "flags": "0x0"}
    )
    note.write_bytes(ET.tostring(status))
    daemon.kill()
    daemon.wait()
    (domain,) = hypervisor.domains()
    with pytest.raises(BootstrapError) as caught:
        hypervisor.remove_domain(domain.uuid)
    assert (
        caught.value.message == f"libvirt can neither start nor stop domain '{node.domain_name}'."
    )
    _take_the_way_out(cluster, caught.value)


def _kill_within_or_take_the_way_out(cluster: Cluster, name: str, delay_s: float) -> None:
    try:
        _kill_within(cluster, name, delay_s)
    except BootstrapError as error:
        _take_the_way_out(cluster, error)


def _take_the_way_out(cluster: Cluster, error: BootstrapError) -> None:
    """Do what the hint says, but for another user's daemon."""
    removal, _, restart = error.hint.partition("; ")
    words = shlex.split(removal)
    assert words[0] == "rm", error
    assert restart.startswith("pkill --signal KILL ")
    Path(words[1]).unlink()
    cluster.daemon.kill()
    cluster.daemon.wait()
    cluster.live()
    cluster.assert_nothing_left()


def _kill_within(cluster: Cluster, name: str, delay_s: float) -> None:
    daemon = cluster.daemon
    killers: list[threading.Timer] = []

    def kill(_count: int, called: str) -> None:
        if called == name and not killers:
            killers.append(threading.Timer(delay_s, daemon.kill))
            killers[0].start()

    cluster.on_call = kill
    ended_well(cluster.live)
    killers[0].join()
    # The next run is not to meet the moment in which there is none.
    daemon.wait()
    cluster.live()
    cluster.assert_nothing_left()


def test_a_daemon_that_hangs_at_any_call_is_told_with_the_call(
    daemon: Daemon, names: list[str]
) -> None:
    """L-08, G-14, G-16: exit 5 and what to type; once it goes on, so do we."""
    numbers = chosen(range(1, len(names) + 1), sample=2, salt="hangs")
    print(f"stopped before {len(numbers)} of {len(names)} calls, seed {SEED}")  # noqa: T201
    for number in numbers:
        cluster = Cluster(daemon)
        before = set(threading.enumerate())
        with contextlib.ExitStack() as until_resumed:

            def stop(count: int, _name: str, number: int = number) -> None:
                if count == number:
                    until_resumed.enter_context(daemon.stopped())

            cluster.on_call = stop
            with pytest.raises(TimedOutError) as caught:
                cluster.live(SHORT)
        # The call that hung comes back now, and nothing of its work after it.
        for thread in set(threading.enumerate()) - before:
            thread.join(60)
            assert not thread.is_alive()
        assert caught.value.exit_code == 5
        assert caught.value.message.startswith("Could not ")
        assert caught.value.hint.startswith("pkill --signal KILL")
        cluster.live()
        cluster.assert_nothing_left()


_SNAPSHOT = """<domainsnapshot><name>before</name><disks>
<disk name='vda' snapshot='external'/><disk name='vdb' snapshot='no'/></disks></domainsnapshot>"""
_CHECKPOINT = """<domaincheckpoint><name>mark</name><disks>
<disk name='vda' checkpoint='bitmap'/><disk name='vdb' checkpoint='no'/></disks>
</domaincheckpoint>"""


def test_snapshots_checkpoints_and_saves_go_with_their_domain(daemon: Daemon) -> None:
    """L-11, M16: libvirt refuses to undefine a domain that has any of them."""
    cluster = Cluster(daemon)
    hypervisor = cluster.hypervisor()
    node = cluster.start_first(hypervisor)
    real = libvirt.open(daemon.uri)
    domain = real.lookupByName(node.domain_name)
    domain.checkpointCreateXML(_CHECKPOINT)
    domain.snapshotCreateXML(_SNAPSHOT, libvirt.VIR_DOMAIN_SNAPSHOT_CREATE_DISK_ONLY)
    assert (len(domain.listAllCheckpoints()), len(domain.listAllSnapshots())) == (1, 1)
    domain.managedSave()
    with pytest.raises(libvirt.libvirtError):
        domain.undefine()
    real.close()
    assert hypervisor.remove_domain(node.uuid)
    cluster.assert_nothing_left()
    kept = [*daemon.place.glob("CONFIG_HOME/libvirt/qemu/**/*"), *daemon.place.glob("**/*.save")]
    assert [path for path in kept if node.domain_name in path.name] == []


def test_an_emulator_that_hangs_holds_up_its_own_domain_only(daemon: Daemon) -> None:
    """L-08, G-16: the daemon lives, so that no keepalive would notice."""
    cluster = Cluster(daemon)
    switch = cluster.start_switch(cluster.hypervisor(), cables=1)
    # The monitor's function is not a method, so it takes libvirt's own object only.
    connection = Connection(daemon.uri, deadlines=replace(SHORT, changing_s=3))
    hypervisor = LibvirtHypervisor(connection, cluster.install)
    (emulator,) = daemon.emulators()
    emulator.suspend()
    with pytest.raises(TimedOutError, match="plug cables") as caught:
        hypervisor.ensure_switch(cluster.plan.switch, mark=a_switch_mark(cluster.plan))
    assert "emulator" in caught.value.details
    assert [domain.state for domain in hypervisor.switches()] == [RUNNING]
    assert cluster.hypervisor().remove_domain(switch.uuid)
    cluster.assert_nothing_left()


def test_an_emulator_that_is_killed_is_told_and_started_again(daemon: Daemon) -> None:
    """D-07, D-09: libvirt alone says what runs."""
    cluster = Cluster(daemon)
    hypervisor = cluster.hypervisor()
    node = cluster.start_first(hypervisor)
    (emulator,) = daemon.emulators()
    emulator.kill()

    def has_crashed() -> None:
        (domain,) = hypervisor.domains()
        if (domain.state, domain.reason) != (DomainState.SHUT_OFF, "crashed"):
            raise NotYet(f"{domain.state} {domain.reason}")

    wait_for("libvirt to see it", has_crashed, timeout_s=60, interval_s=0.1)
    assert hypervisor.start_domain(node.domain_name)
    assert [domain.state for domain in hypervisor.domains()] == [RUNNING]
    assert hypervisor.remove_domain(node.uuid)
    cluster.assert_nothing_left()


@pytest.mark.parametrize("moment", range(3))
def test_a_host_that_was_rebooted_starts_all_machines_again(daemon: Daemon, moment: int) -> None:
    """D-07, D-09: daemon and emulators end at once, with a node and no, half a or a whole switch.

    Their sockets and pid files stay, as on a disk whose host lost its power.
    """
    cluster = Cluster(daemon)
    hypervisor = cluster.hypervisor()
    node = cluster.start_first(hypervisor)
    names = [node.domain_name]
    if moment > 0:
        names.append(cluster.start_switch(hypervisor, cables=moment).domain_name)
    emulators = daemon.emulators()
    assert len(emulators) == len(names)
    daemon.kill()
    for emulator in emulators:
        emulator.kill()
    daemon.wait()
    again = cluster.hypervisor()
    assert all(again.start_domain(name) for name in names)
    found = [*again.domains(), *again.switches()]
    assert [domain.state for domain in found] == [RUNNING] * len(names)
    assert all(again.remove_domain(domain.uuid) for domain in found)
    cluster.assert_nothing_left()


_LIST_THEN_STOP = """
import os, signal, sys
from bootstrap.adapters.libvirt.connection import Connection
connection = Connection(sys.argv[1])
connection.run("list", lambda it: it.listAllDomains())
os.kill(int(sys.argv[2]), signal.SIGSTOP)
"""


def test_a_process_ends_though_the_daemon_hangs(daemon: Daemon) -> None:
    """L-08, G-16: closing a connection would ask the daemon."""
    process = daemon.process()
    command = [sys.executable, "-c", _LIST_THEN_STOP, daemon.uri, str(process.pid)]
    try:
        done = subprocess.run(command, timeout=60, check=False, capture_output=True, text=True)
    finally:
        process.resume()
    assert (done.returncode, done.stderr) == (0, "")


@pytest.fixture
def silent_server() -> Iterator[socket.socket]:
    """Take connections and never say a word, as a daemon does that was stopped."""
    # A socket's path has room for some hundred characters only.
    with (
        tempfile.TemporaryDirectory(dir="/var/tmp") as place,
        socket.socket(socket.AF_UNIX) as server,
    ):
        server.bind(f"{place}/socket")
        server.listen()
        server.settimeout(60)
        yield server


@pytest.mark.parametrize(
    ("number", "status"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)]
)
def test_a_signal_ends_a_command_whose_call_hangs(
    silent_server: socket.socket, number: signal.Signals, status: int
) -> None:
    """L-08, G-04, R-08."""
    uri = f"qemu+unix:///session?socket={silent_server.getsockname()}"
    command = [sys.executable, "-m", "bootstrap", "list", "--hypervisor", uri]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        taken, _ = silent_server.accept()
        taken.recv(1)
        running.send_signal(number)
        _, told = running.communicate(timeout=60)
        taken.close()
    finally:
        running.kill()
    assert running.returncode == status
    assert "Traceback" not in told


@pytest.mark.skipif(not IS_LONG, reason="waits for the command's own deadline, a minute")
def test_a_command_whose_call_hangs_ends_by_itself(silent_server: socket.socket) -> None:
    """L-08, G-16."""
    uri = f"qemu+unix:///session?socket={silent_server.getsockname()}"
    command = [sys.executable, "-m", "bootstrap", "list", "--hypervisor", uri]
    done = subprocess.run(command, timeout=600, check=False, capture_output=True, text=True)
    assert done.returncode == 5
    assert "did not answer within 60 s" in done.stderr
    assert "pkill --signal KILL" in done.stderr
    assert "Traceback" not in done.stderr
