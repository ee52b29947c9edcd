"""Plug a cable into a running domain.

libvirt (9.0 to 11) has no hot-plug for udp interfaces, so the running QEMU is asked
through its monitor; the domain's definition holds the cable for the next start.
"""

import json
import xml.etree.ElementTree as ET

import libvirt
import libvirt_qemu

from bootstrap.adapters.libvirt.xml import link_ends
from bootstrap.model.plan import LinkPlan, NodePlan


def plug_link(domain: libvirt.virDomain, node: NodePlan, link: LinkPlan) -> bool:
    """Make the running domain have the cable; False if it has it already."""
    mac, local, remote = link_ends(node, link)
    name = "link-" + mac.replace(":", "")
    if mac in _macs(domain) or name in _devices(domain):
        return False
    backend = {
        "type": "socket",
        "id": f"{name}-net",
        "udp": f"127.0.0.1:{remote}",
        "localaddr": f"127.0.0.1:{local}",
    }
    if not _has_backend(domain, f"{name}-net"):
        _monitor(domain, "netdev_add", backend)
    device = {"driver": "virtio-net-pci", "netdev": f"{name}-net", "mac": mac, "id": name}
    _monitor(domain, "device_add", device)
    return True


def _macs(domain: libvirt.virDomain) -> set[str]:
    tree = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt's own output
    return {mac.attrib["address"] for mac in tree.iterfind("devices/interface/mac")}


def _devices(domain: libvirt.virDomain) -> set[str]:
    answer = _monitor(domain, "qom-list", {"path": "/machine/peripheral"})
    return {entry["name"] for entry in answer}


def _has_backend(domain: libvirt.virDomain, name: str) -> bool:
    listing = _monitor(domain, "human-monitor-command", {"command-line": "info network"})
    return name in str(listing)


def _monitor(
    domain: libvirt.virDomain, command: str, arguments: dict[str, str]
) -> list[dict[str, str]]:
    request = json.dumps({"execute": command, "arguments": arguments})
    answer = json.loads(libvirt_qemu.qemuMonitorCommand(domain, request, 0))
    result: list[dict[str, str]] = answer["return"]
    return result
