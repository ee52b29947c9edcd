"""The switch: QEMU as we describe it to libvirt, with processes of ours at the nodes' ends."""

import contextlib
import select
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bootstrap.adapters.libvirt.switch import switch_arguments
from bootstrap.model.plan import CableEnd, CablePlan, SwitchPlan
from tests.builders import a_cluster_spec, a_plan

_QEMU = "qemu-system-x86_64"
_PATIENCE_S = 30
#: Ethernet's smallest, from no address to all.
_FRAME = bytes([255] * 6 + [2] * 6) + bytes(48)

pytestmark = pytest.mark.runs_programs


@pytest.fixture(params=["sockets", "udp"])
def switch(request: pytest.FixtureRequest, short_directory: Path) -> SwitchPlan:
    return planned(short_directory, workers=2, is_udp=request.param == "udp")


def planned(directory: Path, *, workers: int, is_udp: bool = False) -> SwitchPlan:
    plan = a_plan(a_cluster_spec(workers=workers), volumes=directory)
    plan.switch.directory.mkdir(parents=True)
    if not is_udp:
        return plan.switch
    ports = free_ports(2 * len(plan.nodes))
    ends = zip(ports[::2], ports[1::2], plan.nodes, strict=True)
    cables = [CablePlan(node=node.name, node_end=a, switch_end=b) for a, b, node in ends]
    return SwitchPlan(
        domain_name="demo-switch",
        uuid=plan.switch.uuid,
        directory=plan.switch.directory,
        cables=tuple(cables),
    )


def free_ports(number: int) -> list[int]:
    """List UDP ports of the loopback that no process has at this moment."""
    with contextlib.ExitStack() as stack:
        held = [stack.enter_context(socket.socket(type=socket.SOCK_DGRAM)) for _ in range(number)]
        for one in held:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in held]


@contextlib.contextmanager
def running(switch: SwitchPlan) -> Iterator[subprocess.Popen[bytes]]:
    """Run QEMU with the arguments that libvirt hands on."""
    words = switch_arguments(switch)
    quiet = ["-machine", "pc", "-m", "16", "-nodefaults", "-display", "none"]
    with subprocess.Popen([_QEMU, *quiet, *words], stderr=subprocess.PIPE) as emulator:
        try:
            yield emulator
        finally:
            emulator.kill()


class Node:
    """A node's end of its cable."""

    def __init__(self, cable: CablePlan) -> None:
        is_udp = isinstance(cable.node_end, int)
        family = socket.AF_INET if is_udp else socket.AF_UNIX
        self._socket = socket.socket(family, socket.SOCK_DGRAM)
        self._socket.bind(_address(cable.node_end))
        self._switch = _address(cable.switch_end)

    def send(self, frame: bytes) -> None:
        self._socket.sendto(frame, self._switch)

    def receive(self, *, timeout_s: float = _PATIENCE_S) -> bytes | None:
        ready, _, _ = select.select([self._socket], [], [], timeout_s)
        return self._socket.recv(65536) if ready else None

    def close(self) -> None:
        self._socket.close()


def _address(end: CableEnd) -> tuple[str, int] | str:
    return ("127.0.0.1", end) if isinstance(end, int) else str(end)


@pytest.fixture
def nodes(switch: SwitchPlan) -> Iterator[list[Node]]:
    with contextlib.ExitStack() as stack:
        made = [Node(cable) for cable in switch.cables]
        for node in made:
            stack.callback(node.close)
        yield made


def greet(sender: Node, receiver: Node) -> None:
    """Send until the switch passes frames on, and read all that has come of it."""
    for _ in range(10 * _PATIENCE_S):
        with contextlib.suppress(OSError):  # no process listens yet
            sender.send(_FRAME)
        if receiver.receive(timeout_s=0.1):
            break
    else:
        pytest.fail("the switch passes nothing on")


def drain(node: Node) -> None:
    while node.receive(timeout_s=0.5):
        pass


def test_a_frame_reaches_every_other_node(switch: SwitchPlan, nodes: list[Node]) -> None:
    first, second, third = nodes
    with running(switch):
        greet(first, second)
        drain(second)
        drain(third)
        first.send(_FRAME + b"once")
        assert second.receive() == third.receive() == _FRAME + b"once"
        assert first.receive(timeout_s=0.2) is None


def test_a_switch_that_died_is_started_again_in_its_place(
    switch: SwitchPlan, nodes: list[Node]
) -> None:
    """What it left of its sockets does not keep the next one from making them."""
    for _ in range(2):
        with running(switch):
            greet(nodes[2], nodes[0])
            drain(nodes[0])


def test_a_node_that_stands_still_holds_up_no_other(switch: SwitchPlan, nodes: list[Node]) -> None:
    """A machine that is paused reads nothing from its cable."""
    first, second, _ = nodes
    with running(switch):
        greet(first, second)
        drain(second)
        for number in range(2000):
            first.send(_FRAME + number.to_bytes(2))
            assert second.receive() == _FRAME + number.to_bytes(2)


def test_one_hundred_cables(short_directory: Path) -> None:
    switch = planned(short_directory, workers=99)
    with running(switch):
        ends = [Node(switch.cables[number]) for number in (0, 99)]
        greet(ends[0], ends[1])
        for end in ends:
            end.close()
