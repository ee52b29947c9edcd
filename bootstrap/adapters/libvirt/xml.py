"""Build a domain's XML as a tree; no text is ever pasted into it."""

import hashlib
import xml.etree.ElementTree as ET

from bootstrap.adapters.libvirt.marks import mark_element
from bootstrap.model.cluster import Mark, NodeImage
from bootstrap.model.plan import LinkPlan, NodePlan

_QEMU_URI = "http://libvirt.org/schemas/domain/qemu/1.0"
#: A slot of the PCI root that libvirt, which counts upwards, does not reach.
_UPLINK_SLOT = "0x1e"
_LOOPBACK = "127.0.0.1"
_KERNEL_LINE = "root=/dev/vda rw console=ttyS0 net.ifnames=0 quiet random.trust_cpu=on"
#: Guests under emulation share no cache with anybody, so mitigations only cost time.
_EMULATED_KERNEL_LINE = f"{_KERNEL_LINE} mitigations=off systemd.show_status=0"

ET.register_namespace("qemu", _QEMU_URI)


def domain_xml(node: NodePlan, *, mark: Mark, image: NodeImage, emulated: bool) -> str:
    """Describe the node's domain to libvirt, with our mark in it."""
    domain = _domain(node, image=image, emulated=emulated)
    digest = hashlib.sha256(ET.tostring(domain)).hexdigest()
    metadata = ET.Element("metadata")
    metadata.append(mark_element(mark, digest=digest))
    domain.insert(2, metadata)
    return ET.tostring(domain, encoding="unicode")


def domain_digest(node: NodePlan, *, image: NodeImage, emulated: bool) -> str:
    """Give the digest that an unchanged domain's mark carries."""
    return hashlib.sha256(ET.tostring(_domain(node, image=image, emulated=emulated))).hexdigest()


def _domain(node: NodePlan, *, image: NodeImage, emulated: bool) -> ET.Element:
    domain = ET.Element("domain", {"type": "qemu" if emulated else "kvm"})
    _text(domain, "name", node.name)
    _text(domain, "uuid", str(node.uuid))
    _text(domain, "memory", str(node.memory_mib), unit="MiB")
    _text(domain, "vcpu", str(node.cpus))
    system = ET.SubElement(domain, "os")
    _text(system, "type", "hvm", arch="x86_64", machine="pc")
    _text(system, "kernel", str(image.kernel))
    _text(system, "initrd", str(image.initrd))
    _text(system, "cmdline", _EMULATED_KERNEL_LINE if emulated else _KERNEL_LINE)
    features = ET.SubElement(domain, "features")
    ET.SubElement(features, "acpi")
    ET.SubElement(features, "apic")
    if emulated:
        _text(ET.SubElement(features, "tcg"), "tb-cache", "512", unit="MiB")
    domain.append(_cpu(emulated=emulated))
    ET.SubElement(domain, "clock", {"offset": "utc"})
    _text(domain, "on_poweroff", "destroy")
    _text(domain, "on_reboot", "restart")
    _text(domain, "on_crash", "destroy")
    domain.append(_devices(node, image=image, emulated=emulated))
    domain.append(_command_line(node))
    return domain


def _text(parent: ET.Element, tag: str, text: str, **attributes: str) -> None:
    ET.SubElement(parent, tag, attributes).text = text


def _cpu(*, emulated: bool) -> ET.Element:
    if not emulated:
        return ET.Element("cpu", {"mode": "host-passthrough"})
    cpu = ET.Element("cpu", {"mode": "custom", "match": "exact", "check": "none"})
    _text(cpu, "model", "Nehalem", fallback="forbid")
    # QEMU 7.2 corrupts the flags after cmpxchg16b (mended in QEMU 10): lab.md.
    for policy, name in (("disable", "cx16"), ("require", "aes"), ("require", "pclmuldq")):
        ET.SubElement(cpu, "feature", {"policy": policy, "name": name})
    return cpu


