"""The switch: a QEMU without a guest whose network backends are the ports of a hub."""

import json
import re
import xml.etree.ElementTree as ET
from collections.abc import Iterator

import libvirt
import libvirt_qemu

from bootstrap.adapters.libvirt.cables import Backend, backend_arguments, cable_end
from bootstrap.adapters.libvirt.elements import command_line, digest_of, marked, text_element
from bootstrap.model.cluster import Mark
from bootstrap.model.plan import CablePlan, SwitchPlan

_HUB = 0
#: A line of QEMU's list: a port of the hub with its cable, or either alone.
_LISTED = re.compile(r"^(?: \\ (port-[\w-]+)(?:: )?)?(cable-[\w-]+)?", re.MULTILINE)
#: QEMU needs a little; there is no guest that would.
_MEMORY_MIB = 16


def switch_xml(switch: SwitchPlan, *, mark: Mark) -> str:
    """Describe the switch to libvirt, with our mark in it."""
    return marked(_domain(switch), mark)


def switch_digest(switch: SwitchPlan) -> str:
    """Return the digest that an unchanged switch's mark carries."""
    return digest_of(_domain(switch))


def switch_arguments(switch: SwitchPlan) -> list[str]:
    """Return the arguments that make a QEMU the switch."""
    return backend_arguments(backend for cable in switch.cables for backend in _port(cable))


def plug_cables(domain: libvirt.virDomain, switch: SwitchPlan) -> bool:
    """Make a running switch have a port for each cable and no other; return whether it had not.

    libvirt has no hot-plug for these, so QEMU is asked through its monitor; the definition
    holds the ports for the next start.
    """
    listing = str(_monitor(domain, "human-monitor-command", {"command-line": "info network"}))
    known = backends_in(listing)
    wanted = {str(one["id"]): one for cable in switch.cables for one in _port(cable)}
    for name in (name for name in known if name not in wanted):
        _monitor(domain, "netdev_del", {"id": name})
    for backend in (backend for name, backend in wanted.items() if name not in known):
        _monitor(domain, "netdev_add", backend)
    return set(known) != set(wanted)


def backends_in(listing: str) -> list[str]:
    """List the ports and cables that QEMU's ``info network`` shows, a port before its cable."""
    return [name for names in _LISTED.findall(listing) for name in names if name]


def _domain(switch: SwitchPlan) -> ET.Element:
    domain = ET.Element("domain", {"type": "qemu"})
    text_element(domain, "name", switch.domain_name)
    text_element(domain, "uuid", str(switch.uuid))
    text_element(domain, "memory", str(_MEMORY_MIB), unit="MiB")
    text_element(domain, "vcpu", "1")
    text_element(ET.SubElement(domain, "os"), "type", "hvm", arch="x86_64", machine="pc")
    devices = ET.SubElement(domain, "devices")
    ET.SubElement(devices, "controller", {"type": "usb", "model": "none"})
    ET.SubElement(devices, "memballoon", {"model": "none"})
    domain.append(command_line(switch_arguments(switch)))
    return domain


def _port(cable: CablePlan) -> Iterator[Backend]:
    end, port = f"cable-{cable.node}", f"port-{cable.node}"
    yield cable_end(end, local=cable.switch_end, remote=cable.node_end)
    yield {"type": "hubport", "id": port, "hubid": _HUB, "netdev": end}


def _monitor(domain: libvirt.virDomain, command: str, arguments: Backend) -> object:
    request = json.dumps({"execute": command, "arguments": arguments})
    answer: dict[str, object] = json.loads(libvirt_qemu.qemuMonitorCommand(domain, request, 0))
    return answer["return"]
