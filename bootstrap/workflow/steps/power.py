"""Shut nodes down."""

import contextlib
from collections.abc import Sequence

from bootstrap.errors import BootstrapError, TimedOutError
from bootstrap.model.cluster import Domain, DomainState
from bootstrap.waiting import NotYet, wait_for
from bootstrap.workflow.environment import Ports

_SHUTDOWN_TIMEOUT_S = 60
_SYNC_TIMEOUT_S = 15
#: A guest that has just begun to boot does not see its button, so it is pressed again.
_PRESS_INTERVAL_S = 5.0


def shut_down_nodes(nodes: Sequence[Domain], ports: Ports) -> list[str]:
    """Shut down nodes that are on, all at once, and return their names.

    One that is not off at the deadline loses its power, and one that libvirt does not know at once.
    """
    known = [node for node in nodes if node.state is not DomainState.STRAY]
    if known:
        _shut_down(known, ports)
    for node in _on(nodes, ports):
        _cut_power(node, ports)
    for node in nodes:
        ports.events.node(node.name, "off", is_done=True)
    return [node.name for node in nodes]


def _shut_down(nodes: Sequence[Domain], ports: Ports) -> None:
    """Press the buttons of nodes until they are off, or the deadline has come."""
    for node in nodes:
        if node.state is DomainState.PAUSED:
            ports.hypervisor.start_domain(node.domain_name)  # a frozen guest hears no button
        ports.events.node(node.name, "shutting down")
    with contextlib.suppress(TimedOutError):
        wait_for(
            f"{', '.join(node.name for node in nodes)} to shut down",
            lambda: _press_until_off(nodes, ports),
            timeout_s=_SHUTDOWN_TIMEOUT_S * max(node.patience for node in nodes),
            interval_s=_PRESS_INTERVAL_S,
            report=ports.events.waiting,
        )


def _press_until_off(nodes: Sequence[Domain], ports: Ports) -> None:
    still_on = _on(nodes, ports)
    for node in still_on:
        ports.hypervisor.shut_down_domain(node.domain_name)
    if still_on:
        raise NotYet(f"still on: {', '.join(node.name for node in still_on)}")


def _cut_power(node: Domain, ports: Ports) -> None:
    with contextlib.suppress(BootstrapError, NotYet):  # it may hang, which is why it is cut off
        ports.shell.run(node, "sync", timeout_s=_SYNC_TIMEOUT_S * node.patience)
    why = (
        "is unknown to libvirt" if node.state is DomainState.STRAY else "did not shut down in time"
    )
    ports.events.note(f"Node '{node.name}' {why}, so its power was cut.")
    ports.hypervisor.power_off_domain(node.domain_name)


def _on(nodes: Sequence[Domain], ports: Ports) -> list[Domain]:
    if not nodes:
        return []
    wanted = {node.uuid for node in nodes}
    known = ports.hypervisor.domains(nodes[0].mark.cluster)
    return [domain for domain in known if domain.uuid in wanted and not domain.is_off]