def _devices(node: NodePlan, *, image: NodeImage, emulated: bool) -> ET.Element:
    devices = ET.Element("devices")
    devices.append(_root_disk(node, image, emulated=emulated))
    devices.append(_seed_disk(node))
    ET.SubElement(devices, "controller", {"type": "usb", "model": "none"})
    for link in node.links:
        devices.append(_link(node, link))
    serial = ET.SubElement(devices, "serial", {"type": "file"})
    ET.SubElement(serial, "source", {"path": str(node.console_log)})
    ET.SubElement(serial, "target", {"port": "0"})
    rng = ET.SubElement(devices, "rng", {"model": "virtio"})
    _text(rng, "backend", "/dev/urandom", model="random")
    ET.SubElement(devices, "memballoon", {"model": "none"})
    return devices


def _root_disk(node: NodePlan, image: NodeImage, *, emulated: bool) -> ET.Element:
    disk = ET.Element("disk", {"type": "file", "device": "disk"})
    driver = {"name": "qemu", "type": "qcow2", "discard": "unmap"}
    # An emulated cluster is for a test run: it may lose data with its host, not its guests.
    ET.SubElement(disk, "driver", driver | ({"cache": "unsafe"} if emulated else {}))
    ET.SubElement(disk, "source", {"file": str(node.root_volume)})
    # The whole chain is told, so that neither libvirt nor QEMU ever guesses a format.
    backing = ET.SubElement(disk, "backingStore", {"type": "file"})
    ET.SubElement(backing, "format", {"type": "raw"})
    ET.SubElement(backing, "source", {"file": str(image.disk)})
    ET.SubElement(backing, "backingStore")
    ET.SubElement(disk, "target", {"dev": "vda", "bus": "virtio"})
    return disk


def _seed_disk(node: NodePlan) -> ET.Element:
    disk = ET.Element("disk", {"type": "file", "device": "disk"})
    ET.SubElement(disk, "driver", {"name": "qemu", "type": "raw"})
    ET.SubElement(disk, "source", {"file": str(node.seed_volume)})
    # A cdrom is not seen by Debian's cloud kernel, which has no AHCI driver: lab.md.
    ET.SubElement(disk, "target", {"dev": "vdb", "bus": "virtio"})
    ET.SubElement(disk, "readonly")
    return disk


def _link(node: NodePlan, link: LinkPlan) -> ET.Element:
    mac, local, remote = link_ends(node, link)
    interface = ET.Element("interface", {"type": "udp"})
    ET.SubElement(interface, "mac", {"address": mac})
    source = ET.SubElement(interface, "source", {"address": _LOOPBACK, "port": str(remote)})
    ET.SubElement(source, "local", {"address": _LOOPBACK, "port": str(local)})
    ET.SubElement(interface, "model", {"type": "virtio"})
    return interface


def link_ends(node: NodePlan, link: LinkPlan) -> tuple[str, int, int]:
    """Give the MAC, local port and remote port of a cable as ``node`` sees it."""
    if link.node == node.name:
        return link.node_mac, link.node_port, link.control_plane_port
    return link.control_plane_mac, link.control_plane_port, link.node_port


def _command_line(node: NodePlan) -> ET.Element:
    """Give the uplink: libvirt 9.0 has no port forwards but through passt, which it refuses."""
    forwards = f"hostfwd=tcp:{_LOOPBACK}:{node.ssh_port}-:22"
    if node.api_port is not None:
        forwards += f",hostfwd=tcp:{_LOOPBACK}:{node.api_port}-:6443"
    device = f"virtio-net-pci,netdev=uplink,mac={node.uplink_mac},bus=pci.0,addr={_UPLINK_SLOT}"
    command_line = ET.Element(f"{{{_QEMU_URI}}}commandline")
    for word in ("-netdev", f"user,id=uplink,{forwards}", "-device", device):
        ET.SubElement(command_line, f"{{{_QEMU_URI}}}arg", {"value": word})
    return command_line
