"""Lend a running domain a file as a disk, for as long as its guest reads it.

The disk is in no definition, so it goes with the domain's power.
"""

import xml.etree.ElementTree as ET
from pathlib import Path

import libvirt

from bootstrap.adapters.libvirt.elements import text_element

#: The guest knows the disk by it; virtio has room for 20 characters.
_SERIAL_PREFIX = "bootstrap-"
_LENGTH = 20


def disk_serial(path: Path) -> str:
    """Return the serial of the disk that a file is lent as; its name begins with a digest."""
    return f"{_SERIAL_PREFIX}{path.stem}"[:_LENGTH]


def lent_disks(domain: libvirt.virDomain) -> dict[str, str]:
    """Return the disks that are lent to the domain, by serial, as libvirt describes them."""
    root = ET.fromstring(domain.XMLDesc())  # noqa: S314 - libvirt's own
    disks = ((disk.findtext("serial", ""), disk) for disk in root.iterfind("devices/disk"))
    return {
        serial: ET.tostring(disk, encoding="unicode")
        for serial, disk in disks
        if serial.startswith(_SERIAL_PREFIX)
    }


def lend(domain: libvirt.virDomain, path: Path) -> None:
    """Attach the file as a read-only disk, unless it is."""
    if disk_serial(path) not in lent_disks(domain):
        domain.attachDeviceFlags(_disk(path), libvirt.VIR_DOMAIN_AFFECT_LIVE)


def take_back(domain: libvirt.virDomain) -> None:
    """Ask the guest to let go of every disk that is lent; it may take its time."""
    for disk in lent_disks(domain).values():
        domain.detachDeviceFlags(disk, libvirt.VIR_DOMAIN_AFFECT_LIVE)


def _disk(path: Path) -> str:
    disk = ET.Element("disk", {"type": "file", "device": "disk"})
    ET.SubElement(disk, "driver", {"name": "qemu", "type": "raw"})
    ET.SubElement(disk, "source", {"file": str(path)})
    # libvirt gives the first free place on the PCI bus; only the name is needed to be free.
    ET.SubElement(disk, "target", {"dev": "vdz", "bus": "virtio"})
    ET.SubElement(disk, "readonly")
    text_element(disk, "serial", disk_serial(path))
    return ET.tostring(disk, encoding="unicode")
